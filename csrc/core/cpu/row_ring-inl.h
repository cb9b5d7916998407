// The last source rows that have been through the horizontal pass. Included once a target.
#if defined(SR_OPS_ROW_RING_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SR_OPS_ROW_RING_INL_H_
#undef SR_OPS_ROW_RING_INL_H_
#else
#define SR_OPS_ROW_RING_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sr_ops {
namespace HWY_NAMESPACE {

/// Rows of accumulators, each in the place of the one that came as many rows before as there are
/// places. Rows come in order; some may be left out, and then none before them is asked for again.
template <typename A>
class RowRing {
 public:
  RowRing() = default;
  /// `rows` places from `memory` on, `pitch` accumulators apart. `row`: the first to come.
  RowRing(A* memory, int64_t rows, int64_t pitch, int64_t row)
      : memory_(memory), size_(rows * pitch), pitch_(pitch), next_(row) {}

  /// The first row that has not come.
  HWY_INLINE int64_t next() const { return next_; }

  /// Leaves out the rows before `row`.
  HWY_INLINE void SkipTo(int64_t row) { next_ = std::max(next_, row); }

  /// A row that has come and is still there.
  HWY_INLINE const A* Row(int64_t row) const {
    const int64_t place = next_place_ - (next_ - row) * pitch_;
    return memory_ + (place < 0 ? place + size_ : place);
  }

  /// Four rows from `first` on; those outside of [0, in) are clamped.
  HWY_INLINE void Four(int64_t first, int64_t in, const A* (&to)[4]) const {
    if (first < 0 || first + 4 > in) {
      for (int k = 0; k < 4; ++k) to[k] = Row(std::clamp<int64_t>(first + k, 0, in - 1));
      return;
    }
    const A* row = Row(first);
    for (int k = 0; k < 4; ++k) {
      to[k] = row;
      row += pitch_;
      if (row == memory_ + size_) row = memory_;
    }
  }

  /// Where the next `rows` rows go, which have come now. There must be as many places before the
  /// ring's end: it has room for a multiple of what is taken at once.
  HWY_INLINE A* Take(int64_t rows = 1) {
    A* const place = memory_ + next_place_;
    next_place_ += rows * pitch_;
    if (next_place_ == size_) next_place_ = 0;
    next_ += rows;
    return place;
  }

 private:
  A* memory_ = nullptr;
  int64_t size_ = 0;   // of all places, in accumulators
  int64_t pitch_ = 0;  // likewise, from one to the next
  int64_t next_ = 0;
  int64_t next_place_ = 0;  // where it goes, in accumulators
};

}  // namespace HWY_NAMESPACE
}  // namespace sr_ops
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
