#include "fuzz_problem.h"

#include <algorithm>

#include "core/scale.h"

namespace sr_ops::test {
namespace {

int64_t TakeExtent(FuzzBytes* bytes) {
  const uint8_t kind = bytes->Take<uint8_t>();
  if (kind < 0x90) return 1 + kind % 18;
  if (kind < 0xf0) return 1 + kind % 80;
  if (kind < 0xff) return 1 + bytes->Take<uint16_t>() % kLongestAxis;
  return bytes->Take<int64_t>();
}

int64_t TakeCount(FuzzBytes* bytes) {
  const uint8_t kind = bytes->Take<uint8_t>();
  if (kind < 0xc0) return 1 + kind % 4;
  if (kind < 0xff) return kind - 0xc0;
  return bytes->Take<int64_t>();
}

/// The output's extent and the scale of one axis: from a scale, as a graph has it, from a size, or
/// from a scale and a size that may or may not fit one another.
void TakeAxis(FuzzBytes* bytes, int64_t in, int64_t* out, double* scale) {
  const uint8_t kind = bytes->Take<uint8_t>();
  if (kind < 0x10) {  // halved: there is a way of its own for that
    *out = std::max<int64_t>(in / 2, 1);
    *scale = static_cast<double>(*out) / static_cast<double>(in);
  } else if (kind < 0x70) {
    // Up to 4, in steps that a float32 holds and whose periods are short; now and then up to 16.
    const uint16_t steps = bytes->Take<uint16_t>();
    const float factor = static_cast<float>(1 + steps % (steps < 0xf000 ? 1024 : 4096)) / 256.0f;
    *scale = factor;
    *out = OutputSize(in, factor);
  } else if (kind < 0xd0) {
    *out = TakeExtent(bytes);
    *scale = static_cast<double>(*out) / static_cast<double>(in);
  } else if (kind < 0xe8) {
    const float factor = bytes->Take<float>();
    *scale = factor;
    *out = OutputSize(in, factor);
  } else {
    *out = TakeExtent(bytes);
    const double exact = static_cast<double>(*out) / static_cast<double>(in);
    const double off = (kind - 0xf3) / 8.0 / static_cast<double>(in);
    *scale = kind == 0xff ? bytes->Take<double>() : static_cast<float>(exact + off);
  }
}

int64_t LargerPlane(const Problem& p) {
  return std::max(p.in_height * p.in_width, p.out_height * p.out_width);
}

}  // namespace

Problem TakeProblem(FuzzBytes* bytes, int types) {
  Problem p;
  p.dtype = static_cast<DataType>(bytes->Below(types));
  p.layout = static_cast<Layout>(bytes->Below(2));
  const bool floating = !IsInteger(p.dtype);
  p.direction = static_cast<Direction>(floating ? bytes->Below(2) : 0);
  p.attributes.coordinate_transformation_mode = static_cast<CoordinateMode>(bytes->Below(5));
  p.attributes.antialias = bytes->Below(2) != 0;
  p.attributes.exclude_outside = bytes->Below(2) != 0;
  const uint8_t a = bytes->Take<uint8_t>();
  p.attributes.cubic_coeff_a = a < 0xa0 ? -0.75f : a < 0xe0 ? -0.5f : bytes->Take<float>();
  // Mostly where it is accepted.
  const bool half_pixel = p.attributes.coordinate_transformation_mode == CoordinateMode::kHalfPixel;
  const bool accepted = p.dtype == DataType::kUInt8 && half_pixel;
  if (accepted ? a % 2 != 0 : a % 32 == 31) p.attributes.rounding = Rounding::kPillow;
  p.in_height = TakeExtent(bytes);
  p.in_width = TakeExtent(bytes);
  TakeAxis(bytes, p.in_height, &p.out_height, &p.scale_height);
  TakeAxis(bytes, p.in_width, &p.out_width, &p.scale_width);
  p.batch = TakeCount(bytes);
  p.channels = TakeCount(bytes);
  return p;
}

bool WithinAxes(const Problem& p) {
  const auto within = [](int64_t extent) { return extent >= 1 && extent <= kLongestAxis; };
  return within(p.in_height) && within(p.in_width) && within(p.out_height) && within(p.out_width);
}

bool Reduce(Problem* p, int64_t elements) {
  if (!WithinAxes(*p) || p->batch < 0 || p->channels < 0) return false;
  const int64_t planes = elements / LargerPlane(*p);
  if (planes == 0) return false;
  p->channels = std::min(p->channels, planes);
  p->batch = std::min(p->batch, planes / std::max<int64_t>(p->channels, 1));
  return true;
}

}  // namespace sr_ops::test
