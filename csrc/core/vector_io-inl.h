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

/// hn::Stream writes whole registers of 16 bytes or more, however few of the bytes are the
/// vector's: shorter vectors (eight-bit elements on AVX2) are stored in the ordinary way.
template <class V, class D>
HWY_INLINE void StreamWhole(V v, D d, hn::TFromD<D>* to) {
  if constexpr (hn::MaxLanes(D()) * sizeof(hn::TFromD<D>) >= 16) {
    hn::Stream(v, d, to);
  } else {
    hn::StoreU(v, d, to);
  }
}

/// Load: one vector of accumulators from consecutive elements. Store: the reverse, rounding once.
/// Neither needs alignment. Stream: a Store, to an address aligned to what it writes, past the
/// caches.
template <typename Element>
struct VectorIo;

template <>
struct VectorIo<float> {
  using Accumulator = float;
  static HWY_INLINE FloatVector Load(const float* from) { return hn::LoadU(FloatTag(), from); }
  static HWY_INLINE void Store(FloatVector v, float* to) { hn::StoreU(v, FloatTag(), to); }
  static HWY_INLINE void Stream(FloatVector v, float* to) { StreamWhole(v, FloatTag(), to); }
};

#if HWY_HAVE_FLOAT64
template <>
struct VectorIo<double> {
  using Accumulator = double;
  using Tag = hn::ScalableTag<double>;
  static HWY_INLINE hn::Vec<Tag> Load(const double* from) { return hn::LoadU(Tag(), from); }
  static HWY_INLINE void Store(hn::Vec<Tag> v, double* to) { hn::StoreU(v, Tag(), to); }
  static HWY_INLINE void Stream(hn::Vec<Tag> v, double* to) { StreamWhole(v, Tag(), to); }
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
    StreamWhole(hn::DemoteTo(Tag(), v), Tag(), reinterpret_cast<hwy::float16_t*>(to));
  }
#endif
};

template <>
struct VectorIo<BFloat16> {
  using Accumulator = float;
  using Tag = hn::Rebind<uint16_t, FloatTag>;
  using Wide = hn::RebindToUnsigned<FloatTag>;
  using Signed = hn::RebindToSigned<FloatTag>;
  static HWY_INLINE FloatVector Load(const BFloat16* from) {
    const auto bits = hn::LoadU(Tag(), reinterpret_cast<const uint16_t*>(from));
    return hn::BitCast(FloatTag(), hn::ShiftLeft<16>(hn::PromoteTo(Wide(), bits)));
  }
  static HWY_INLINE void Store(FloatVector v, BFloat16* to) {
    hn::StoreU(Round(v), Tag(), reinterpret_cast<uint16_t*>(to));
  }
  static HWY_INLINE void Stream(FloatVector v, BFloat16* to) {
    StreamWhole(Round(v), Tag(), reinterpret_cast<uint16_t*>(to));
  }

 private:
  // Half to even by integer arithmetic: the machines' own conversions flush subnormals.
  static HWY_INLINE hn::Vec<Tag> Round(FloatVector v) {
    const Wide d;
    const auto bits = hn::BitCast(d, v);
    const auto high = hn::ShiftRight<16>(bits);
    const auto odd = hn::And(high, hn::Set(d, 1u));
    const auto rounded = hn::ShiftRight<16>(bits + hn::Set(d, 0x7fffu) + odd);
    const auto quiet = hn::Or(high, hn::Set(d, 0x40u));
    const auto is_nan = hn::RebindMask(d, hn::Ne(v, v));
    return hn::DemoteTo(Tag(), hn::BitCast(Signed(), hn::IfThenElse(is_nan, quiet, rounded)));
  }
};

/// uint8 and int8: half to even, clamped by the narrowing. Values must fit an int32: weights that
/// could lead beyond are the scalar kernel's (see Plan).
template <typename Integer>
struct IntegerIo {
  using Accumulator = float;
  using Tag = hn::Rebind<Integer, FloatTag>;
  using Wide = hn::RebindToSigned<FloatTag>;
  static HWY_INLINE FloatVector Load(const Integer* from) {
    return hn::ConvertTo(FloatTag(), hn::PromoteTo(Wide(), hn::LoadU(Tag(), from)));
  }
  static HWY_INLINE void Store(FloatVector v, Integer* to) { hn::StoreU(Round(v), Tag(), to); }
  static HWY_INLINE void Stream(FloatVector v, Integer* to) { StreamWhole(Round(v), Tag(), to); }

 private:
  static HWY_INLINE hn::Vec<Tag> Round(FloatVector v) {
    // DemoteTo to uint8 passes through int16, where a level above 32767 would turn negative.
    const auto most = hn::Set(Wide(), static_cast<int32_t>(hwy::LimitsMax<Integer>()));
    return hn::DemoteTo(Tag(), hn::Min(hn::NearestInt(v), most));
  }
};
template <>
struct VectorIo<uint8_t> : IntegerIo<uint8_t> {};
template <>
struct VectorIo<int8_t> : IntegerIo<int8_t> {};

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
