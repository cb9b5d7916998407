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

/// The planes that a row has besides the first (see Tables::planes).
struct MorePlanes {
  int64_t count = 0;
  int64_t source_pitch = 0;  // accumulators from one to the next
  int64_t to_pitch = 0;
};

/// What a next row is made of: passed instead of the row itself, whose vectors are to stay in
/// registers.
template <typename A>
struct NextRowSource {
  const ColumnTable<A>* table = nullptr;
  const A* source = nullptr;
  A* to = nullptr;  // where block `begin` goes
  int64_t begin = 0;
  int64_t end = 0;  // blocks
  MorePlanes more;
};

/// No horizontal pass to interleave.
template <typename A>
struct NoNextRow {
  HWY_INLINE explicit NoNextRow(const NextRowSource<A>&) {}
  HWY_INLINE void Block() {}
  HWY_INLINE void Finish() {}
};

/// The horizontal pass of the next source row, one block at a time.
template <typename A, bool kPlanes>
class NextRowLoadPerTap {
 public:
  HWY_INLINE explicit NextRowLoadPerTap(const NextRowSource<A>& row)
      : table_(row.table),
        source_(row.source),
        to_(row.to),
        begin_(row.begin),
        at_(row.begin),
        end_(row.end),
        more_(row.more) {}

  HWY_INLINE void Block() {
    if (at_ == end_ && !NextPlane()) return;
    const hn::ScalableTag<A> d;
    A* const to = to_ + (at_ - begin_) * hn::Lanes(d);
    if (at_ >= table_->plain_begin && at_ < table_->plain_end) {
      LoadPerTapBlock<true>(d, *table_, at_, source_, to);
    } else {
      LoadPerTapBlock<false>(d, *table_, at_, source_, to);
    }
    ++at_;
  }
  HWY_INLINE void Finish() {
    do {
      while (at_ != end_) Block();
    } while (NextPlane());
  }

 private:
  HWY_INLINE bool NextPlane() {
    if (!kPlanes || more_.count == 0) return false;
    --more_.count;
    source_ += more_.source_pitch;
    to_ += more_.to_pitch;
    at_ = begin_;
    return true;
  }

  const ColumnTable<A>* table_;
  const A* source_;
  A* to_;
  int64_t begin_;
  int64_t at_;
  int64_t end_;
  MorePlanes more_;
};

/// Likewise by kOneLoad. The blocks at the edges, whose taps are clamped, come before and after the
/// plain ones, which are interleaved. kRepeated: of the plain ones, those that share one table are
/// interleaved instead, and the table stays in registers.
template <typename A, bool kRepeated, bool kPlanes>
class NextRowOneLoad {
 public:
  using D = hn::ScalableTag<A>;

  HWY_INLINE explicit NextRowOneLoad(const NextRowSource<A>& row)
      : source_(row.source),
        to_(row.to),
        begin_(row.begin),
        first_(std::clamp(First(*row.table), row.begin, row.end)),
        at_(first_),
        last_(std::clamp(Last(*row.table), first_, row.end)),
        end_(row.end),
        plain_begin_(row.table->plain_begin),
        plain_end_(row.table->plain_end),
        channels_(row.table->channels),
        block_(row.table->blocks.data()),
        more_(row.more),
        taps_(Taps::template Load<true>(D(), block_[at_ < end_ ? at_ : begin_].data, channels_)) {
    AnyBlocks(begin_, first_);
  }

  HWY_INLINE void Block() {
    if (at_ == last_ && (!NextPlane() || at_ == last_)) return;
    const D d;
    A* const to = to_ + (at_ - begin_) * hn::Lanes(d);
    if constexpr (kRepeated) {
      const auto v = hn::LoadU(d, source_ + block_[at_].first);
      hn::StoreU(taps_.Combine(v, v, v, v), d, to);
    } else {
      OneLoadBlock<true>(d, block_[at_], channels_, source_, to);
    }
    ++at_;
  }

  HWY_INLINE void Finish() {
    do {
      while (at_ != last_) Block();
    } while (NextPlane());
    AnyBlocks(last_, end_);
  }

 private:
  using Taps = FourTaps<D>;

  static int64_t First(const ColumnTable<A>& table) {
    return kRepeated ? table.repeated_begin : table.plain_begin;
  }
  static int64_t Last(const ColumnTable<A>& table) {
    return kRepeated ? table.repeated_end : table.plain_end;
  }

  // Whether there was one: then its blocks [first_, last_), if any, are still to be done.
  HWY_INLINE bool NextPlane() {
    if (!kPlanes || more_.count == 0) return false;
    AnyBlocks(last_, end_);
    --more_.count;
    source_ += more_.source_pitch;
    to_ += more_.to_pitch;
    AnyBlocks(begin_, first_);
    at_ = first_;
    return true;
  }

  HWY_INLINE void AnyBlocks(int64_t from, int64_t to) {
    const D d;
    for (int64_t b = from; b < to; ++b) {
      A* const at = to_ + (b - begin_) * hn::Lanes(d);
      if (b >= plain_begin_ && b < plain_end_) {
        OneLoadBlock<true>(d, block_[b], channels_, source_, at);
      } else {
        OneLoadBlock<false>(d, block_[b], channels_, source_, at);
      }
    }
  }

  const A* source_;
  A* to_;
  int64_t begin_;
  int64_t first_;
  int64_t at_;
  int64_t last_;
  int64_t end_;
  int64_t plain_begin_;
  int64_t plain_end_;
  int64_t channels_;
  const ColumnBlock<A>* block_;
  MorePlanes more_;
  Taps taps_;  // kRepeated
};

}  // namespace HWY_NAMESPACE
}  // namespace sr_ops
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
