// An axis that is halved: all outputs but a few at the edges have the same weights, and the source
// of each begins two further on. Such rows need not be transposed (halve-inl.h).
#pragma once

#include <cstdint>

#include "core/axis.h"
#include "core/cpu/column_table.h"

namespace sr_ops {

/// Outputs [begin, end) have the same weights, first[o] is first[begin] + 2 * (o - begin), and all
/// taps lie inside the image. Empty where too few do.
struct HalvedRange {
  int64_t begin = 0;
  int64_t end = 0;

  bool empty() const { return begin == end; }
};

/// Numbers of taps that there are kernels for: without and with antialias.
constexpr int32_t kHalvedTaps[] = {4, 8};
/// So many outputs may be left at the edges: they are computed one by one.
constexpr int64_t kMostHalvedEdges = 8;
/// In rows of fewer elements, what each row costs besides is more than is gained. Measured.
constexpr int64_t kFewestHalvedFloats = 128;
constexpr int64_t kFewestHalved = 384;  // narrower ones
/// So many sources, at the most, those at one edge may read.
constexpr int64_t kMostHalvedSources = 32;

HalvedRange FindHalved(const RoundedAxis<float>& axis);

/// The sources that outputs [begin, end) read, where windows move one way.
ElementRange SourcesOf(const RoundedAxis<float>& axis, int64_t begin, int64_t end);

}  // namespace sr_ops
