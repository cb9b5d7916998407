#include "ort/geometry.h"

#include <algorithm>
#include <string>

#include "core/scale.h"

namespace sr_ops::ort {
namespace {

Status CheckRank(size_t rank) {
  if (rank >= 2 && rank <= 4) return {};
  return Status::InvalidArgument("X: got " + std::to_string(rank) +
                                 " axes, expected 2 (H, W), 3 (C, H, W) or 4 (N, C, H, W)");
}

Status SetSizes(const std::vector<int64_t>& shape, const Request& request, Problem* problem) {
  Problem& p = *problem;
  Status status = ParseSizes(request.sizes.data(), request.sizes.size(), shape.data(), shape.size(),
                             &p.out_height, &p.out_width);
  p.scale_height = static_cast<double>(p.out_height) / static_cast<double>(p.in_height);
  p.scale_width = static_cast<double>(p.out_width) / static_cast<double>(p.in_width);
  return status;
}

Status SetScales(const std::vector<int64_t>& shape, const Request& request, Problem* problem) {
  Problem& p = *problem;
  float height = 0, width = 0;
  Status status =
      ParseScales(request.scales.data(), request.scales.size(), shape.size(), &height, &width);
  if (!status.ok()) return status;
  p.scale_height = height;
  p.scale_width = width;
  p.out_height = OutputSize(p.in_height, height);
  p.out_width = OutputSize(p.in_width, width);
  if (p.out_height < 0 || p.out_width < 0) {
    return Status::InvalidArgument("scales: the output of " + std::to_string(p.in_height) + " x " +
                                   std::to_string(p.in_width) +
                                   " would have more than 2^40 elements; use a smaller scale");
  }
  return status;
}

/// Gives every axis of X an element: those that `axes` does not name get `rest`'s.
template <typename T>
Status SpreadOverAxes(const char* name, const std::vector<int64_t>& axes, std::vector<T> rest,
                      std::vector<T>* values) {
  const size_t rank = rest.size();
  const size_t expected = axes.empty() ? rank : axes.size();
  if (values->size() != expected) {
    return Status::InvalidArgument(
        std::string(name) + ": got " + std::to_string(values->size()) + " elements, expected " +
        std::to_string(expected) +
        (axes.empty() ? " (one for each axis of X)" : " (one for each of the attribute axes)"));
  }
  if (axes.empty()) return {};
  std::vector<bool> named(rank, false);
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t axis = axes[i] < 0 ? axes[i] + static_cast<int64_t>(rank) : axes[i];
    if (axis < 0 || axis >= static_cast<int64_t>(rank)) {
      return Status::InvalidArgument("axes: got " + std::to_string(axes[i]) + " for X of " +
                                     std::to_string(rank) + " axes");
    }
    if (named[static_cast<size_t>(axis)]) {
      return Status::InvalidArgument("axes: axis " + std::to_string(axis) + " is named twice");
    }
    named[static_cast<size_t>(axis)] = true;
    rest[static_cast<size_t>(axis)] = (*values)[i];
  }
  *values = std::move(rest);
  return {};
}

/// Whether only the two axes that begin at `first` are resampled.
bool ResamplesOnly(size_t first, const std::vector<int64_t>& shape, const Request& request) {
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (axis == first || axis == first + 1) continue;
    if (request.by_sizes ? request.sizes[axis] != shape[axis] : request.scales[axis] != 1.0f) {
      return false;
    }
  }
  return true;
}

/// (…, H, W, C) -> (…, C, H, W)
template <typename T>
void ChannelsFirst(std::vector<T>* list) {
  if (list->size() >= 3) std::rotate(list->end() - 3, list->end() - 1, list->end());
}

}  // namespace

Status SetGeometry(const std::vector<int64_t>& shape, const Request& request, Problem* problem) {
  const size_t rank = shape.size();
  Status status = CheckRank(rank);
  if (!status.ok()) return status;
  Problem& p = *problem;
  p.batch = rank == 4 ? shape[0] : 1;
  p.channels = rank >= 3 ? shape[rank - 3] : 1;
  p.in_height = shape[rank - 2];
  p.in_width = shape[rank - 1];
  return request.by_sizes ? SetSizes(shape, request, problem) : SetScales(shape, request, problem);
}

Status SetResizeGeometry(const std::vector<int64_t>& shape, const std::vector<int64_t>& axes,
                         const Request& request, Problem* problem) {
  const size_t rank = shape.size();
  Request each = request;
  Status status = CheckRank(rank);
  if (!status.ok()) return status;
  status = request.by_sizes
               ? SpreadOverAxes("sizes", axes, shape, &each.sizes)
               : SpreadOverAxes("scales", axes, std::vector<float>(rank, 1.0f), &each.scales);
  if (!status.ok()) return status;
  if (rank == 2 || ResamplesOnly(rank - 2, shape, each) || !ResamplesOnly(rank - 3, shape, each)) {
    return SetGeometry(shape, each, problem);  // or says why not
  }
  std::vector<int64_t> turned = shape;
  ChannelsFirst(&turned);
  ChannelsFirst(&each.scales);
  ChannelsFirst(&each.sizes);
  problem->layout = Layout::kChannelsLast;
  return SetGeometry(turned, each, problem);
}

std::vector<int64_t> OutputShape(std::vector<int64_t> shape, const Problem& problem) {
  const size_t width = shape.size() - (problem.layout == Layout::kChannelsLast ? 2 : 1);
  shape[width - 1] = problem.out_height;
  shape[width] = problem.out_width;
  return shape;
}

}  // namespace sr_ops::ort
