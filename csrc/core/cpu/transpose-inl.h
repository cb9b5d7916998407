// Rows of floats to columns and back, eight rows at a time. Included once a target.
#if defined(SR_OPS_TRANSPOSE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SR_OPS_TRANSPOSE_INL_H_
#undef SR_OPS_TRANSPOSE_INL_H_
#else
#define SR_OPS_TRANSPOSE_INL_H_
#endif

#include <cstdint>
#include <type_traits>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sr_ops {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR

constexpr int64_t kTransposedRows = 8;

/// Eight floats, or four where registers are no longer.
using QuadsTag = hn::CappedTag<float, 8>;

/// In each block of four lanes, a 4 x 4 transpose.
template <class V>
HWY_INLINE void TransposeQuads(V (&v)[4]) {
  const hn::DFromV<V> d;
  const hn::RepartitionToWide<hn::RebindToUnsigned<decltype(d)>> wide;
  const auto pairs = [&](V v_) HWY_ATTR { return hn::BitCast(wide, v_); };
  const auto ab = pairs(hn::InterleaveLower(d, v[0], v[1]));
  const auto AB = pairs(hn::InterleaveUpper(d, v[0], v[1]));
  const auto cd = pairs(hn::InterleaveLower(d, v[2], v[3]));
  const auto CD = pairs(hn::InterleaveUpper(d, v[2], v[3]));
  v[0] = hn::BitCast(d, hn::InterleaveLower(wide, ab, cd));
  v[1] = hn::BitCast(d, hn::InterleaveUpper(wide, ab, cd));
  v[2] = hn::BitCast(d, hn::InterleaveLower(wide, AB, CD));
  v[3] = hn::BitCast(d, hn::InterleaveUpper(wide, AB, CD));
}

/// As many quads of floats as a vector has room for, `pitch` apart.
template <class D>
HWY_INLINE hn::Vec<D> LoadQuads(D d, const float* from, int64_t pitch) {
  constexpr int64_t kQuads = static_cast<int64_t>(hn::MaxLanes(d)) / 4;
  if constexpr (kQuads == 1) {
    (void)pitch;
    return hn::LoadU(d, from);
  } else {
    const hn::Half<D> half;
    return hn::Combine(d, LoadQuads(half, from + kQuads / 2 * pitch, pitch),
                       LoadQuads(half, from, pitch));
  }
}

/// Four floats of each of as many lines as a vector has lanes, `pitch` apart, to four lines of a
/// vector, `to_pitch` apart.
template <class D>
HWY_INLINE void TransposeLines(D d, const float* from, int64_t pitch, float* to, int64_t to_pitch) {
  hn::Vec<D> v[4];
  for (int64_t i = 0; i < 4; ++i) v[i] = LoadQuads(d, from + i * pitch, 4 * pitch);
  TransposeQuads(v);
  for (int64_t i = 0; i < 4; ++i) hn::StoreU(v[i], d, to + i * to_pitch);
}

/// `columns`, a multiple of four, of as many rows as a vector has lanes.
template <class D>
HWY_INLINE void VectorsToColumns(D d, const float* from, int64_t pitch, int64_t columns, float* to,
                                 int64_t to_pitch) {
  for (int64_t c = 0; c < columns; c += 4) {
    TransposeLines(d, from + c, pitch, to + c * to_pitch, to_pitch);
  }
}

/// `rows` rows, a multiple of eight, of `columns`, a multiple of four, to columns of `rows`.
HWY_INLINE void RowsToColumns(const float* from, int64_t pitch, int64_t rows, int64_t columns,
                              float* to, int64_t to_pitch) {
  constexpr int64_t kLongest = HWY_LANES(float);
  if (kLongest > kTransposedRows && rows == kLongest) {
    const hn::ScalableTag<float> d;
    return VectorsToColumns(d, from, pitch, columns, to, to_pitch);
  }
  const QuadsTag d;
  for (int64_t r = 0; r < rows; r += static_cast<int64_t>(hn::MaxLanes(d))) {
    VectorsToColumns(d, from + r * pitch, pitch, columns, to + r, to_pitch);
  }
}

/// The reverse: columns of eight to eight rows of `columns`, a multiple of four.
HWY_INLINE void ColumnsToRows(const float* from, int64_t from_pitch, int64_t columns, float* to,
                              int64_t pitch) {
  static_assert(kTransposedRows == 8, "twice four rows");
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 4> quad;
  constexpr int64_t n = HWY_LANES(float);
  float* const below = to + 4 * pitch;
  int64_t c = 0;
  for (; c + n <= columns; c += n) {
    TransposeLines(d, from + c * from_pitch, from_pitch, to + c, pitch);
    TransposeLines(d, from + c * from_pitch + 4, from_pitch, below + c, pitch);
  }
  for (; c < columns; c += 4) {
    TransposeLines(quad, from + c * from_pitch, from_pitch, to + c, pitch);
    TransposeLines(quad, from + c * from_pitch + 4, from_pitch, below + c, pitch);
  }
}

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
/// Sixteen columns of eight to eight rows of bytes, rounded half to even and clamped. Narrowed
/// first, so that there is a quarter to transpose. As instructions: see Nearest.
template <typename Byte>
HWY_INLINE void ColumnsToBytes(const float* from, int64_t from_pitch, Byte* to, int64_t pitch) {
  const hn::Repartition<uint8_t, QuadsTag> bytes;
  const hn::Half<decltype(bytes)> half;
  alignas(32) static constexpr uint32_t kByRows[] = {0x0c080400, 0x0d090501, 0x0e0a0602,
                                                     0x0f0b0703, 0x0c080400, 0x0d090501,
                                                     0x0e0a0602, 0x0f0b0703};
  const __m256i by_rows = _mm256_load_si256(reinterpret_cast<const __m256i*>(kByRows));
  hn::Vec<QuadsTag> quads[4];
  for (int64_t q = 0; q < 4; ++q, from += 4 * from_pitch) {
    const auto column = [&](int64_t c) HWY_ATTR {
      return _mm256_cvtps_epi32(hn::LoadU(QuadsTag(), from + c * from_pitch).raw);
    };
    const __m256i a = _mm256_packs_epi32(column(0), column(1));
    const __m256i b = _mm256_packs_epi32(column(2), column(3));
    const __m256i levels =
        std::is_signed_v<Byte> ? _mm256_packs_epi16(a, b) : _mm256_packus_epi16(a, b);
    const hn::Vec<decltype(bytes)> rows{_mm256_shuffle_epi8(levels, by_rows)};
    quads[q] = hn::BitCast(QuadsTag(), rows);
  }
  TransposeQuads(quads);
  uint8_t* const first = reinterpret_cast<uint8_t*>(to);
  for (int64_t r = 0; r < 4; ++r) {
    const auto both = hn::BitCast(bytes, quads[r]);
    hn::StoreU(hn::LowerHalf(half, both), half, first + r * pitch);
    hn::StoreU(hn::UpperHalf(half, both), half, first + (r + 4) * pitch);
  }
}
#endif

#endif  // HWY_TARGET != HWY_SCALAR

}  // namespace HWY_NAMESPACE
}  // namespace sr_ops
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
