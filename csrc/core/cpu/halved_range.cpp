#include "core/cpu/halved_range.h"

#include <algorithm>
#include <iterator>

namespace sr_ops {

ElementRange SourcesOf(const RoundedAxis<float>& axis, int64_t begin, int64_t end) {
  const auto inside = [&](int64_t source) { return std::clamp<int64_t>(source, 0, axis.in - 1); };
  return {inside(axis.first[begin]), inside(axis.first[end - 1] + axis.count[end - 1] - 1) + 1};
}

HalvedRange FindHalved(const RoundedAxis<float>& axis) {
  if (axis.out == 0) return {};
  const int64_t middle = axis.out / 2;
  const int32_t taps = axis.count[middle];
  if (std::find(std::begin(kHalvedTaps), std::end(kHalvedTaps), taps) == std::end(kHalvedTaps)) {
    return {};
  }
  const auto weights = [&](int64_t o) { return axis.weights.begin() + o * axis.taps; };
  const auto is_alike = [&](int64_t o) {
    const int64_t first = axis.first[o];
    return axis.count[o] == taps && first == axis.first[middle] + 2 * (o - middle) && first >= 0 &&
           first + taps <= axis.in && std::equal(weights(o), weights(o) + taps, weights(middle));
  };
  HalvedRange range{middle, middle};
  while (range.begin > 0 && is_alike(range.begin - 1)) --range.begin;
  while (range.end < axis.out && is_alike(range.end)) ++range.end;
  const int64_t count = range.end - range.begin;
  if (count == 0 || axis.out - count > kMostHalvedEdges) return {};
  const auto reads_many = [&](int64_t begin, int64_t end) {
    if (begin == end) return false;
    const ElementRange sources = SourcesOf(axis, begin, end);
    return sources.end - sources.begin > kMostHalvedSources;
  };
  if (reads_many(0, range.begin) || reads_many(range.end, axis.out)) return {};
  return range;
}

}  // namespace sr_ops
