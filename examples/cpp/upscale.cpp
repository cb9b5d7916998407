// Upscales a picture with an exported model, by as many factors as are asked for, in one session:
//
//   upscale MODEL.onnx libsr_ops_ort.so PICTURE SCALE OUT.png [SCALE OUT.png]...
//
// The library's path is what `python -c "import sr_ops; print(sr_ops.get_library_path())"` prints.
// "-" in its place leaves the library out: the model then runs the function that it carries.
#include <onnxruntime_cxx_api.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "picture.h"

namespace {

Ort::Session LoadModel(const Ort::Env& env, const std::string& model, const std::string& library) {
  Ort::SessionOptions options;
  if (library != "-") options.RegisterCustomOpsLibrary(library.c_str());
  return Ort::Session(env, model.c_str(), options);
}

/// The scale as the model's second input declares it: 1, 2 (height, width) or 4 numbers.
std::vector<float> ScaleValues(const Ort::Session& session, float scale) {
  const auto shape = session.GetInputTypeInfo(1).GetTensorTypeAndShapeInfo().GetShape();
  const int64_t count = shape.empty() ? 1 : shape[0];
  if (shape.size() > 1 || (count != 1 && count != 2 && count != 4)) {
    throw std::runtime_error("the model's second input is not a scale of 1, 2 or 4 numbers");
  }
  std::vector<float> values(static_cast<size_t>(count), scale);
  if (count == 4) values[0] = values[1] = 1.0f;  // batch and channels stay
  return values;
}

Picture Upscale(Ort::Session& session, Picture& picture, float scale) {
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  const std::vector<int64_t> shape{1, picture.channels, picture.height, picture.width};
  std::vector<float> scales = ScaleValues(session, scale);
  const std::vector<int64_t> scales_shape =
      session.GetInputTypeInfo(1).GetTensorTypeAndShapeInfo().GetShape();
  const Ort::Value inputs[] = {
      Ort::Value::CreateTensor<float>(memory, picture.planes.data(), picture.planes.size(),
                                      shape.data(), shape.size()),
      Ort::Value::CreateTensor<float>(memory, scales.data(), scales.size(), scales_shape.data(),
                                      scales_shape.size())};

  Ort::AllocatorWithDefaultOptions allocator;
  const auto image_name = session.GetInputNameAllocated(0, allocator);
  const auto scale_name = session.GetInputNameAllocated(1, allocator);
  const auto output_name = session.GetOutputNameAllocated(0, allocator);
  const char* input_names[] = {image_name.get(), scale_name.get()};
  const char* output_names[] = {output_name.get()};
  auto outputs = session.Run(Ort::RunOptions{}, input_names, inputs, 2, output_names, 1);

  const auto out_shape = outputs[0].GetTensorTypeAndShapeInfo().GetShape();
  const size_t elements = outputs[0].GetTensorTypeAndShapeInfo().GetElementCount();
  const float* values = outputs[0].GetTensorData<float>();
  return {out_shape[1], out_shape[2], out_shape[3], {values, values + elements}};
}

void Run(int argc, char** argv) {
  // What goes wrong comes as an exception: no need for the runtime to print it as well.
  const Ort::Env env(ORT_LOGGING_LEVEL_FATAL, "upscale");
  Ort::Session session = LoadModel(env, argv[1], argv[2]);
  if (session.GetInputCount() != 2) {
    throw std::runtime_error(std::string(argv[1]) + ": expected two inputs, a picture and a scale");
  }
  Picture picture = ReadPicture(argv[3]);
  for (int i = 4; i < argc; i += 2) {
    const auto start = std::chrono::steady_clock::now();
    const Picture result = Upscale(session, picture, std::strtof(argv[i], nullptr));
    const std::chrono::duration<double, std::milli> elapsed =
        std::chrono::steady_clock::now() - start;
    WritePng(argv[i + 1], result);
    std::printf("%s: %lld x %lld -> %lld x %lld in %.1f ms\n", argv[i + 1],
                static_cast<long long>(picture.width), static_cast<long long>(picture.height),
                static_cast<long long>(result.width), static_cast<long long>(result.height),
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
