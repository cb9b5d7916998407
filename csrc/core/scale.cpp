#include "core/scale.h"

#include <cmath>
#include <cstdio>

namespace sr_ops {
namespace {

std::string Show(float value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", static_cast<double>(value));
  return text;
}

template <typename T>
std::string ShowList(const T* values, size_t count) {
  std::string text = "[";
  for (size_t i = 0; i < count; ++i) {
    if (i) text += ", ";
    if constexpr (sizeof(T) == 4) {
      text += Show(values[i]);
    } else {
      text += std::to_string(values[i]);
    }
  }
  return text + "]";
}

}  // namespace

int64_t OutputSize(int64_t n, float scale) {
  const float product = static_cast<float>(n) * scale;
  if (!(product >= 0.0f && product < 9.2e18f)) return -1;
  return static_cast<int64_t>(product);
}

Status CheckScale(float scale, const char* axis) {
  if (std::isfinite(scale) && scale > 0.0f) return {};
  return Status::InvalidArgument(std::string("scale: the ") + axis + " factor is " + Show(scale) +
                                 ", expected a finite number > 0");
}

Status ParseScales(const float* scales, size_t count, size_t rank, float* scale_height,
                   float* scale_width) {
  if (count != 1 && count != 2 && count != rank) {
    return Status::InvalidArgument("scales: got " + std::to_string(count) +
                                   " elements, expected 1, 2 or " + std::to_string(rank) +
                                   " (one for each axis of X)");
  }
  for (size_t i = 0; i + 2 < count; ++i) {
    if (scales[i] == 1.0f) continue;
    return Status::InvalidArgument("scales: got " + ShowList(scales, count) +
                                   ", but only the last two axes can be resampled: every scale "
                                   "before them must be 1");
  }
  *scale_height = scales[count == 1 ? 0 : count - 2];
  *scale_width = scales[count - 1];
  Status status = CheckScale(*scale_height, "height");
  return status.ok() ? CheckScale(*scale_width, "width") : status;
}

Status ParseSizes(const int64_t* sizes, size_t count, const int64_t* shape, size_t rank,
                  int64_t* out_height, int64_t* out_width) {
  if (count != 2 && count != rank) {
    return Status::InvalidArgument("sizes: got " + std::to_string(count) +
                                   " elements, expected 2 or " + std::to_string(rank) +
                                   " (one for each axis of X)");
  }
  for (size_t i = 0; i + 2 < count; ++i) {
    if (sizes[i] == shape[i]) continue;
    return Status::InvalidArgument("sizes: got " + ShowList(sizes, count) + " for X of shape " +
                                   ShowList(shape, rank) +
                                   ", but only the last two axes can be resampled: every size "
                                   "before them must be X's own");
  }
  *out_height = sizes[count - 2];
  *out_width = sizes[count - 1];
  if (*out_height > 0 && *out_width > 0) return {};
  return Status::InvalidArgument("sizes: got " + ShowList(sizes, count) +
                                 ", expected a height and a width > 0");
}

}  // namespace sr_ops
