// Upscales a picture without any runtime: buffers in, buffers out.
//
//   upscale PICTURE SCALE OUT.png [THREADS]
#include <sr_ops/core.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#define STB_IMAGE_IMPLEMENTATION
#include <stb_image.h>
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb_image_write.h>

namespace {

void Check(const sr_ops_status& status) {
  if (status.code != SR_OPS_OK) throw std::runtime_error(status.message);
}

void Run(const std::string& from, float scale, const std::string& to, int threads) {
  int width = 0, height = 0, channels = 0;  // as the file has them: gray, RGB, with alpha or not
  const std::unique_ptr<stbi_uc, void (*)(void*)> picture(
      stbi_load(from.c_str(), &width, &height, &channels, 0), stbi_image_free);
  if (!picture) throw std::runtime_error(from + ": " + stbi_failure_reason());

  sr_ops_description description = sr_ops_default_description();
  description.dtype = SR_OPS_UINT8;
  description.layout = SR_OPS_NHWC;
  description.shape[0] = 1;
  description.shape[1] = channels;
  description.shape[2] = height;
  description.shape[3] = width;
  description.scale_height = description.scale_width = scale;
  int64_t size[2];
  Check(sr_ops_output_size(&description, size));

  std::vector<stbi_uc> result(static_cast<size_t>(size[0] * size[1] * channels));
  const sr_ops_threads pool{threads, nullptr,
                            nullptr};  // the library's own; a callback brings yours
  Check(sr_ops_dynamic_upscale(&description, picture.get(), result.data(), &pool));

  const int out_height = static_cast<int>(size[0]), out_width = static_cast<int>(size[1]);
  if (!stbi_write_png(to.c_str(), out_width, out_height, channels, result.data(), 0)) {
    throw std::runtime_error(to + ": cannot be written");
  }
  std::printf("%s: %d x %d -> %d x %d (sr_ops %s, %s)\n", to.c_str(), width, height, out_width,
              out_height, sr_ops_version(), sr_ops_instruction_set());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::fprintf(stderr, "usage: %s PICTURE SCALE OUT.png [THREADS]\n", argv[0]);
    return 2;
  }
  try {
    Run(argv[1], std::strtof(argv[2], nullptr), argv[3], argc == 5 ? std::atoi(argv[4]) : 1);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "upscale: error: %s\n", error.what());
    return 2;
  }
  return 0;
}
