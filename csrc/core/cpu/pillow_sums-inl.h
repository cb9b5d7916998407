// One vector of outputs of a pass with Rounding::kPillow, and its rows as columns. Included once a
// target.
//
// Integer products are exact, so the bytes do not depend on how vectors are cut. Only x86 has more
// than 16 bytes a vector here; its operations work in blocks of 16 bytes, and undo one another.
#if defined(SR_OPS_PILLOW_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SR_OPS_PILLOW_SUMS_INL_H_
#undef SR_OPS_PILLOW_SUMS_INL_H_
#else
#define SR_OPS_PILLOW_SUMS_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/cpu/pillow_tables.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sr_ops {
namespace HWY_NAMESPACE {

#if HWY_TARGET != HWY_SCALAR

namespace hn = hwy::HWY_NAMESPACE;

using PillowBytes = hn::CappedTag<uint8_t, 32>;
using PillowWords = hn::Repartition<int16_t, PillowBytes>;
using PillowInts = hn::Repartition<int32_t, PillowBytes>;
using PillowBlock = hn::CappedTag<uint8_t, 16>;
using BytesVector = hn::Vec<PillowBytes>;
using IntsVector = hn::Vec<PillowInts>;

/// Bytes of a vector, and rows of a strip.
constexpr int64_t kPillowLanes = hn::MaxLanes(PillowBytes());
/// What blocks of rows are transposed by.
constexpr int64_t kPillowBlock = 16;

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_SSE4  // not for Clang's EMU128, which has no registers

/// Packs in blocks of 16 bytes.
HWY_INLINE hn::Vec128<uint8_t> PackBytes(hn::Vec128<int16_t> a, hn::Vec128<int16_t> b) {
  return hn::Vec128<uint8_t>{_mm_packus_epi16(a.raw, b.raw)};
}
#if HWY_TARGET <= HWY_AVX2
HWY_INLINE hn::Vec256<uint8_t> PackBytes(hn::Vec256<int16_t> a, hn::Vec256<int16_t> b) {
  return hn::Vec256<uint8_t>{_mm256_packus_epi16(a.raw, b.raw)};
}
#endif

/// Sums of weights times values, one for each byte of a vector, in four vectors of 32 bits; the
/// high and the low parts of the weights apart.
class PillowSums {
 public:
  HWY_INLINE PillowSums() {
    for (int i = 0; i < 4; ++i) {
      high_[i] = hn::Zero(PillowInts());
      low_[i] = hn::Set(PillowInts(), 1 << (kPillowBits - 1));
    }
  }

  /// Two taps and the numbers of their pair.
  HWY_INLINE void Add(BytesVector a, BytesVector b, const int32_t* HWY_RESTRICT pair) {
    const PillowBytes bytes;
    const BytesVector zero = hn::Zero(bytes);
    const BytesVector lower = hn::InterleaveLower(bytes, a, b);
    const BytesVector upper = hn::InterleaveUpper(bytes, a, b);
    const auto high = hn::BitCast(PillowWords(), hn::Set(PillowInts(), pair[0]));
    const auto low = hn::BitCast(PillowWords(), hn::Set(PillowInts(), pair[1]));
    AddTo(0, hn::InterleaveLower(bytes, lower, zero), high, low);
    AddTo(1, hn::InterleaveUpper(bytes, lower, zero), high, low);
    AddTo(2, hn::InterleaveLower(bytes, upper, zero), high, low);
    AddTo(3, hn::InterleaveUpper(bytes, upper, zero), high, low);
  }

  HWY_INLINE BytesVector Bytes() const {
    const PillowWords words;
    return PackBytes(hn::ReorderDemote2To(words, Sum(0), Sum(1)),
                     hn::ReorderDemote2To(words, Sum(2), Sum(3)));
  }

 private:
  HWY_INLINE void AddTo(int i, BytesVector values, hn::Vec<PillowWords> high,
                        hn::Vec<PillowWords> low) {
    const auto words = hn::BitCast(PillowWords(), values);
    IntsVector unused = hn::Zero(PillowInts());
    high_[i] = hn::ReorderWidenMulAccumulate(PillowInts(), words, high, high_[i], unused);
    low_[i] = hn::ReorderWidenMulAccumulate(PillowInts(), words, low, low_[i], unused);
  }

  HWY_INLINE IntsVector Sum(int i) const {
    return hn::ShiftRight<kPillowBits>(hn::Add(hn::ShiftLeft<8>(high_[i]), low_[i]));
  }

  IntsVector high_[4];
  IntsVector low_[4];
};

#else

/// Sums of weights times values, one for each byte of a vector, in four vectors of 32 bits.
class PillowSums {
 public:
  HWY_INLINE PillowSums() {
    for (IntsVector& sum : sums_) sum = hn::Set(PillowInts(), 1 << (kPillowBits - 1));
  }

  /// Two taps and the numbers of their pair.
  HWY_INLINE void Add(BytesVector a, BytesVector b, const int32_t* HWY_RESTRICT pair) {
    AddOne(a, pair[0]);
    AddOne(b, pair[1]);
  }

  HWY_INLINE BytesVector Bytes() const {
    const PillowWords words;
    const hn::Half<PillowBytes> half;
    const auto lower = hn::ReorderDemote2To(words, Shifted(0), Shifted(1));
    const auto upper = hn::ReorderDemote2To(words, Shifted(2), Shifted(3));
    return hn::Combine(PillowBytes(), hn::DemoteTo(half, upper), hn::DemoteTo(half, lower));
  }

 private:
  HWY_INLINE void AddOne(BytesVector values, int32_t weight) {
    const PillowBytes bytes;
    const PillowWords words;
    const PillowInts ints;
    const IntsVector w = hn::Set(ints, weight);
    const auto zero = hn::Zero(words);
    const auto lower = hn::BitCast(words, hn::InterleaveLower(bytes, values, hn::Zero(bytes)));
    const auto upper = hn::BitCast(words, hn::InterleaveUpper(bytes, values, hn::Zero(bytes)));
    const IntsVector parts[4] = {hn::BitCast(ints, hn::InterleaveLower(words, lower, zero)),
                                 hn::BitCast(ints, hn::InterleaveUpper(words, lower, zero)),
                                 hn::BitCast(ints, hn::InterleaveLower(words, upper, zero)),
                                 hn::BitCast(ints, hn::InterleaveUpper(words, upper, zero))};
    for (int i = 0; i < 4; ++i) sums_[i] = hn::Add(sums_[i], hn::Mul(parts[i], w));
  }

  HWY_INLINE IntsVector Shifted(int i) const { return hn::ShiftRight<kPillowBits>(sums_[i]); }

  IntsVector sums_[4];
};

#endif  // HWY_ARCH_X86 && HWY_TARGET <= HWY_SSE4

/// One vector of outputs: `count` taps, `stride` bytes apart.
HWY_INLINE BytesVector PillowVector(const uint8_t* HWY_RESTRICT taps, ptrdiff_t stride,
                                    const int32_t* HWY_RESTRICT pairs, int32_t count) {
  const PillowBytes bytes;
  PillowSums sums;
  for (; count >= 2; count -= 2, taps += 2 * stride, pairs += 2) {
    sums.Add(hn::LoadU(bytes, taps), hn::LoadU(bytes, taps + stride), pairs);
  }
  if (count > 0) sums.Add(hn::LoadU(bytes, taps), hn::Zero(bytes), pairs);
  return sums.Bytes();
}

/// 16 vectors transposed, in blocks of 16 bytes each.
HWY_INLINE void TransposeBlocks(BytesVector (&v)[kPillowBlock]) {
  const PillowBytes bytes;
  for (int round = 0; round < 4; ++round) {
    BytesVector t[kPillowBlock];
    for (int i = 0; i < 8; ++i) {
      t[2 * i] = hn::InterleaveLower(bytes, v[i], v[i + 8]);
      t[2 * i + 1] = hn::InterleaveUpper(bytes, v[i], v[i + 8]);
    }
    for (int i = 0; i < kPillowBlock; ++i) v[i] = t[i];
  }
}

/// Row i of a strip in the lower half and row i + 16 in the upper; where vectors are 16 bytes, row
/// i.
HWY_INLINE BytesVector LoadTwoRows(const uint8_t* const* rows, int64_t i, int64_t at) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  const PillowBlock block;
  return hn::Combine(PillowBytes(), hn::LoadU(block, rows[i + kPillowBlock] + at),
                     hn::LoadU(block, rows[i] + at));
#else
  return hn::LoadU(PillowBlock(), rows[i] + at);
#endif
}

HWY_INLINE void StoreTwoRows(BytesVector v, uint8_t* const* rows, int64_t i, int64_t at) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  const PillowBlock block;
  hn::StoreU(hn::LowerHalf(v), block, rows[i] + at);
  hn::StoreU(hn::UpperHalf(block, v), block, rows[i + kPillowBlock] + at);
#else
  hn::StoreU(v, PillowBlock(), rows[i] + at);
#endif
}

/// A strip of kPillowLanes rows of n bytes, to n columns of as many bytes each; `columns` has room
/// for whole blocks of them. Rows are not read beyond their ends.
HWY_INLINE void RowsToColumns(const uint8_t* const* rows, int64_t n,
                              uint8_t* HWY_RESTRICT columns) {
  BytesVector v[kPillowBlock];
  int64_t at = 0;
  const auto store = [&] {
    TransposeBlocks(v);
    for (int64_t i = 0; i < kPillowBlock; ++i) {
      hn::Store(v[i], PillowBytes(), columns + (at + i) * kPillowLanes);
    }
  };
  for (; at + kPillowBlock <= n; at += kPillowBlock) {
    for (int64_t i = 0; i < kPillowBlock; ++i) v[i] = LoadTwoRows(rows, i, at);
    store();
  }
  if (at == n) return;
  HWY_ALIGN uint8_t rest[kPillowLanes][kPillowBlock] = {};
  const uint8_t* rests[kPillowLanes];
  for (int64_t i = 0; i < kPillowLanes; ++i) {
    std::memcpy(rest[i], rows[i] + at, static_cast<size_t>(n - at));
    rests[i] = rest[i];
  }
  for (int64_t i = 0; i < kPillowBlock; ++i) v[i] = LoadTwoRows(rests, i, 0);
  store();
}

/// The way back, of the first `count` rows.
HWY_INLINE void ColumnsToRows(const uint8_t* HWY_RESTRICT columns, int64_t n, uint8_t* const* rows,
                              int64_t count) {
  BytesVector v[kPillowBlock];
  HWY_ALIGN uint8_t rest[kPillowLanes][kPillowBlock];
  uint8_t* rests[kPillowLanes];
  for (int64_t i = 0; i < kPillowLanes; ++i) rests[i] = rest[i];
  for (int64_t at = 0; at < n; at += kPillowBlock) {
    for (int64_t i = 0; i < kPillowBlock; ++i) {
      v[i] = hn::Load(PillowBytes(), columns + (at + i) * kPillowLanes);
    }
    TransposeBlocks(v);
    if (count == kPillowLanes && at + kPillowBlock <= n) {
      for (int64_t i = 0; i < kPillowBlock; ++i) StoreTwoRows(v[i], rows, i, at);
      continue;
    }
    for (int64_t i = 0; i < kPillowBlock; ++i) StoreTwoRows(v[i], rests, i, 0);
    const size_t bytes = static_cast<size_t>(n - at < kPillowBlock ? n - at : kPillowBlock);
    for (int64_t i = 0; i < count; ++i) std::memcpy(rows[i] + at, rest[i], bytes);
  }
}

#endif  // HWY_TARGET != HWY_SCALAR

}  // namespace HWY_NAMESPACE
}  // namespace sr_ops
HWY_AFTER_NAMESPACE();

#endif  // SR_OPS_PILLOW_SUMS_INL_H_
