// Upscales a picture with an exported model, by as many factors as are asked for, in one session:
//
//   upscale MODEL.onnx libsr_ops_ort.so PICTURE SCALE OUT.png [SCALE OUT.png]...
//
// The library's path is what `python -c "import sr_ops; print(sr_ops.get_library_path())"` prints.
// "-" in its place leaves the library out: the model then runs the function that it carries.
#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <opencv2/imgcodecs.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

/// (3, height, width) floats in 0..1, red first: what the networks take and give.
struct Planes {
  int64_t height, width;
  std::vector<float> values;
};

Planes Read(const std::string& path) {
  const cv::Mat picture = cv::imread(path, cv::IMREAD_COLOR);  // height x width pixels of BGR
  if (picture.empty()) throw std::runtime_error(path + ": cannot be read");
  const size_t area = picture.total();
  Planes planes{picture.rows, picture.cols, std::vector<float>(3 * area)};
  for (size_t i = 0; i < 3 * area; ++i) {
    planes.values[(2 - i % 3) * area + i / 3] = static_cast<float>(picture.data[i]) / 255.0f;
  }
  return planes;
}

void Write(const std::string& path, int64_t height, int64_t width, const float* values) {
  cv::Mat picture(static_cast<int>(height), static_cast<int>(width), CV_8UC3);
  const size_t area = picture.total();
  for (size_t i = 0; i < 3 * area; ++i) {
    picture.data[i] = cv::saturate_cast<uchar>(values[(2 - i % 3) * area + i / 3] * 255.0f);
  }
  bool written = false;
  try {
    written = cv::imwrite(path, picture);
  } catch (const cv::Exception&) {  // an unknown ending; the text names OpenCV's source files
  }
  if (!written) throw std::runtime_error(path + ": cannot be written");
}

/// The scale as the model's second input declares it: 1, 2 (height, width) or 4 numbers.
std::vector<float> ScaleValues(const std::vector<int64_t>& shape, float scale) {
  const int64_t count = shape.empty() ? 1 : shape[0];
  if (shape.size() > 1 || (count != 1 && count != 2 && count != 4)) {
    throw std::runtime_error("the model's second input is not a scale of 1, 2 or 4 numbers");
  }
  std::vector<float> values(static_cast<size_t>(count), scale);
  if (count == 4) values[0] = values[1] = 1.0f;  // batch and channels stay
  return values;
}

Ort::Value Upscale(Ort::Session& session, Planes& picture, float scale) {
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  const std::vector<int64_t> shape{1, 3, picture.height, picture.width};
  const auto scale_shape = session.GetInputTypeInfo(1).GetTensorTypeAndShapeInfo().GetShape();
  std::vector<float> scales = ScaleValues(scale_shape, scale);
  const Ort::Value inputs[] = {
      Ort::Value::CreateTensor<float>(memory, picture.values.data(), picture.values.size(),
                                      shape.data(), shape.size()),
      Ort::Value::CreateTensor<float>(memory, scales.data(), scales.size(), scale_shape.data(),
                                      scale_shape.size())};
  Ort::AllocatorWithDefaultOptions allocator;
  const auto image_name = session.GetInputNameAllocated(0, allocator);
  const auto scale_name = session.GetInputNameAllocated(1, allocator);
  const auto output_name = session.GetOutputNameAllocated(0, allocator);
  const char* input_names[] = {image_name.get(), scale_name.get()};
  const char* output_names[] = {output_name.get()};
  return std::move(session.Run(Ort::RunOptions{}, input_names, inputs, 2, output_names, 1)[0]);
}

void Run(int argc, char** argv) {
  // What goes wrong comes as an exception: no need for the runtime to print it as well.
  const Ort::Env env(ORT_LOGGING_LEVEL_FATAL, "upscale");
  Ort::SessionOptions options;
  if (std::string(argv[2]) != "-") options.RegisterCustomOpsLibrary(argv[2]);
  Ort::Session session(env, argv[1], options);
  if (session.GetInputCount() != 2) {
    throw std::runtime_error(std::string(argv[1]) + ": expected two inputs, a picture and a scale");
  }
  Planes picture = Read(argv[3]);
  for (int i = 4; i < argc; i += 2) {
    const auto start = std::chrono::steady_clock::now();
    const Ort::Value result = Upscale(session, picture, std::strtof(argv[i], nullptr));
    const std::chrono::duration<double, std::milli> elapsed =
        std::chrono::steady_clock::now() - start;
    const auto shape = result.GetTensorTypeAndShapeInfo().GetShape();
    Write(argv[i + 1], shape[2], shape[3], result.GetTensorData<float>());
    std::printf("%s: %lld x %lld -> %lld x %lld in %.1f ms\n", argv[i + 1],
                static_cast<long long>(picture.width), static_cast<long long>(picture.height),
                static_cast<long long>(shape[3]), static_cast<long long>(shape[2]),
                elapsed.count());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6 || argc % 2 != 0) {
    std::fprintf(stderr, "usage: %s MODEL.onnx LIBRARY PICTURE SCALE OUT.png [SCALE OUT.png]...\n",
                 argv[0]);
    return 2;
  }
  try {
    Run(argc, argv);
  } catch (const std::exception& error) {  // Ort::Exception among them: a bad scale ends up here
    std::fprintf(stderr, "upscale: error: %s\n", error.what());
    return 2;
  }
  return 0;
}
