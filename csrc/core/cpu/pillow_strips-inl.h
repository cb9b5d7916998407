// The horizontal pass of Rounding::kPillow over a strip of rows: to columns, whose lanes are the
// rows, and back. Included once a target.
#if defined(SR_OPS_PILLOW_STRIPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SR_OPS_PILLOW_STRIPS_INL_H_
#undef SR_OPS_PILLOW_STRIPS_INL_H_
#else
#define SR_OPS_PILLOW_STRIPS_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "core/cpu/pillow_sums-inl.h"
#include "core/cpu/transpose-inl.h"
#include "hwy/cache_control.h"

HWY_BEFORE_NAMESPACE();
namespace sr_ops {
namespace HWY_NAMESPACE {

#if HWY_TARGET != HWY_SCALAR

/// A strip's kPillowRows rows.
struct StripRows {
  const uint8_t* rows;
  ptrdiff_t stride;

  HWY_INLINE const uint8_t* operator[](int64_t r) const { return rows + r * stride; }
};

/// A pair of pixels, from byte `at` on of rows of n bytes; where there is no pixel, 0.
HWY_NOINLINE void PackPair(StripRows rows, int64_t at, int64_t n, int64_t channels,
                           int32_t* HWY_RESTRICT to) {
  for (int64_t c = 0; c < channels; ++c) {
    const int64_t first = at + c, second = first + channels;
    for (int64_t lane = 0; lane < kPillowRows; ++lane) {
      const int64_t r = RowOfLane(lane);
      *to++ = (first >= 0 ? rows[r][first] : 0) | (second < n ? rows[r][second] << 16 : 0);
    }
  }
}

/// Asks for a piece of a strip's rows, some lines at a time: the processor does not see 16 rows
/// coming, and waits if it is asked for all of them at once.
class StripPrefetch {
 public:
  /// n bytes from byte `at` on of each row, in about `steps` steps.
  HWY_INLINE StripPrefetch(StripRows rows, int64_t at, int64_t n, int64_t steps)
      : rows_(rows),
        at_(at),
        left_((n + kLine - 1) / kLine * kPillowRows),
        lines_(left_ / std::max<int64_t>(steps, 1) + 1) {}

  HWY_INLINE void Step() {
    const int64_t end = std::max<int64_t>(left_ - lines_, 0);
    for (; left_ > end; --left_) {
      hwy::Prefetch(rows_[row_] + at_);
      row_ = (row_ + 1) % kPillowRows;
      if (row_ == 0) at_ += kLine;
    }
  }

 private:
  static constexpr int64_t kLine = 64;
  StripRows rows_;
  int64_t at_;
  int64_t left_;   // lines
  int64_t lines_;  // at a step
  int64_t row_ = 0;
};

/// What a vector of pixels holds, by the number of channels.
template <int kChannels>
struct PixelBlock {
  static constexpr int kPixels = 16 / kChannels / 4 * 4;
  static constexpr int kBytes = kPixels * kChannels;

  /// Four pixels of a channel a lane: the first two are the even bytes, the others the odd ones.
  struct Order {
    alignas(16) uint8_t bytes[16] = {};
    constexpr Order() {
      for (int i = 0; i < 16; ++i) {
        const int lane = i / 4, pixel = lane / kChannels * 4 + i % 4 / 2 + i % 2 * 2;
        bytes[i] = static_cast<uint8_t>((pixel * kChannels + lane % kChannels) % 16);
      }
    }
  };
};

/// Rows whose pixels become the lanes of a vector.
using PackBytes = hn::CappedTag<uint8_t, 32>;
constexpr int64_t kPackRows = hn::MaxLanes(PackBytes()) / 4;

/// A block of pixels of each of kPackRows rows, of which `first` is the first: pairs of theirs.
template <int kChannels>
HWY_INLINE void PackBlock(const uint8_t* first, ptrdiff_t stride, int32_t* HWY_RESTRICT to) {
  using Block = PixelBlock<kChannels>;
  static constexpr typename Block::Order kOrder;
  const PackBytes bytes;
  const hn::RepartitionToWide<PackBytes> words;
  const hn::Repartition<uint32_t, PackBytes> ints;
  const auto order = hn::LoadDup128(bytes, kOrder.bytes);
  hn::Vec<decltype(ints)> v[4];
  SR_OPS_UNROLLED
  for (int64_t i = 0; i < 4; ++i) {
    const uint8_t* const row = first + i * stride;
    hn::Vec<PackBytes> loaded;
    if constexpr (kPackRows == 8) {
      const hn::Half<PackBytes> half;
      loaded =
          hn::Combine(bytes, hn::LoadU(half, row + RowOfLane(4) * stride), hn::LoadU(half, row));
    } else {
      loaded = hn::LoadU(bytes, row);
    }
    v[i] = hn::BitCast(ints, hn::TableLookupBytes(loaded, order));
  }
  TransposeQuads(v);
  for (int lane = 0; lane < Block::kPixels / 4 * kChannels; ++lane) {
    const int pair = lane / kChannels * 2;
    int32_t* const column = to + (pair * kChannels + lane % kChannels) * kPillowRows;
    const auto two = hn::BitCast(words, v[lane]);
    const hn::RebindToSigned<decltype(ints)> d;
    hn::Store(hn::BitCast(d, hn::And(two, hn::Set(words, 0xff))), d, column);
    hn::Store(hn::BitCast(d, hn::ShiftRight<8>(two)), d, column + kChannels * kPillowRows);
  }
}

/// Packs pairs from byte `at` on of rows of n bytes, in whole blocks, `room` pairs at the most.
/// Returns how many.
template <int kChannels>
HWY_INLINE int64_t PackBlocks(StripRows rows, int64_t at, int64_t n, int64_t room,
                              int32_t* HWY_RESTRICT to) {
  using Block = PixelBlock<kChannels>;
  constexpr int64_t kPairs = Block::kPixels / 2;
  if (n - at < 16) return 0;
  const int64_t blocks = std::min(room / kPairs, (n - at - 16) / Block::kBytes + 1);
  for (int64_t lane = 0; lane < kPillowRows; lane += kPackRows) {
    const uint8_t* first = rows[RowOfLane(lane)] + at;
    int32_t* column = to + lane;
    for (int64_t block = 0; block < blocks; ++block) {
      PackBlock<kChannels>(first, rows.stride, column);
      first += Block::kBytes;
      column += kPairs * kChannels * kPillowRows;
    }
  }
  return blocks * kPairs;
}

/// The most pairs of a block.
constexpr int64_t kPillowBlockPairs = 8;

/// Pairs from byte `at` on, which may be that of a pixel before the rows, until the rows' n bytes
/// are at their end or less than a block has room. Returns how many.
HWY_NOINLINE int64_t RowsToPairs(StripRows rows, int64_t at, int64_t n, int64_t channels,
                                 int64_t room, int32_t* HWY_RESTRICT to) {
  const int64_t lanes = channels * kPillowRows;
  int64_t packed = 0;
  const auto pack_pair = [&] {
    PackPair(rows, at, n, channels, to + packed * lanes);
    ++packed;
    at += 2 * channels;
  };
  if (at < 0) pack_pair();
  int64_t blocks = 0;
  switch (channels) {
    case 1: blocks = PackBlocks<1>(rows, at, n, room - packed, to + packed * lanes); break;
    case 2: blocks = PackBlocks<2>(rows, at, n, room - packed, to + packed * lanes); break;
    case 3: blocks = PackBlocks<3>(rows, at, n, room - packed, to + packed * lanes); break;
    case 4: blocks = PackBlocks<4>(rows, at, n, room - packed, to + packed * lanes); break;
    default: break;
  }
  packed += blocks;
  at += blocks * 2 * channels;
  // Unless it is room that ran out: a block would lie beyond the rows' ends, or has no channels.
  if (channels <= 4 && at + 16 <= n) return packed;
  while (packed < room && at < n) pack_pair();
  return packed;
}

// ---- the pass -------------------------------------------------------------------------------

/// Packed pairs of pixels, and what is asked for while they are used.
struct PackedPairs {
  const int32_t* pairs;
  int64_t channels;
  int64_t first, end;  ///< their source indices
  StripPrefetch ahead;
};

/// Outputs [x, end) of a pass, to columns. kChannels: 0 for any number.
template <int kChannels>
HWY_NOINLINE void PillowPixels(const PillowPass& pass, int64_t x, int64_t end, PackedPairs& packed,
                               uint8_t* HWY_RESTRICT to) {
  const int64_t channels = kChannels > 0 ? kChannels : packed.channels;
  const ptrdiff_t stride = channels * kPillowRows;
  // As many sums at once as registers hold.
  constexpr int kMost = kColumnVectors <= 2 ? 3 : 1;
  StripPrefetch ahead = packed.ahead;
  for (; x < end; ++x) {
    const int32_t* from = packed.pairs + (pass.Begin(x) - packed.first) / 2 * stride;
    const int32_t* const pairs = pass.PairsOf(x);
    const int32_t count = pass.PairCount(x);
    ahead.Step();
    int64_t c = 0;
    for (; c + kMost <= channels; c += kMost, to += kMost * kPillowRows) {
      PillowColumns<kMost>(from + c * kPillowRows, stride, pairs, count, to);
    }
    for (; c < channels; ++c, to += kPillowRows) {
      PillowColumns<1>(from + c * kPillowRows, stride, pairs, count, to);
    }
  }
  packed.ahead = ahead;
}

// ---- and back -------------------------------------------------------------------------------

/// Column i, and where vectors are long enough the one `apart` columns on in the upper half.
template <class D>
HWY_INLINE hn::Vec<D> LoadTwoColumns(D d, const uint8_t* HWY_RESTRICT columns, int64_t i,
                                     int64_t apart) {
  if constexpr (hn::MaxLanes(hn::Repartition<uint8_t, D>()) == 32) {
    const hn::Half<D> half;
    const hn::Repartition<uint8_t, decltype(half)> bytes;
    return hn::Combine(d, hn::BitCast(half, hn::Load(bytes, columns + (i + apart) * kPillowRows)),
                       hn::BitCast(half, hn::Load(bytes, columns + i * kPillowRows)));
  } else {
    return hn::BitCast(d, hn::Load(hn::Repartition<uint8_t, D>(), columns + i * kPillowRows));
  }
}

/// kCount vectors of as many lanes a block of 16 bytes, transposed.
template <int kCount, class D>
HWY_INLINE void TransposeBlocks(D d, hn::Vec<D> (&v)[kCount]) {
  for (int round = 1; round < kCount; round *= 2) {
    hn::Vec<D> t[kCount];
    for (int i = 0; i < kCount / 2; ++i) {
      t[2 * i] = hn::InterleaveLower(d, v[i], v[i + kCount / 2]);
      t[2 * i + 1] = hn::InterleaveUpper(d, v[i], v[i + kCount / 2]);
    }
    for (int i = 0; i < kCount; ++i) v[i] = t[i];
  }
}

/// n columns as pairs of rows, byte beside byte, `stride` bytes from one pair to the next. Writes
/// whole vectors.
HWY_NOINLINE void ColumnsToRowPairs(const uint8_t* HWY_RESTRICT columns, int64_t n,
                                    uint8_t* HWY_RESTRICT to, ptrdiff_t stride) {
  const hn::RepartitionToWide<PillowBytes> twos;  // rows
  constexpr int64_t kColumns = kPillowLanes / 2;  // of a vector
  for (int64_t at = 0; at < n; at += kColumns) {
    hn::Vec<decltype(twos)> v[8];
    for (int64_t i = 0; i < 8; ++i) v[i] = LoadTwoColumns(twos, columns, at + i, 8);
    TransposeBlocks<8>(twos, v);
    for (int64_t i = 0; i < 8; ++i) {
      hn::StoreU(hn::BitCast(PillowBytes(), v[i]), PillowBytes(), to + i * stride + 2 * at);
    }
  }
}

/// n columns as the first `count` rows, from byte `begin` of them on.
HWY_NOINLINE void ColumnsToRows(const uint8_t* HWY_RESTRICT columns, int64_t n,
                                uint8_t* const* rows, int64_t begin, int64_t count) {
  const PillowBytes bytes;
  for (int64_t at = 0; at < n; at += kPillowLanes) {
    BytesVector v[kPillowRows];
    for (int64_t i = 0; i < kPillowRows; ++i) v[i] = LoadTwoColumns(bytes, columns, at + i, 16);
    TransposeBlocks<kPillowRows>(bytes, v);
    if (at + kPillowLanes <= n && count == kPillowRows) {
      for (int64_t i = 0; i < kPillowRows; ++i) hn::StoreU(v[i], bytes, rows[i] + begin + at);
      continue;
    }
    HWY_ALIGN uint8_t rest[kPillowRows][kPillowLanes];
    for (int64_t i = 0; i < kPillowRows; ++i) hn::Store(v[i], bytes, rest[i]);
    const size_t left = static_cast<size_t>(std::min(n - at, kPillowLanes));
    for (int64_t i = 0; i < count; ++i) std::memcpy(rows[i] + begin + at, rest[i], left);
  }
}

#endif  // HWY_TARGET != HWY_SCALAR

}  // namespace HWY_NAMESPACE
}  // namespace sr_ops
HWY_AFTER_NAMESPACE();

#endif  // SR_OPS_PILLOW_STRIPS_INL_H_
