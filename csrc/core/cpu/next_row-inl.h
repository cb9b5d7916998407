// The horizontal pass of one source row in pieces, for the vertical pass to do between its own
// vectors. Included once a target.
#if defined(SR_OPS_NEXT_ROW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SR_OPS_NEXT_ROW_INL_H_
#undef SR_OPS_NEXT_ROW_INL_H_
#else
#define SR_OPS_NEXT_ROW_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "core/cpu/columns-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sr_ops {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// What a next row is made of, or that there is none: passed instead of the row itself, whose
/// vectors are to stay in registers.
template <typename A, int kPlanes>
struct NextRowSource {
  const ColumnTable<A>* table = nullptr;
  PlaneRows<A, kPlanes> rows{};  // block `begin` goes to its start
  int64_t begin = 0;             // blocks; as many as `end` for no row
  int64_t end = 0;
};

/// How the blocks that are interleaved are computed.
enum class NextRowMethod { kLoadPerTap, kOneLoad, kRepeated };

/// The horizontal pass of the next source row, one block at a time. The blocks at the edges, whose
/// taps are clamped, come before and after the plain ones, which are interleaved. kRepeated: by
/// kOneLoad, and of the plain blocks those are interleaved that share one table, which stays in
/// registers.
template <typename A, NextRowMethod kMethod, int kPlanes>
class NextRow {
 public:
  HWY_INLINE explicit NextRow(const NextRowSource<A, kPlanes>& row)
      : rows_(row.rows), channels_(row.table->channels), table_(row.table), taps_(TapsOf(row)) {
    const int64_t first = First(row);
    const int64_t last = std::clamp(Last(*table_), first, row.end);
    const ColumnBlock<A>* const blocks = table_->blocks.data();
    at_ = blocks + first;
    last_ = blocks + last;
    end_ = blocks + row.end;
    if (row.begin != first) {
      AnyBlocks(*table_, blocks + row.begin, at_, rows_);
      rows_.to += (first - row.begin) * kLanes;
    }
  }

  /// How many may be interleaved yet.
  HWY_INLINE int64_t left() const { return last_ - at_; }

  /// Computes the next one; there must be one left.
  HWY_INLINE void Block() {
    const D d;
    if constexpr (kRepeated) {
      const auto v = hn::LoadU(d, rows_.source + at_->first);
      hn::StoreU(taps_.Combine(v, v, v, v), d, rows_.to);
    } else if constexpr (kMethod == NextRowMethod::kOneLoad) {
      OneLoadBlock<true>(d, *at_, channels_, rows_);
    } else if (table_->load_per_pair) {
      LoadPerPairBlock(d, *at_, channels_, rows_);
    } else {
      LoadPerTapBlock<true>(d, *table_, *at_, rows_);
    }
    ++at_;
    rows_.to += kLanes;
  }

  HWY_INLINE void Finish() {
    while (at_ != last_) Block();
    if (last_ != end_) AnyBlocks(*table_, last_, end_, rows_);
  }

 private:
  using D = hn::ScalableTag<A>;
  static constexpr bool kRepeated = kMethod == NextRowMethod::kRepeated;
  static_assert(!kRepeated || kPlanes == 1);
  static constexpr int64_t kLanes = HWY_LANES(A);
  struct None {};
  using Taps = std::conditional_t<kRepeated, FourTaps<D>, None>;

  static int64_t First(const NextRowSource<A, kPlanes>& row) {
    return std::clamp(kRepeated ? row.table->repeated_begin : row.table->plain_begin, row.begin,
                      row.end);
  }
  static int64_t Last(const ColumnTable<A>& table) {
    return kRepeated ? table.repeated_end : table.plain_end;
  }

  static HWY_INLINE Taps TapsOf(const NextRowSource<A, kPlanes>& row) {
    if constexpr (kRepeated) {
      const ColumnTable<A>& table = *row.table;
      const int64_t block = std::min(First(row), row.end - 1);
      return Taps::template Load<true>(D(), table.blocks[block].data, table.channels);
    } else {
      return {};
    }
  }

  // Blocks [from, to), the first of them to the start of `rows`. One copy for all, and without
  // `this`, whose members are to stay in registers.
  static HWY_NOINLINE void AnyBlocks(const ColumnTable<A>& table, const ColumnBlock<A>* from,
                                     const ColumnBlock<A>* to, PlaneRows<A, kPlanes> rows) {
    const D d;
    const ColumnBlock<A>* const plain_begin = table.blocks.data() + table.plain_begin;
    const ColumnBlock<A>* const plain_end = table.blocks.data() + table.plain_end;
    for (; from != to; ++from) {
      const bool plain = from >= plain_begin && from < plain_end;
      if constexpr (kMethod == NextRowMethod::kLoadPerTap) {
        LoadPerTapBlock<false>(d, table, *from, rows);
      } else if (plain) {
        OneLoadBlock<true>(d, *from, table.channels, rows);
      } else {
        OneLoadBlock<false>(d, *from, table.channels, rows);
      }
      rows.to += kLanes;
    }
  }

  PlaneRows<A, kPlanes> rows_;  // the result's from block `at_` on
  int64_t channels_;
  const ColumnTable<A>* table_;
  Taps taps_;
  const ColumnBlock<A>* at_;
  const ColumnBlock<A>* last_;  // of those to be interleaved
  const ColumnBlock<A>* end_;
};

}  // namespace HWY_NAMESPACE
}  // namespace sr_ops
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
