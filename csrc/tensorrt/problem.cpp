#include "tensorrt/problem.h"

#include <string>

#include "core/cuda/arguments.h"
#include "core/resample.h"
#include "core/scale.h"

namespace sr_ops::tensorrt {
namespace {

int64_t Extent(const Shape& shape, int from_the_end) {
  return shape.rank >= from_the_end ? shape.extent[shape.rank - from_the_end] : 1;
}

template <typename AnyView>
void SetStrides(Layout layout, int64_t channels, int64_t height, int64_t width, AnyView* view) {
  const bool last = layout == Layout::kChannelsLast;
  view->stride[0] = channels * height * width;
  view->stride[1] = last ? 1 : height * width;
  view->stride[2] = last ? width * channels : width;
  view->stride[3] = last ? channels : 1;
}

Status CheckShapes(const Shape& x, const Shape& y) {
  if (x.rank < 2 || x.rank > 4) {
    return Status::InvalidArgument("X: got " + std::to_string(x.rank) +
                                   " axes, expected 2 (H, W), 3 (C, H, W) or 4 (N, C, H, W)");
  }
  bool same = x.rank == y.rank;
  for (int axis = 0; same && axis < x.rank - 2; ++axis) same = x.extent[axis] == y.extent[axis];
  if (same) return {};
  return Status::InvalidArgument(
      "Y: its axes but the last two must be X's: sizes of batch and channels cannot be resampled");
}

Status CheckSize(const char* axis, int64_t in, float scale, int64_t out) {
  if (OutputSize(in, scale) == out) return {};
  return Status::InvalidArgument(std::string("scales: an axis of ") + std::to_string(in) + " (" +
                                 axis + ") becomes " + std::to_string(OutputSize(in, scale)) +
                                 ", but the engine made it " + std::to_string(out));
}

// Indices and as many weights as an axis has at most: where the kernel is stretched, 4 / scale + 2
// for each output.
int64_t MostTableBytes(int64_t in, int64_t out) {
  const auto index = static_cast<int64_t>(2 * sizeof(int64_t));
  return cuda::Aligned(out * index + (4 * in + 8 * out) * static_cast<int64_t>(sizeof(float)));
}

}  // namespace

Status MakeProblem(const Settings& settings, DataType dtype, Layout layout, const Shape& x,
                   const Shape& y, Problem* problem) {
  Status status = CheckShapes(x, y);
  if (!status.ok()) return status;
  Problem& p = *problem;
  p = Problem();
  p.dtype = dtype;
  p.layout = layout;
  p.attributes = settings.attributes;
  p.batch = Extent(x, 4);
  p.channels = Extent(x, 3);
  p.in_height = Extent(x, 2);
  p.in_width = Extent(x, 1);
  p.out_height = Extent(y, 2);
  p.out_width = Extent(y, 1);
  if (settings.type == NodeType::kSizes) {
    p.scale_height = static_cast<double>(p.out_height) / static_cast<double>(p.in_height);
    p.scale_width = static_cast<double>(p.out_width) / static_cast<double>(p.in_width);
    return Validate(p);
  }
  p.scale_height = settings.scale_height;
  p.scale_width = settings.scale_width;
  status = CheckSize("height", p.in_height, settings.scale_height, p.out_height);
  if (status.ok()) status = CheckSize("width", p.in_width, settings.scale_width, p.out_width);
  return status.ok() ? Validate(p) : status;
}

ConstView SourceOf(const Problem& p) {
  ConstView view;
  SetStrides(p.layout, p.channels, p.in_height, p.in_width, &view);
  return view;
}

View DestinationOf(const Problem& p) {
  View view;
  SetStrides(p.layout, p.channels, p.out_height, p.out_width, &view);
  return view;
}

int64_t MostWorkspaceBytes(const Shape& x, const Shape& y) {
  return MostTableBytes(Extent(x, 2), Extent(y, 2)) + MostTableBytes(Extent(x, 1), Extent(y, 1));
}

}  // namespace sr_ops::tensorrt
