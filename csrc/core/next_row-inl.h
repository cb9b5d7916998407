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

#include "core/columns-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sr_ops {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// What a next row is made of: passed instead of the row itself, whose vectors are to stay in
/// registers.
template <typename A, int kPlanes>
struct NextRowSource {
  const ColumnTable<A>* table = nullptr;
  PlaneRows<A, kPlanes> rows{};  // block `begin` goes to its start
  int64_t begin = 0;             // blocks
  int64_t end = 0;
};

/// No horizontal pass to interleave.
struct NoNextRow {
  template <class Source>
  HWY_INLINE explicit NoNextRow(const Source&) {}
  HWY_INLINE void Block() {}
  HWY_INLINE void Finish() {}
};

/// The horizontal pass of the next source row, one block at a time.
template <typename A, int kPlanes>
class NextRowLoadPerTap {
 public:
  HWY_INLINE explicit NextRowLoadPerTap(const NextRowSource<A, kPlanes>& row)
      : table_(row.table), rows_(row.rows), at_(row.begin), end_(row.end) {}

  HWY_INLINE void Block() {
    if (at_ == end_) return;
    const hn::ScalableTag<A> d;
    if (at_ >= table_->plain_begin && at_ < table_->plain_end) {
      LoadPerTapBlock<true>(d, *table_, at_, rows_);
    } else {
      LoadPerTapBlock<false>(d, *table_, at_, rows_);
    }
    ++at_;
    rows_.to += hn::Lanes(d);
  }
  HWY_INLINE void Finish() {
    while (at_ != end_) Block();
  }

 private:
  const ColumnTable<A>* table_;
  PlaneRows<A, kPlanes> rows_;  // the result's from block `at_` on
  int64_t at_;
  int64_t end_;
};

/// Likewise by kOneLoad. The blocks at the edges, whose taps are clamped, come before and after the
/// plain ones, which are interleaved. kRepeated: of the plain ones, those that share one table are
/// interleaved instead, and the table stays in registers.
template <typename A, bool kRepeated, int kPlanes>
class NextRowOneLoad {
 public:
  using D = hn::ScalableTag<A>;

  HWY_INLINE explicit NextRowOneLoad(const NextRowSource<A, kPlanes>& row)
      : rows_(row.rows),
        begin_(row.begin),
        at_(std::clamp(First(*row.table), row.begin, row.end)),
        last_(std::clamp(Last(*row.table), at_, row.end)),
        end_(row.end),
        table_(row.table),
        channels_(row.table->channels),
        block_(row.table->blocks.data()),
        taps_(Taps::template Load<true>(D(), block_[at_ < end_ ? at_ : begin_].data, channels_)) {
    if (begin_ != at_) AnyBlocks(*table_, begin_, at_, rows_);
  }

  HWY_INLINE void Block() {
    if (at_ == last_) return;
    const D d;
    const PlaneRows<A, kPlanes> rows = RowsOf(at_);
    if constexpr (kRepeated) {
      static_assert(kPlanes == 1);
      const auto v = hn::LoadU(d, rows.source + block_[at_].first);
      hn::StoreU(taps_.Combine(v, v, v, v), d, rows.to);
    } else {
      OneLoadBlock<true>(d, block_[at_], channels_, rows);
    }
    ++at_;
  }

  HWY_INLINE void Finish() {
    while (at_ != last_) Block();
    if (last_ != end_) AnyBlocks(*table_, last_, end_, RowsOf(last_));
  }

 private:
  using Taps = FourTaps<D>;

  static int64_t First(const ColumnTable<A>& table) {
    return kRepeated ? table.repeated_begin : table.plain_begin;
  }
  static int64_t Last(const ColumnTable<A>& table) {
    return kRepeated ? table.repeated_end : table.plain_end;
  }

  HWY_INLINE PlaneRows<A, kPlanes> RowsOf(int64_t block) const {
    return rows_.From((block - begin_) * static_cast<int64_t>(hn::Lanes(D())));
  }

  // Blocks [from, to), the first of them to the start of `rows`. One copy for all, and without
  // `this`, whose members are to stay in registers.
  static HWY_NOINLINE void AnyBlocks(const ColumnTable<A>& table, int64_t from, int64_t to,
                                     PlaneRows<A, kPlanes> rows) {
    for (int64_t b = from; b < to; ++b) {
      if (b >= table.plain_begin && b < table.plain_end) {
        OneLoadBlock<true>(D(), table.blocks[b], table.channels, rows);
      } else {
        OneLoadBlock<false>(D(), table.blocks[b], table.channels, rows);
      }
      rows.to += hn::Lanes(D());
    }
  }

  PlaneRows<A, kPlanes> rows_;
  int64_t begin_;
  int64_t at_;
  int64_t last_;
  int64_t end_;
  const ColumnTable<A>* table_;
  int64_t channels_;
  const ColumnBlock<A>* block_;
  Taps taps_;  // kRepeated
};

}  // namespace HWY_NAMESPACE
}  // namespace sr_ops
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
