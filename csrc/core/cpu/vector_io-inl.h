// Vectors of accumulators from and to memory of any element type: the vector twin of convert.h.
// Included once a Highway target.
#if defined(SR_OPS_VECTOR_IO_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SR_OPS_VECTOR_IO_INL_H_
#undef SR_OPS_VECTOR_IO_INL_H_
#else
#define SR_OPS_VECTOR_IO_INL_H_
#endif

#include <cstring>
#include <type_traits>

#include "core/convert.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sr_ops {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using FloatVector = hn::Vec<FloatTag>;

/// Past the caches where kStream says so. hn::Stream writes whole registers of 16 bytes or more,
/// however few of the bytes are the vector's: shorter vectors (eight-bit elements on AVX2) are
/// stored in the ordinary way.
template <bool kStream, class V, class D>
HWY_INLINE void StoreVector(V v, D d, hn::TFromD<D>* to) {
  if constexpr (kStream && hn::MaxLanes(D()) * sizeof(hn::TFromD<D>) >= 16) {
    hn::Stream(v, d, to);
  } else {
    hn::StoreU(v, d, to);
  }
}

/// Load: one vector of accumulators from consecutive elements. Store: the reverse, rounding once.
/// Neither needs alignment. Stream: a Store, to an address aligned to what it writes, past the
/// caches. Pack: kPack (1, 2 or 4) vectors of accumulators, rounded to one vector of elements.
template <typename Element>
struct VectorIo;

/// Of element types that are stored as they are computed, or are wide enough to be stored one
/// vector of accumulators at a time.
struct StoredSingly {
  static constexpr int kPack = 1;
};

template <>
struct VectorIo<float> : StoredSingly {
  using Accumulator = float;
  static HWY_INLINE FloatVector Load(const float* from) { return hn::LoadU(FloatTag(), from); }
  static HWY_INLINE void Store(FloatVector v, float* to) { hn::StoreU(v, FloatTag(), to); }
  static HWY_INLINE void Stream(FloatVector v, float* to) { StoreVector<true>(v, FloatTag(), to); }
};

#if HWY_HAVE_FLOAT64
template <>
struct VectorIo<double> : StoredSingly {
  using Accumulator = double;
  using Tag = hn::ScalableTag<double>;
  static HWY_INLINE hn::Vec<Tag> Load(const double* from) { return hn::LoadU(Tag(), from); }
  static HWY_INLINE void Store(hn::Vec<Tag> v, double* to) { hn::StoreU(v, Tag(), to); }
  static HWY_INLINE void Stream(hn::Vec<Tag> v, double* to) { StoreVector<true>(v, Tag(), to); }
};
#endif

template <>
struct VectorIo<Float16> {
  using Accumulator = float;
#if HWY_ARCH_X86 && HWY_TARGET > HWY_AVX2
  // Without conversion instructions: one by one, with the one right rounding.
  static HWY_INLINE FloatVector Load(const Float16* from) {
    HWY_ALIGN float lanes[HWY_LANES(float)];
    for (size_t i = 0; i < hn::Lanes(FloatTag()); ++i) lanes[i] = ToAccumulator(from[i]);
    return hn::Load(FloatTag(), lanes);
  }
  static HWY_INLINE void Store(FloatVector v, Float16* to) {
    HWY_ALIGN float lanes[HWY_LANES(float)];
    hn::Store(v, FloatTag(), lanes);
    for (size_t i = 0; i < hn::Lanes(FloatTag()); ++i) FromAccumulator(lanes[i], &to[i]);
  }
  static HWY_INLINE void Stream(FloatVector v, Float16* to) { Store(v, to); }
#else
  using Tag = hn::Rebind<hwy::float16_t, FloatTag>;
  static HWY_INLINE FloatVector Load(const Float16* from) {
    const auto half = hn::LoadU(Tag(), reinterpret_cast<const hwy::float16_t*>(from));
    return hn::PromoteTo(FloatTag(), half);
  }
  static HWY_INLINE void Store(FloatVector v, Float16* to) {
    hn::StoreU(hn::DemoteTo(Tag(), v), Tag(), reinterpret_cast<hwy::float16_t*>(to));
  }
  static HWY_INLINE void Stream(FloatVector v, Float16* to) {
    StoreVector<true>(hn::DemoteTo(Tag(), v), Tag(), reinterpret_cast<hwy::float16_t*>(to));
  }
#endif

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  static constexpr int kPack = 2;
  using PackTag = hn::ScalableTag<uint16_t>;
  static HWY_INLINE hn::Vec<PackTag> PackTwo(FloatVector a, FloatVector b) {
    const hn::Half<PackTag> half;
    return hn::Combine(PackTag(), hn::BitCast(half, hn::DemoteTo(Tag(), b)),
                       hn::BitCast(half, hn::DemoteTo(Tag(), a)));
  }
  template <bool kStream>
  static HWY_INLINE void StorePack(hn::Vec<PackTag> packed, Float16* to) {
    StoreVector<kStream>(packed, PackTag(), reinterpret_cast<uint16_t*>(to));
  }
#else
  static constexpr int kPack = 1;
#endif
};

template <>
struct VectorIo<BFloat16> {
  using Accumulator = float;
  using Tag = hn::Rebind<uint16_t, FloatTag>;
  using Wide = hn::RebindToUnsigned<FloatTag>;
  static HWY_INLINE FloatVector Load(const BFloat16* from) {
    const auto bits = hn::LoadU(Tag(), reinterpret_cast<const uint16_t*>(from));
    return hn::BitCast(FloatTag(), hn::ShiftLeft<16>(hn::PromoteTo(Wide(), bits)));
  }
  static HWY_INLINE void Store(FloatVector v, BFloat16* to) {
    hn::StoreU(Narrow(v), Tag(), reinterpret_cast<uint16_t*>(to));
  }
  static HWY_INLINE void Stream(FloatVector v, BFloat16* to) {
    StoreVector<true>(Narrow(v), Tag(), reinterpret_cast<uint16_t*>(to));
  }

  static constexpr int kPack = HWY_TARGET == HWY_SCALAR ? 1 : 2;
#if HWY_TARGET != HWY_SCALAR
  using PackTag = hn::ScalableTag<uint16_t>;
  static HWY_INLINE hn::Vec<PackTag> PackTwo(FloatVector a, FloatVector b) {
    const PackTag d;
    return hn::ConcatOdd(d, hn::BitCast(d, Rounded(b)), hn::BitCast(d, Rounded(a)));
  }
  template <bool kStream>
  static HWY_INLINE void StorePack(hn::Vec<PackTag> packed, BFloat16* to) {
    StoreVector<kStream>(packed, PackTag(), reinterpret_cast<uint16_t*>(to));
  }
#endif

 private:
  // The result is each upper half. Half to even by integer arithmetic: the machines' own
  // conversions flush subnormals. NaNs are made quiet instead.
  static HWY_INLINE hn::Vec<Wide> Rounded(FloatVector v) {
    const Wide d;
    const auto bits = hn::BitCast(d, v);
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d, 1u));
    const auto rounded = bits + hn::Set(d, 0x7fffu) + odd;
    const auto quiet = hn::Or(bits, hn::Set(d, 0x400000u));
    return hn::IfThenElse(hn::RebindMask(d, hn::Ne(v, v)), quiet, rounded);
  }
  static HWY_INLINE hn::Vec<Tag> Narrow(FloatVector v) {
    const hn::RebindToSigned<FloatTag> signed_tag;
    return hn::DemoteTo(Tag(), hn::BitCast(signed_tag, hn::ShiftRight<16>(Rounded(v))));
  }
};

using Int32Vector = hn::Vec<hn::RebindToSigned<FloatTag>>;
using Words = hn::ScalableTag<uint32_t>;

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_SSE4  // not for Clang's EMU128, which has no registers
// As instructions: Highway's NearestInt also mends values beyond int32, and not every version of it
// narrows two vectors of int16, or of int32 to uint16.
#if HWY_TARGET <= HWY_AVX3
#define SR_OPS_X86(name) _mm512_##name
#elif HWY_TARGET <= HWY_AVX2
#define SR_OPS_X86(name) _mm256_##name
#else
#define SR_OPS_X86(name) _mm_##name
#endif
/// Half to even.
HWY_INLINE Int32Vector Nearest(FloatVector v) {
  return Int32Vector{SR_OPS_X86(cvtps_epi32)(v.raw)};
}

/// Registers wider than 16 bytes are narrowed in blocks of 16 bytes. Of kVectors vectors, piece b
/// of vector v lies where piece v of block b does; a piece is 16 bytes / kVectors.
template <size_t kVectors, class D>
HWY_INLINE hn::Vec<D> InOrder(D d, hn::Vec<D> packed) {
  constexpr size_t kWords = HWY_LANES(uint32_t);
  if constexpr (kWords == 4) {
    return packed;
  } else {
    struct Order {
      int32_t of[kWords] = {};
      constexpr Order() {
        constexpr size_t kBlocks = kWords / 4, kPieceWords = 4 / kVectors;
        for (size_t w = 0; w < kWords; ++w) {
          const size_t piece = w / kPieceWords;
          const size_t from = piece % kBlocks * kVectors + piece / kBlocks;
          of[w] = static_cast<int32_t>(from * kPieceWords + w % kPieceWords);
        }
      }
    };
    alignas(64) static constexpr Order order;
    const Words words;
    return hn::BitCast(
        d, hn::TableLookupLanes(hn::BitCast(words, packed), hn::SetTableIndices(words, order.of)));
  }
}
#elif HWY_TARGET == HWY_WASM
/// Half to even, of values within 2^22 (see Plan): engines take a dozen instructions for the
/// conversion, whose saturation is defined. The sum's lowest bits are the integer.
HWY_INLINE Int32Vector Nearest(FloatVector v) {
  const v128_t bias = wasm_f32x4_splat(12582912.0f);  // 1.5 * 2^23
  return Int32Vector{wasm_i32x4_sub(wasm_f32x4_add(v.raw, bias), bias)};
}
#else
HWY_INLINE Int32Vector Nearest(FloatVector v) { return hn::NearestInt(v); }
#endif

/// uint16: half to even, clamped by the narrowing. Values must fit an int32: weights that could
/// lead beyond are the scalar kernel's (see Plan).
template <>
struct VectorIo<uint16_t> {
  using Accumulator = float;
  using Tag = hn::Rebind<uint16_t, FloatTag>;
  using Wide = hn::RebindToSigned<FloatTag>;
  static HWY_INLINE FloatVector Load(const uint16_t* from) {
    return hn::ConvertTo(FloatTag(), hn::PromoteTo(Wide(), hn::LoadU(Tag(), from)));
  }
  static HWY_INLINE void Store(FloatVector v, uint16_t* to) {
    hn::StoreU(hn::DemoteTo(Tag(), Nearest(v)), Tag(), to);
  }
  static HWY_INLINE void Stream(FloatVector v, uint16_t* to) {
    StoreVector<true>(hn::DemoteTo(Tag(), Nearest(v)), Tag(), to);
  }

  static constexpr int kPack = HWY_TARGET == HWY_SCALAR ? 1 : 2;
#if HWY_TARGET != HWY_SCALAR
  using PackTag = hn::ScalableTag<uint16_t>;
  static HWY_INLINE hn::Vec<PackTag> PackTwo(FloatVector a, FloatVector b) {
    const PackTag d;
#ifdef SR_OPS_X86
    const hn::Vec<PackTag> packed{SR_OPS_X86(packus_epi32)(Nearest(a).raw, Nearest(b).raw)};
    return InOrder<2>(d, packed);
#else
    const hn::Half<PackTag> half;
    return hn::Combine(d, hn::DemoteTo(half, Nearest(b)), hn::DemoteTo(half, Nearest(a)));
#endif
  }
  template <bool kStream>
  static HWY_INLINE void StorePack(hn::Vec<PackTag> packed, uint16_t* to) {
    StoreVector<kStream>(packed, PackTag(), to);
  }
#endif
};

/// uint8 and int8: the same.
template <typename Integer>
struct IntegerIo {
  using Accumulator = float;
  using Tag = hn::Rebind<Integer, FloatTag>;
  using Wide = hn::RebindToSigned<FloatTag>;
  static HWY_INLINE FloatVector Load(const Integer* from) {
    return hn::ConvertTo(FloatTag(), hn::PromoteTo(Wide(), hn::LoadU(Tag(), from)));
  }
  static HWY_INLINE void Store(FloatVector v, Integer* to) { hn::StoreU(Round(v), Tag(), to); }
  static HWY_INLINE void Stream(FloatVector v, Integer* to) {
    StoreVector<true>(Round(v), Tag(), to);
  }

  /// Rounding takes longer than the multiply-adds where vectors are narrowed one by one.
  static constexpr int kPack = HWY_TARGET == HWY_SCALAR ? 1 : 4;
#if HWY_TARGET != HWY_SCALAR
  using PackTag = hn::ScalableTag<Integer>;
  using HalfTag = hn::ScalableTag<int16_t>;
  /// In two steps, so that few vectors need to be held.
  static HWY_INLINE hn::Vec<HalfTag> PackTwo(FloatVector a, FloatVector b) {
    return hn::ReorderDemote2To(HalfTag(), Nearest(a), Nearest(b));
  }
  static HWY_INLINE hn::Vec<PackTag> Pack(hn::Vec<HalfTag> low, hn::Vec<HalfTag> high) {
#ifdef SR_OPS_X86
    return InOrder<4>(PackTag(), Narrow(low, high));
#else
    return Narrow(low, high);
#endif
  }
  template <bool kStream>
  static HWY_INLINE void StorePack(hn::Vec<PackTag> packed, Integer* to) {
    StoreVector<kStream>(packed, PackTag(), to);
  }
#endif

 private:
#ifdef SR_OPS_X86
  template <class V>
  static HWY_INLINE hn::Vec<PackTag> Narrow(V low, V high) {
    if constexpr (std::is_signed_v<Integer>) {
      return hn::Vec<PackTag>{SR_OPS_X86(packs_epi16)(low.raw, high.raw)};
    } else {
      return hn::Vec<PackTag>{SR_OPS_X86(packus_epi16)(low.raw, high.raw)};
    }
  }
#elif HWY_TARGET == HWY_WASM
  template <class V>
  static HWY_INLINE hn::Vec<PackTag> Narrow(V low, V high) {
    if constexpr (std::is_signed_v<Integer>) {
      return hn::Vec<PackTag>{wasm_i8x16_narrow_i16x8(low.raw, high.raw)};
    } else {
      return hn::Vec<PackTag>{wasm_u8x16_narrow_i16x8(low.raw, high.raw)};
    }
  }
#elif HWY_TARGET != HWY_SCALAR
  template <class V>
  static HWY_INLINE hn::Vec<PackTag> Narrow(V low, V high) {
    const hn::Half<PackTag> half;
    return hn::Combine(PackTag(), hn::DemoteTo(half, high), hn::DemoteTo(half, low));
  }
#endif

  static HWY_INLINE hn::Vec<Tag> Round(FloatVector v) {
    // DemoteTo to uint8 passes through int16, where a level above 32767 would turn negative.
    const auto most = hn::Set(Wide(), static_cast<int32_t>(hwy::LimitsMax<Integer>()));
    return hn::DemoteTo(Tag(), hn::Min(Nearest(v), most));
  }
};
template <>
struct VectorIo<uint8_t> : IntegerIo<uint8_t> {};
template <>
struct VectorIo<int8_t> : IntegerIo<int8_t> {};
#undef SR_OPS_X86

/// Lanes [from, to) of a vector are stored to where a whole Store would put them, and nothing else
/// is touched: the neighbouring element may be another thread's.
template <typename Element, class V>
HWY_INLINE void StoreLanes(V v, size_t from, size_t to, Element* at) {
  using D = hn::DFromV<V>;
  using A = typename VectorIo<Element>::Accumulator;
  const D d;
  if (from == 0 && to == hn::Lanes(d)) return VectorIo<Element>::Store(v, at);
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  if constexpr (std::is_same_v<Element, A>) {
    const auto lanes = hn::AndNot(hn::FirstN(d, from), hn::FirstN(d, to));
    return hn::BlendedStore(v, lanes, d, at);
  }
#endif
  Element lanes[HWY_MAX_BYTES / sizeof(A)];
  VectorIo<Element>::Store(v, lanes);
  std::memcpy(at + from, lanes + from, (to - from) * sizeof(Element));
}

}  // namespace HWY_NAMESPACE
}  // namespace sr_ops
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
