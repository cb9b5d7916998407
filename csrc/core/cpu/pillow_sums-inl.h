// Sums of a pass with Rounding::kPillow. Included once a target.
//
// Integer products are exact, so the bytes do not depend on how vectors are cut. Source values come
// in pairs: those of two neighbouring source indices, as the two words of a 32-bit lane.
#if defined(SR_OPS_PILLOW_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SR_OPS_PILLOW_SUMS_INL_H_
#undef SR_OPS_PILLOW_SUMS_INL_H_
#else
#define SR_OPS_PILLOW_SUMS_INL_H_
#endif

#include <algorithm>
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

// Before a loop over an array of vectors: GCC keeps it in registers if the loop is unrolled early.
#if HWY_COMPILER_GCC_ACTUAL
#define SR_OPS_UNROLLED _Pragma("GCC unroll 16")
#else
#define SR_OPS_UNROLLED
#endif

/// The same; GCC is to have it in a register here. AVX-512 has enough of them.
template <class V>
HWY_INLINE V InRegister(V v) {
#if HWY_COMPILER_GCC_ACTUAL && HWY_ARCH_X86 && HWY_TARGET >= HWY_AVX2
  __asm__("" : "+v"(v.raw));
#endif
  return v;
}

/// One output for each lane of D, 32 bits each.
template <class D>
class PillowSums {
 public:
  using V = hn::Vec<D>;

  HWY_INLINE PillowSums() : high_(hn::Zero(D())), low_(hn::Set(D(), 1 << (kPillowBits - 1))) {}

  /// Pairs and the two numbers of their weights, see kPillowSplitsWeights.
  HWY_INLINE void Add(V pairs, V first, V second) {
    if constexpr (kPillowSplitsWeights) {
      AddProducts(pairs, first, high_);
      AddProducts(pairs, second, low_);
    } else {
      low_ = hn::Add(low_, hn::Mul(hn::And(pairs, hn::Set(D(), 0xffff)), first));
      low_ = hn::Add(low_, hn::Mul(hn::ShiftRight<16>(pairs), second));
    }
  }

  /// Not clamped yet.
  HWY_INLINE V Rounded() const {
    if constexpr (!kPillowSplitsWeights) return hn::ShiftRight<kPillowBits>(low_);
    return hn::ShiftRight<kPillowBits>(hn::Add(hn::ShiftLeft<8>(high_), low_));
  }

 private:
  static HWY_INLINE void AddProducts(V pairs, V weights, V& sum) {
    const hn::Repartition<int16_t, D> words;
    V unused = hn::Zero(D());
    V added = hn::ReorderWidenMulAccumulate(D(), hn::BitCast(words, pairs),
                                            hn::BitCast(words, weights), sum, unused);
    // GCC would multiply everything first, and not have the registers for it.
    sum = InRegister(added);
  }

  V high_;
  V low_;
};

// ---- the vertical pass: rows are added ------------------------------------------------------

using PillowBytes = hn::CappedTag<uint8_t, 32>;
using PillowInts = hn::Repartition<int32_t, PillowBytes>;
using BytesVector = hn::Vec<PillowBytes>;

/// Outputs of a vector.
constexpr int64_t kPillowLanes = hn::MaxLanes(PillowBytes());

using WordsVector = hn::Vec<hn::Repartition<int16_t, PillowBytes>>;

/// The bytes of lower words before those of upper words, in each block of 16 bytes.
HWY_INLINE BytesVector JoinedBlocks(WordsVector lower, WordsVector upper) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  return BytesVector{_mm256_packus_epi16(lower.raw, upper.raw)};
#else
  const hn::Half<PillowBytes> half;
  return hn::Combine(PillowBytes(), hn::DemoteTo(half, upper), hn::DemoteTo(half, lower));
#endif
}

/// The bytes of lower words before those of upper words.
HWY_INLINE BytesVector JoinedBytes(WordsVector lower, WordsVector upper) {
  const BytesVector blocks = JoinedBlocks(lower, upper);
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  return BytesVector{_mm256_permute4x64_epi64(blocks.raw, 0xd8)};  // 0, 2, 1, 3
#else
  return blocks;
#endif
}

/// Two rows, byte beside byte: `lower` and `upper` of their vectors.
struct RowPair {
  BytesVector lower;
  BytesVector upper;
};

/// `count` rows that lie as pictures do. Another one stands for a row beyond, whose weight is 0.
struct PlainRows {
  static constexpr bool kInBlocks = true;  ///< vectors are interleaved in blocks of 16 bytes
  const uint8_t* rows;
  ptrdiff_t stride;
  int64_t count;

  HWY_INLINE RowPair Load(int64_t pair, int64_t i) const {
    const PillowBytes bytes;
    const uint8_t* const row = rows + 2 * pair * stride + i;
    const BytesVector a = hn::LoadU(bytes, row);
    const BytesVector b = hn::LoadU(bytes, 2 * pair + 1 < count ? row + stride : row);
    return {hn::InterleaveLower(bytes, a, b), hn::InterleaveUpper(bytes, a, b)};
  }
};

/// Rows that lie byte beside byte already, two of them every `stride` bytes.
struct PairedRows {
  static constexpr bool kInBlocks = false;
  const uint8_t* rows;
  ptrdiff_t stride;

  HWY_INLINE RowPair Load(int64_t pair, int64_t i) const {
    const uint8_t* const at = rows + pair * stride + 2 * i;
    return {hn::LoadU(PillowBytes(), at), hn::LoadU(PillowBytes(), at + kPillowLanes)};
  }
};

/// A vector of outputs at column i.
template <class Rows>
HWY_INLINE BytesVector PillowVector(const Rows& rows, int64_t i, const int32_t* HWY_RESTRICT pairs,
                                    int32_t count) {
  const PillowBytes bytes;
  const PillowInts ints;
  const hn::Repartition<int16_t, PillowBytes> words;
  const BytesVector zero = hn::Zero(bytes);
  PillowSums<PillowInts> sums[4];
  for (int32_t pair = 0; pair < count; ++pair, pairs += 2) {
    const RowPair two = rows.Load(pair, i);
    const auto first = hn::Set(ints, pairs[0]), second = hn::Set(ints, pairs[1]);
    const auto add = [&](int k, BytesVector values)
                         HWY_ATTR { sums[k].Add(hn::BitCast(ints, values), first, second); };
    add(0, hn::InterleaveLower(bytes, two.lower, zero));
    add(1, hn::InterleaveUpper(bytes, two.lower, zero));
    add(2, hn::InterleaveLower(bytes, two.upper, zero));
    add(3, hn::InterleaveUpper(bytes, two.upper, zero));
  }
  // Undoes the interleaving.
  const auto lower = hn::ReorderDemote2To(words, sums[0].Rounded(), sums[1].Rounded());
  const auto upper = hn::ReorderDemote2To(words, sums[2].Rounded(), sums[3].Rounded());
  return Rows::kInBlocks ? JoinedBlocks(lower, upper) : JoinedBytes(lower, upper);
}

/// Rows of n < kPillowLanes bytes.
struct NarrowRows {
  static constexpr bool kInBlocks = true;
  PlainRows rows;
  int64_t n;

  HWY_INLINE RowPair Load(int64_t pair, int64_t /*i*/) const {
    HWY_ALIGN uint8_t two[2 * kPillowLanes] = {};
    for (int64_t k = 0; k < 2 && 2 * pair + k < rows.count; ++k) {
      std::memcpy(two + k * kPillowLanes, rows.rows + (2 * pair + k) * rows.stride,
                  static_cast<size_t>(n));
    }
    return PlainRows{two, kPillowLanes, 2}.Load(0, 0);
  }
};

/// `to` = a row of n outputs; nothing is written beyond its end. Of rows whole vectors are read,
/// but never beyond the end of n >= kPillowLanes bytes.
template <class Rows>
HWY_INLINE void PillowRow(const Rows& rows, const int32_t* HWY_RESTRICT pairs, int32_t count,
                          int64_t n, uint8_t* HWY_RESTRICT to) {
  if (n < kPillowLanes) {
    HWY_ALIGN uint8_t out[kPillowLanes];
    hn::Store(PillowVector(rows, 0, pairs, count), PillowBytes(), out);
    std::memcpy(to, out, static_cast<size_t>(n));
    return;
  }
  for (int64_t i = 0; i < n; i += kPillowLanes) {
    i = std::min(i, n - kPillowLanes);  // the last vector overlaps the one before
    hn::StoreU(PillowVector(rows, i, pairs, count), PillowBytes(), to + i);
  }
}

// ---- the horizontal pass: strips of rows lie as columns -------------------------------------

/// Rows of a strip, and lanes of a column.
constexpr int64_t kPillowRows = 16;

using ColumnInts = hn::CappedTag<int32_t, kPillowRows>;

constexpr int64_t kColumnLanes = hn::MaxLanes(ColumnInts());
constexpr int64_t kColumnVectors = kPillowRows / kColumnLanes;  // of a column

/// The row of a column's lane. Two vectors are narrowed to one in blocks of 16 bytes.
constexpr int64_t RowOfLane(int64_t lane) {
  return kColumnVectors == 2 ? lane % 4 + lane / 4 % 2 * 8 + lane / 8 * 4 : lane;
}

/// A column's bytes, in the order of the rows.
template <class D>
HWY_INLINE hn::Vec<hn::CappedTag<uint8_t, kPillowRows>> BytesOfColumn(
    const PillowSums<D>* HWY_RESTRICT sums) {
  const hn::CappedTag<uint8_t, kPillowRows> bytes;
  const hn::Repartition<int16_t, D> words;
  constexpr int64_t kVectors = kPillowRows / hn::MaxLanes(D());
  if constexpr (kVectors == 1) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
    const auto positive = hn::Max(sums[0].Rounded(), hn::Zero(D()));
    return hn::Vec<decltype(bytes)>{_mm512_cvtusepi32_epi8(positive.raw)};
#else
    return hn::DemoteTo(bytes, sums[0].Rounded());
#endif
  } else if constexpr (kVectors == 2) {
    return hn::DemoteTo(bytes, hn::ReorderDemote2To(words, sums[0].Rounded(), sums[1].Rounded()));
  } else {
    return JoinedBytes(hn::ReorderDemote2To(words, sums[0].Rounded(), sums[1].Rounded()),
                       hn::ReorderDemote2To(words, sums[2].Rounded(), sums[3].Rounded()));
  }
}

/// kColumns columns of outputs, whose pairs lie beside each other, `stride` lanes from one pair to
/// the next.
template <int kColumns>
HWY_INLINE void PillowColumns(const int32_t* HWY_RESTRICT from, ptrdiff_t stride,
                              const int32_t* HWY_RESTRICT pairs, int32_t count,
                              uint8_t* HWY_RESTRICT to) {
  const ColumnInts ints;
  constexpr int kVectors = kColumns * kColumnVectors;
  PillowSums<ColumnInts> sums[kVectors];
  for (; count > 0; --count, from += stride, pairs += 2) {
    const auto first = hn::Set(ints, pairs[0]), second = hn::Set(ints, pairs[1]);
    SR_OPS_UNROLLED
    for (int i = 0; i < kVectors; ++i) {
      // Not loaded again for the second product.
      sums[i].Add(InRegister(hn::Load(ints, from + i * kColumnLanes)), first, second);
    }
  }
  SR_OPS_UNROLLED
  for (int c = 0; c < kColumns; ++c) {
    hn::Store(BytesOfColumn(sums + c * kColumnVectors), hn::CappedTag<uint8_t, kPillowRows>(),
              to + c * kPillowRows);
  }
}

#endif  // HWY_TARGET != HWY_SCALAR

}  // namespace HWY_NAMESPACE
}  // namespace sr_ops
HWY_AFTER_NAMESPACE();

#endif  // SR_OPS_PILLOW_SUMS_INL_H_
