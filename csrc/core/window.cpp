#include "core/window.h"

#include <algorithm>
#include <string>

#include "core/pillow_axis.h"
#include "core/resample.h"

namespace sr_ops {
namespace {

std::string Show(const Rectangle& r) {
  return "(" + std::to_string(r.top) + ", " + std::to_string(r.left) + ", " +
         std::to_string(r.height) + ", " + std::to_string(r.width) + ")";
}

std::string Show(int64_t height, int64_t width) {
  return std::to_string(height) + " x " + std::to_string(width);
}

bool Lies(int64_t first, int64_t count, int64_t within) {
  return first >= 0 && count > 0 && first < within && count <= within - first;
}

Status CheckInside(const char* name, const Rectangle& r, const char* whole, int64_t height,
                   int64_t width) {
  if (r.empty() || (Lies(r.top, r.height, height) && Lies(r.left, r.width, width))) return {};
  return Status::InvalidArgument(
      std::string(name) + ": got (top, left, height, width) = " + Show(r) +
      ", expected at least one pixel, inside the " + whole + " of " + Show(height, width));
}

Rectangle WindowOf(const Problem& p) {
  return p.window.empty() ? Rectangle{0, 0, p.out_height, p.out_width} : p.window;
}

Rectangle CropOf(const Problem& p) {
  return p.crop.empty() ? Rectangle{0, 0, p.in_height, p.in_width} : p.crop;
}

TapRange ReadOf(int64_t in, int64_t out, double scale, const Attributes& attributes,
                const AxisPart& part) {
  return attributes.rounding == Rounding::kPillow
             ? PillowTaps(in, out, part.first, part.count)
             : TapsOf({in, out, scale, attributes}, part.first, part.count);
}

Rectangle Read(const Problem& p) {
  const TapRange y = ReadOf(p.in_height, p.out_height, p.scale_height, p.attributes, RowsOf(p));
  const TapRange x = ReadOf(p.in_width, p.out_width, p.scale_width, p.attributes, ColumnsOf(p));
  return {y.first, x.first, y.last - y.first + 1, x.last - x.first + 1};
}

}  // namespace

AxisPart RowsOf(const Problem& p) {
  const Rectangle window = WindowOf(p), crop = CropOf(p);
  return {window.top, window.height, crop.top, crop.height};
}

AxisPart ColumnsOf(const Problem& p) {
  const Rectangle window = WindowOf(p), crop = CropOf(p);
  return {window.left, window.width, crop.left, crop.width};
}

TapRange TapsOf(const AxisGeometry& axis, int64_t first, int64_t count) {
  const auto inside = [&](int64_t index) { return std::clamp<int64_t>(index, 0, axis.in - 1); };
  // Neither end of an output's taps lies before that of the output before.
  const int64_t begin = inside(TapsAt(axis, SourceCoordinate(axis, first)).first);
  const int64_t last = inside(TapsAt(axis, SourceCoordinate(axis, first + count - 1)).last);
  return {begin, std::max(begin, last)};
}

Status CheckWindow(const Problem& p) {
  if (p.window.empty() && p.crop.empty()) return {};
  if (p.direction == Direction::kAdjoint) {
    return Status::InvalidArgument("window: the gradient is computed as a whole; leave it out");
  }
  Status status = CheckInside("window", p.window, "result", p.out_height, p.out_width);
  if (status.ok()) status = CheckInside("crop", p.crop, "source", p.in_height, p.in_width);
  if (!status.ok() || p.crop.empty()) return status;
  const Rectangle read = Read(p);
  const Rectangle& crop = p.crop;
  if (crop.top <= read.top && crop.left <= read.left &&
      read.top + read.height <= crop.top + crop.height &&
      read.left + read.width <= crop.left + crop.width) {
    return {};
  }
  return Status::InvalidArgument("crop: got (top, left, height, width) = " + Show(crop) +
                                 ", but the window reads " + Show(read) +
                                 " of the source; pass a crop that holds all of it");
}

Status SourceRectangle(const Problem& problem, Rectangle* rectangle) {
  Problem p = problem;
  p.crop = {};
  Status status = Validate(p);
  if (status.ok()) *rectangle = Read(p);
  return status;
}

}  // namespace sr_ops
