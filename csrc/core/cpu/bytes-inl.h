// Bytes as operands of a walk down a strip. Included once a target.
#if defined(SR_OPS_BYTES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SR_OPS_BYTES_INL_H_
#undef SR_OPS_BYTES_INL_H_
#else
#define SR_OPS_BYTES_INL_H_
#endif

#include <cstdint>

#include "core/cpu/transpose-inl.h"
#include "core/cpu/vector_io-inl.h"
#include "core/cpu/walk-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sr_ops {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_AVX2

/// Bytes where a load finds them, each alone in its lane: masked, not moved. Moving takes units
/// that the multiply-adds need; with longer registers there are enough. So an operand, and with it
/// each sum, is a byte times 1, 256 or 65536, and lanes are not in the order of the bytes:
/// PlaceOf() says which columns four lanes are, and what makes sums of their sums. Powers of two:
/// bits stay what they are.
struct BytesApart {
  using Element = uint8_t;
  static constexpr int kCount = kWalkVectors;
  static constexpr int kQuads = 6;
  struct Place {
    int64_t first, step;  // columns
    float times;
  };

  // Of each four of the first sixteen, bytes 0 and 1, then 2 and 3; the other eight as they are.
  static HWY_INLINE void Load(const uint8_t* from, Vectors<FloatTag, kCount>* to) {
    to->first = Floats(hn::And(Twice(from), Mask<8>()));
    to->others.first = Floats(hn::And(Twice(from + 1), Mask<16>()));  // 3 would be a sign there
    to->others.others.Load(from + 16);
  }

  static constexpr Place PlaceOf(int quad) {
    constexpr Place kPlaces[kQuads] = {{0, 4, 1},          {1, 4, 1.0f / 256},
                                       {2, 4, 1.0f / 256}, {3, 4, 1.0f / 65536},
                                       {16, 1, 1},         {20, 1, 1}};
    return kPlaces[quad];
  }

 private:
  static HWY_INLINE FloatVector Floats(hn::Vec<Words> integers) {
    return hn::ConvertTo(FloatTag(), hn::BitCast(hn::RebindToSigned<Words>(), integers));
  }
  static HWY_INLINE hn::Vec<Words> Twice(const uint8_t* from) {
    return hn::BitCast(Words(), hn::LoadDup128(hn::Repartition<uint8_t, Words>(), from));
  }
  /// Bits [kBits - 8, kBits) of the lower four lanes, the eight above of the upper ones.
  template <int kBits>
  static HWY_INLINE hn::Vec<Words> Mask() {
    constexpr uint32_t a = 0xffu << (kBits - 8), b = 0xffu << kBits;
    alignas(32) static constexpr uint32_t kMask[] = {a, a, a, a, b, b, b, b};
    return hn::Load(Words(), kMask);
  }
};

/// As RowsToColumns, of a strip's rows of sums of BytesApart. Written out, quad by quad: the places
/// are known when it is compiled.
template <int kQuad = 0>
HWY_INLINE void ApartRowsToColumns(const float* from, int64_t pitch, int64_t rows, float* to,
                                   int64_t to_pitch) {
  constexpr BytesApart::Place kPlace = BytesApart::PlaceOf(kQuad);
  const QuadsTag d;
  const auto times = hn::Set(d, kPlace.times);
  for (int64_t r = 0; r < rows; r += kTransposedRows) {
    hn::Vec<QuadsTag> v[4];
    for (int64_t i = 0; i < 4; ++i) {
      v[i] = LoadQuads(d, from + (r + i) * pitch + kQuad * 4, 4 * pitch);
    }
    TransposeQuads(v);
    for (int64_t i = 0; i < 4; ++i) {
      if constexpr (kPlace.times != 1.0f) v[i] = hn::Mul(v[i], times);
      const int64_t column = kPlace.first + i * kPlace.step;
      hn::StoreU(v[i], d, to + column * to_pitch + r);
    }
  }
  if constexpr (kQuad + 1 < BytesApart::kQuads) {
    ApartRowsToColumns<kQuad + 1>(from, pitch, rows, to, to_pitch);
  }
}

#endif  // HWY_TARGET == HWY_AVX2

}  // namespace HWY_NAMESPACE
}  // namespace sr_ops
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
