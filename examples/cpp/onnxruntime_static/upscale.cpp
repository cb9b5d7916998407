// Upscales a picture in ONNX Runtime with an operator that is part of this program: no library of
// operators to ship or to find. The model, of one node, takes the pixels as OpenCV holds them:
//
//   upscale MODEL.onnx PICTURE SCALE OUT.png
//
// MODEL.onnx has the inputs X, uint8 (channels, height, width), and scales, float32 (3), and the
// output Y.
#include <onnxruntime_cxx_api.h>
#include <sr_ops/ort.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

Ort::Session LoadModel(const Ort::Env& env, const char* model) {
  Ort::SessionOptions options;
  Ort::ThrowOnError(SrOpsRegisterCustomOps(options, OrtGetApiBase()));
  return Ort::Session(env, model, options);
}

/// Planes of `picture` below one another: (channels * height) x width.
cv::Mat Planes(const cv::Mat& picture) {
  std::vector<cv::Mat> channels;
  cv::split(picture, channels);
  cv::Mat planes;
  cv::vconcat(channels, planes);
  return planes;
}

cv::Mat Upscale(Ort::Session& session, const cv::Mat& picture, float scale) {
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  cv::Mat planes = Planes(picture);
  const int64_t shape[] = {picture.channels(), picture.rows, picture.cols};
  float scales[] = {1, scale, scale};
  const int64_t scales_shape[] = {3};
  const Ort::Value inputs[] = {
      Ort::Value::CreateTensor<uint8_t>(memory, planes.data, planes.total(), shape, 3),
      Ort::Value::CreateTensor<float>(memory, scales, 3, scales_shape, 1)};
  const char* input_names[] = {"X", "scales"};
  const char* output_names[] = {"Y"};
  auto outputs = session.Run(Ort::RunOptions{}, input_names, inputs, 2, output_names, 1);

  const auto out = outputs[0].GetTensorTypeAndShapeInfo().GetShape();
  const int height = static_cast<int>(out[1]), width = static_cast<int>(out[2]);
  std::vector<cv::Mat> channels;
  for (int c = 0; c < picture.channels(); ++c) {
    uint8_t* plane = outputs[0].GetTensorMutableData<uint8_t>() + size_t(c) * height * width;
    channels.emplace_back(height, width, CV_8UC1, plane);
  }
  cv::Mat result;
  cv::merge(channels, result);
  return result;
}

void Run(char** argv) {
  const Ort::Env env(ORT_LOGGING_LEVEL_FATAL, "upscale");
  Ort::Session session = LoadModel(env, argv[1]);
  const cv::Mat picture = cv::imread(argv[2], cv::IMREAD_COLOR);
  if (picture.empty()) throw std::runtime_error(std::string(argv[2]) + ": cannot be read");
  const cv::Mat result = Upscale(session, picture, std::strtof(argv[3], nullptr));
  if (!cv::imwrite(argv[4], result)) {
    throw std::runtime_error(std::string(argv[4]) + ": cannot be written");
  }
  std::printf("%s: %d x %d -> %d x %d\n", argv[4], picture.cols, picture.rows, result.cols,
              result.rows);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s MODEL.onnx PICTURE SCALE OUT.png\n", argv[0]);
    return 2;
  }
  try {
    Run(argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "upscale: error: %s\n", error.what());
    return 2;
  }
  return 0;
}
