// The formulas of one axis: where an output lies in the source, which source indices it reads, with
// which weights. The tables of the CPU (axis.cpp) and of the GPU (cuda/axis_entry-inl.h) are filled
// from here, with IEEE operations that no compiler may fuse: the same bits on both.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/host_device.h"
#include "core/types.h"

namespace sr_ops {

/// Source indices first ... last, which may lie outside of the image.
struct TapRange {
  int64_t first;
  int64_t last;  // inclusive
};

struct AxisGeometry {
  int64_t in = 0;
  int64_t out = 0;
  double scale = 1;  ///< the factor of the coordinate transformation
  double cubic_coeff_a = 0;
  double shrink = 1;            ///< output pixels per source pixel where stretched, else 1
  double symmetric_offset = 0;  ///< source pixels; for half_pixel_symmetric
  CoordinateMode mode = CoordinateMode::kHalfPixel;
  bool stretched = false;  ///< antialias, and it matters
  bool exclude_outside = false;

  AxisGeometry() = default;
  AxisGeometry(int64_t in, int64_t out, double scale, const Attributes& attributes)
      : in(in),
        out(out),
        scale(scale),
        cubic_coeff_a(attributes.cubic_coeff_a),
        mode(attributes.coordinate_transformation_mode),
        stretched(attributes.antialias && scale < 1.0),
        exclude_outside(attributes.exclude_outside) {
    if (stretched) shrink = scale;
    const double exact_out = scale * static_cast<double>(in);
    const double adjustment = static_cast<double>(out) / exact_out;
    symmetric_offset = static_cast<double>(in) / 2.0 * (1.0 - adjustment);
  }

  /// Half the kernel's width, in source pixels.
  SR_OPS_HOST_DEVICE double support() const { return 2.0 / shrink; }

  SR_OPS_HOST_DEVICE bool normalises() const { return stretched || exclude_outside; }
};

/// Cubic convolution kernel: R. G. Keys, "Cubic convolution interpolation for digital image
/// processing", IEEE Trans. ASSP 29(6), 1981, eq. 4, with its free parameter a.
SR_OPS_HOST_DEVICE inline double Keys(double x, double a) {
  x = std::fabs(x);
  if (x <= 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  if (x < 2.0) return ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a;
  return 0.0;
}

/// Source coordinate, in units of source pixels, of output index i. Never decreases with i.
SR_OPS_HOST_DEVICE inline double SourceCoordinate(const AxisGeometry& axis, int64_t i) {
  const double x = static_cast<double>(i);
  switch (axis.mode) {
    case CoordinateMode::kHalfPixel: return (x + 0.5) / axis.scale - 0.5;
    case CoordinateMode::kHalfPixelSymmetric:
      return axis.symmetric_offset + (x + 0.5) / axis.scale - 0.5;
    case CoordinateMode::kPytorchHalfPixel:
      return axis.out == 1 ? 0.0 : (x + 0.5) / axis.scale - 0.5;
    case CoordinateMode::kAlignCorners:
      return axis.out == 1
                 ? 0.0
                 : x * static_cast<double>(axis.in - 1) / static_cast<double>(axis.out - 1);
    case CoordinateMode::kAsymmetric: return x / axis.scale;
  }
  return 0.0;
}

/// The source indices that an output centred at `centre` reads.
SR_OPS_HOST_DEVICE inline TapRange TapsAt(const AxisGeometry& axis, double centre) {
  if (!axis.stretched) {
    const int64_t left = static_cast<int64_t>(std::floor(centre));
    return {left - 1, left + 2};
  }
  TapRange taps{static_cast<int64_t>(std::floor(centre - axis.support())) + 1,
                static_cast<int64_t>(std::ceil(centre + axis.support())) - 1};
  if (axis.exclude_outside) {
    if (taps.first < 0) taps.first = 0;
    if (taps.last > axis.in - 1) taps.last = axis.in - 1;
  }
  return taps;
}

/// Weight of one source index, before weights are normalised (where they are).
SR_OPS_HOST_DEVICE inline double RawWeight(const AxisGeometry& axis, double centre, int64_t index) {
  const bool outside = index < 0 || index >= axis.in;
  return axis.exclude_outside && outside
             ? 0.0
             : Keys((centre - static_cast<double>(index)) * axis.shrink, axis.cubic_coeff_a);
}

}  // namespace sr_ops
