// What a problem needs before its first pixel: tables in the accumulator's type, and the kernel.
#pragma once

#include <cstdint>
#include <vector>

#include "core/axis.h"
#include "core/types.h"

namespace sr_ops {

/// An axis table with weights rounded once to the accumulator type (float32; float64 for float64).
template <typename Accumulator>
struct RoundedAxis {
  int64_t in = 0;
  int64_t out = 0;
  int32_t taps = 0;
  std::vector<int64_t> first;
  std::vector<int32_t> count;
  std::vector<Accumulator> weights;
};

template <typename Accumulator>
struct AxisPair {
  RoundedAxis<Accumulator> rows;     // vertical: source rows of each destination row
  RoundedAxis<Accumulator> columns;  // horizontal
};

/// The part of a call that one tile computes: rows [row_begin, row_end) of one plane. A plane is an
/// image's channel (kChannelsFirst) or a whole image (kChannelsLast).
struct TileArea {
  int64_t plane;
  int64_t row_begin;
  int64_t row_end;
};

class Plan {
 public:
  explicit Plan(const Problem& problem);  // may throw std::bad_alloc

  Problem problem;
  /// Sizes as applied: for the adjoint, the source is the output gradient.
  int64_t source_height = 0, source_width = 0;
  int64_t height = 0, width = 0;
  /// The order of the two passes, fixed by the shapes: rows (vertical) first where their number
  /// shrinks, columns (horizontal) first otherwise. Part of the contract: it decides bits.
  bool rows_first = false;
  AxisPair<float> single;    // filled unless dtype is float64
  AxisPair<double> double_;  // filled for float64

  int64_t planes() const {
    return problem.batch * (problem.layout == Layout::kChannelsLast ? 1 : problem.channels);
  }

  using RunTile = bool (*)(const Plan&, const ConstView&, const View&, const TileArea&);
  RunTile run_tile = nullptr;
};

}  // namespace sr_ops
