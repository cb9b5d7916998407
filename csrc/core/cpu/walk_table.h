// An axis that shrinks, in the order of its sources: at most four outputs are under way at any of
// them, because windows are at most four output spacings wide. So each source is read once for all
// the outputs that need it, and their sums stay in registers.
//
// Output o's sum lives in slot o % 4, from its first tap to its last. A step is one source index
// with its weight in each slot. Each output's taps come in the order of its axis table, so the sums
// are those of any other kernel, bit for bit. (They start from -0, to which the first product is
// added unchanged.)
#pragma once

#include <cstdint>
#include <vector>

#include "core/axis.h"
#include "core/cpu/aligned_vector.h"

namespace sr_ops {

constexpr int kWalkSlots = 4;
/// So many outputs beyond the last one have entries of their own, without steps.
constexpr int64_t kWalkPadding = 64;

template <typename Accumulator>
struct WalkTable {
  AlignedVector<Accumulator> weights;  ///< 4 a step
  std::vector<int64_t> source;         ///< of each step; inside the image
  /// From each step on, so many are alike: one source further each, the same slots active, and none
  /// but the last one ends an output.
  std::vector<int32_t> alike;
  /// Of each step, the slots that it adds to, as bits. Where elements are finite, all of them: a
  /// weight of 0 adds nothing.
  std::vector<uint8_t> active;
  /// From each step on, so many are one source further each, and all slots are active.
  std::vector<int32_t> straight;
  std::vector<int64_t> first;  ///< of each output, the step of its first tap
  std::vector<int64_t> end;    ///< of each output, one beyond the step of its last tap

  bool empty() const { return source.empty(); }
};

constexpr uint8_t kAllSlots = 0xf;

/// An empty table where the axis cannot be walked: more than four outputs need the same source.
/// `finite`: no element is an infinity or a NaN. May throw std::bad_alloc.
template <typename Accumulator>
WalkTable<Accumulator> MakeWalkTable(const RoundedAxis<Accumulator>& axis, bool finite);

}  // namespace sr_ops
