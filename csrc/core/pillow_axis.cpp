#include "core/pillow_axis.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/narrow.h"

namespace sr_ops {
namespace {

/// Pillow keeps the ends of an axis in float32.
constexpr int64_t kLargestExtent = int64_t{1} << 24;

constexpr float kPillowA = -0.5f;

struct Geometry {
  double scale;    ///< source pixels per output pixel
  double stretch;  ///< of the kernel: `scale` where that shrinks, else 1
  double support;  ///< half the kernel's width, in source pixels

  Geometry(int64_t in, int64_t out)
      : scale(static_cast<double>(in) / static_cast<double>(out)),
        stretch(std::max(scale, 1.0)),
        support(2.0 * stretch) {}

  /// In source pixels; pixel i has its centre at i + 0.5.
  double Centre(int64_t o) const { return (static_cast<double>(o) + 0.5) * scale; }
};

TapRange TapsAround(double centre, double support, int64_t in) {
  const int64_t first = static_cast<int64_t>(centre - support + 0.5);
  const int64_t end = static_cast<int64_t>(centre + support + 0.5);
  return {std::max<int64_t>(first, 0), std::min(end, in) - 1};
}

double Bicubic(double x) {
  const double a = kPillowA;
  x = std::fabs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

int32_t InUnits(double weight) {
  const double units = weight * (1 << kPillowBits);
  return static_cast<int32_t>(weight < 0 ? units - 0.5 : units + 0.5);
}

/// The weights of the output at `centre`, before they become integers.
void FindWeights(const Geometry& axis, double centre, TapRange taps, std::vector<double>* weights) {
  const double per_stretch = 1.0 / axis.stretch;
  weights->clear();
  double sum = 0;
  for (int64_t k = taps.first; k <= taps.last; ++k) {
    weights->push_back(Bicubic((static_cast<double>(k) - centre + 0.5) * per_stretch));
    sum += weights->back();
  }
  for (double& weight : *weights) weight /= sum;
}

}  // namespace

PillowAxis MakePillowAxis(int64_t in, int64_t out, const AxisPart& part) {
  const Geometry geometry(in, out);
  PillowAxis axis;
  axis.in = part.source_count;
  axis.out = part.count;
  axis.identity = in == out;
  const auto taps_of = [&](int64_t o) {
    if (in == out) return TapRange{part.first + o, part.first + o};
    return TapsAround(geometry.Centre(part.first + o), geometry.support, in);
  };
  for (int64_t o = 0; o < part.count; ++o) {
    const TapRange taps = taps_of(o);
    axis.first.push_back(taps.first - part.source_first);
    axis.count.push_back(Narrow<int32_t>(taps.last - taps.first + 1));
    axis.taps = std::max(axis.taps, axis.count.back());
  }
  axis.weights.assign(static_cast<size_t>(part.count) * axis.taps, 0);
  std::vector<double> weights;
  for (int64_t o = 0; o < part.count; ++o) {
    FindWeights(geometry, geometry.Centre(part.first + o), taps_of(o), &weights);
    std::transform(weights.begin(), weights.end(),
                   &axis.weights[static_cast<size_t>(o) * axis.taps], InUnits);
  }
  return axis;
}

TapRange PillowTaps(int64_t in, int64_t out, int64_t first, int64_t count) {
  const Geometry axis(in, out);
  // Neither end of an output's taps lies before that of the output before.
  const int64_t begin = TapsAround(axis.Centre(first), axis.support, in).first;
  return {begin, TapsAround(axis.Centre(first + count - 1), axis.support, in).last};
}

int64_t MostPillowTaps(int64_t in, int64_t out) {
  const double window = std::ceil(2.0 * Geometry(in, out).support) + 1.0;
  return static_cast<int64_t>(std::min(window, static_cast<double>(in)));
}

bool PillowRowsFirst(const Problem& p) {
  const int64_t fewer_rows = p.in_height - p.out_height;
  return fewer_rows > 0 && fewer_rows > 2 * (p.in_width - p.out_width);
}

Status CheckPillow(const Problem& p) {
  const auto refuse = [](const std::string& got, const char* otherwise) {
    return Status::InvalidArgument("rounding: \"pillow\" " + got + "; " + otherwise +
                                   ", or use rounding \"exact\"");
  };
  if (p.dtype != DataType::kUInt8) {
    return refuse("is Pillow's arithmetic on 8 bits, and takes uint8 alone", "convert x to uint8");
  }
  if (p.direction == Direction::kAdjoint) {
    return refuse("rounds between its passes, and has no gradient", "resample without gradients");
  }
  const Attributes& a = p.attributes;
  if (a.coordinate_transformation_mode != CoordinateMode::kHalfPixel) {
    return refuse("has coordinate_transformation_mode half_pixel, got another",
                  "leave the mode out");
  }
  if (a.cubic_coeff_a != kPillowA && a.cubic_coeff_a != Attributes().cubic_coeff_a) {
    return refuse("has cubic_coeff_a -0.5, got " + std::to_string(a.cubic_coeff_a),
                  "leave cubic_coeff_a out");
  }
  if (std::max({p.in_height, p.in_width, p.out_height, p.out_width}) > kLargestExtent) {
    return refuse("takes at most 2^24 pixels an axis, as Pillow does", "use smaller sizes");
  }
  return {};
}

}  // namespace sr_ops
