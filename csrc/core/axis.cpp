#include "core/axis.h"

#include <algorithm>
#include <cmath>

namespace sr_ops {
namespace {

// Cubic convolution kernel: R. G. Keys, "Cubic convolution interpolation for digital image
// processing", IEEE Trans. ASSP 29(6), 1981, eq. 4, with its free parameter a.
double Keys(double x, double a) {
  x = std::fabs(x);
  if (x <= 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  if (x < 2.0) return ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a;
  return 0.0;
}

// Source coordinate, in units of source pixels, of output index i.
class CoordinateTransformation {
 public:
  CoordinateTransformation(int64_t in, int64_t out, double scale, CoordinateMode mode)
      : mode_(mode), out_(out), in_(in), scale_(scale) {
    const double exact_out = scale * static_cast<double>(in);
    const double adjustment = static_cast<double>(out) / exact_out;
    symmetric_offset_ = static_cast<double>(in) / 2.0 * (1.0 - adjustment);
  }

  double operator()(int64_t i) const {
    const double x = static_cast<double>(i);
    switch (mode_) {
      case CoordinateMode::kHalfPixel: return (x + 0.5) / scale_ - 0.5;
      case CoordinateMode::kHalfPixelSymmetric: return symmetric_offset_ + (x + 0.5) / scale_ - 0.5;
      case CoordinateMode::kPytorchHalfPixel: return out_ == 1 ? 0.0 : (x + 0.5) / scale_ - 0.5;
      case CoordinateMode::kAlignCorners:
        return out_ == 1 ? 0.0 : x * static_cast<double>(in_ - 1) / static_cast<double>(out_ - 1);
      case CoordinateMode::kAsymmetric: return x / scale_;
    }
    return 0.0;
  }

 private:
  CoordinateMode mode_;
  int64_t out_;
  int64_t in_;
  double scale_;
  double symmetric_offset_;
};

struct Window {
  int64_t first;
  int64_t last;  // inclusive
};

// The source indices under a kernel of half-width `support` (source pixels) centred at `centre`.
Window WindowOf(double centre, double support, bool stretched) {
  if (!stretched) {
    const int64_t left = static_cast<int64_t>(std::floor(centre));
    return {left - 1, left + 2};
  }
  return {static_cast<int64_t>(std::floor(centre - support)) + 1,
          static_cast<int64_t>(std::ceil(centre + support)) - 1};
}

void Normalise(double* weights, int32_t count) {
  double sum = 0.0;
  for (int32_t k = 0; k < count; ++k) sum += weights[k];
  for (int32_t k = 0; k < count; ++k) weights[k] /= sum;
}

}  // namespace

AxisTable MakeAxisTable(int64_t in, int64_t out, double scale, const Attributes& attributes) {
  const bool stretched = attributes.antialias && scale < 1.0;
  const double shrink = stretched ? scale : 1.0;  // output pixels per source pixel
  const double support = 2.0 / shrink;
  const double a = attributes.cubic_coeff_a;
  const CoordinateTransformation source_of(in, out, scale,
                                           attributes.coordinate_transformation_mode);
  AxisTable table;
  table.in = in;
  table.out = out;
  table.first.resize(out);
  table.count.resize(out);
  for (int64_t o = 0; o < out; ++o) {
    Window window = WindowOf(source_of(o), support, stretched);
    if (stretched && attributes.exclude_outside) {
      window.first = std::max<int64_t>(window.first, 0);
      window.last = std::min<int64_t>(window.last, in - 1);
    }
    table.first[o] = window.first;
    table.count[o] = static_cast<int32_t>(window.last - window.first + 1);
    table.taps = std::max(table.taps, table.count[o]);
  }
  table.weights.assign(static_cast<size_t>(out) * table.taps, 0.0);
  for (int64_t o = 0; o < out; ++o) {
    const double centre = source_of(o);
    double* weights = &table.weights[static_cast<size_t>(o) * table.taps];
    for (int32_t k = 0; k < table.count[o]; ++k) {
      const int64_t index = table.first[o] + k;
      const bool outside = index < 0 || index >= in;
      weights[k] = attributes.exclude_outside && outside
                       ? 0.0
                       : Keys((centre - static_cast<double>(index)) * shrink, a);
    }
    if (stretched || attributes.exclude_outside) Normalise(weights, table.count[o]);
  }
  return table;
}

AxisTable Transpose(const AxisTable& forward) {
  AxisTable table;
  table.in = forward.out;
  table.out = forward.in;
  std::vector<int64_t> last(table.out, -1);
  table.first.assign(table.out, 0);
  table.count.assign(table.out, 0);
  const auto source = [&](int64_t o, int32_t k) {
    return std::clamp<int64_t>(forward.first[o] + k, 0, forward.in - 1);
  };
  // Source indices of a forward output are non-decreasing in o, so each source index is read by a
  // run of consecutive outputs; the run may have holes only in principle (their weight stays 0).
  for (int64_t o = 0; o < forward.out; ++o) {
    for (int32_t k = 0; k < forward.count[o]; ++k) {
      const int64_t s = source(o, k);
      if (last[s] < 0) table.first[s] = o;
      last[s] = o;
    }
  }
  for (int64_t s = 0; s < table.out; ++s) {
    if (last[s] < 0) continue;
    table.count[s] = static_cast<int32_t>(last[s] - table.first[s] + 1);
    table.taps = std::max(table.taps, table.count[s]);
  }
  table.weights.assign(static_cast<size_t>(table.out) * table.taps, 0.0);
  for (int64_t o = 0; o < forward.out; ++o) {
    for (int32_t k = 0; k < forward.count[o]; ++k) {
      const int64_t s = source(o, k);
      table.weights[static_cast<size_t>(s) * table.taps + (o - table.first[s])] +=
          forward.weights[static_cast<size_t>(o) * forward.taps + k];
    }
  }
  return table;
}

}  // namespace sr_ops
