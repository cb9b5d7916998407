// Picture files as planes of float in 0..1, which is what the networks take and give.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

struct Picture {
  int64_t channels = 3;  // red, green, blue
  int64_t height = 0;
  int64_t width = 0;
  std::vector<float> planes;  // channels x height x width
};

/// Reads a PNG, JPEG or BMP file. Throws std::runtime_error.
Picture ReadPicture(const std::string& path);

/// Writes a PNG file; levels are rounded and clamped. Throws std::runtime_error.
void WritePng(const std::string& path, const Picture& picture);
