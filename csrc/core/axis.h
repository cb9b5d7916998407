// The resampling matrix of one axis, and its transpose. Modes live here; loops never see a mode.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/axis_geometry.h"
#include "core/types.h"
#include "core/window.h"

namespace sr_ops {

/// For each output index, a run of consecutive source indices with one weight each.
///
/// Output o reads source indices clamp(first[o] + k, 0, in - 1) for k in [0, count[o]), weighted by
/// weights[o * taps + k], in this order. Clamped taps stay taps of their own: they are not merged.
struct AxisTable {
  int64_t in = 0;
  int64_t out = 0;
  int32_t taps = 0;  ///< the widest count; the stride of `weights`
  std::vector<int64_t> first;
  std::vector<int32_t> count;
  std::vector<double> weights;  ///< zero beyond count
};

/// The forward table of a part of one axis, with indices that count from the part's first source
/// and output. The part's source must hold all taps (CheckWindow). May throw std::bad_alloc.
AxisTable MakeAxisTable(const AxisGeometry& axis, const AxisPart& part);

/// Of the whole axis.
inline AxisTable MakeAxisTable(const AxisGeometry& axis) {
  return MakeAxisTable(axis, {0, axis.out, 0, axis.in});
}

/// The transpose: output and source change places. Clamped taps, which stood apart in the forward
/// table, are summed (in double); every index is inside, so nothing is clamped any more.
AxisTable Transpose(const AxisTable& table);

/// An axis table as kernels use it: weights rounded once to the accumulator's type.
template <typename Accumulator>
struct RoundedAxis {
  int64_t in = 0;
  int64_t out = 0;
  int32_t taps = 0;
  std::vector<int64_t> first;
  std::vector<int32_t> count;
  std::vector<Accumulator> weights;

  RoundedAxis() = default;
  explicit RoundedAxis(AxisTable&& table)
      : in(table.in),
        out(table.out),
        taps(table.taps),
        first(std::move(table.first)),
        count(std::move(table.count)),
        weights(table.weights.begin(), table.weights.end()) {}

  /// Whether every output has exactly four taps.
  bool HasFourTaps() const {
    return taps == 4 && std::all_of(count.begin(), count.end(), [](int32_t c) { return c == 4; });
  }
};

}  // namespace sr_ops
