#include "picture.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>

#define STB_IMAGE_IMPLEMENTATION
#define STBI_FAILURE_USERMSG
#include <stb_image.h>
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb_image_write.h>

Picture ReadPicture(const std::string& path) {
  int width = 0, height = 0, channels_in_file = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load(path.c_str(), &width, &height, &channels_in_file, 3), stbi_image_free);
  if (!pixels) throw std::runtime_error(path + ": cannot be read: " + stbi_failure_reason());
  Picture picture{3, height, width, std::vector<float>(size_t{3} * height * width)};
  const size_t area = size_t(height) * width;
  for (size_t i = 0; i < 3 * area; ++i) {
    picture.planes[i % 3 * area + i / 3] = static_cast<float>(pixels.get()[i]) / 255.0f;
  }
  return picture;
}

void WritePng(const std::string& path, const Picture& picture) {
  const size_t area = size_t(picture.height) * picture.width;
  std::vector<unsigned char> pixels(3 * area);
  for (size_t i = 0; i < 3 * area; ++i) {
    const float level = std::clamp(picture.planes[i % 3 * area + i / 3], 0.0f, 1.0f) * 255.0f;
    pixels[i] = static_cast<unsigned char>(std::nearbyint(level));
  }
  const int width = static_cast<int>(picture.width), height = static_cast<int>(picture.height);
  if (!stbi_write_png(path.c_str(), width, height, 3, pixels.data(), 3 * width)) {
    throw std::runtime_error(path + ": cannot be written");
  }
}
