// Lanes of a vector in another order, by indices that are data. Included once a Highway target.
#if defined(SR_OPS_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SR_OPS_LANES_INL_H_
#undef SR_OPS_LANES_INL_H_
#else
#define SR_OPS_LANES_INL_H_
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sr_ops {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_WASM

// Highway up to 1.0.3 goes byte by byte through memory here: ten times the time of a whole pass.

/// For vectors of four lanes: the bytes that each byte of the result comes from.
struct Permutation {
  v128_t bytes;
};

template <class D, class VI>
HWY_INLINE Permutation PermutationOf(D, VI lanes) {
  static_assert(sizeof(hn::TFromD<D>) == 4);
  const v128_t first_bytes = wasm_i32x4_mul(lanes.raw, wasm_i32x4_splat(0x04040404));
  return {wasm_i32x4_add(first_bytes, wasm_i32x4_splat(0x03020100))};
}

template <class V>
HWY_INLINE V Permute(V v, Permutation permutation) {
  return V{wasm_i8x16_swizzle(v.raw, permutation.bytes)};
}

#else

/// `lanes`: for each lane of the result, the lane that it comes from.
template <class D, class VI>
HWY_INLINE auto PermutationOf(D d, VI lanes) {
  return hn::IndicesFromVec(d, lanes);
}

template <class V, class Permutation>
HWY_INLINE V Permute(V v, Permutation permutation) {
  return hn::TableLookupLanes(v, permutation);
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace sr_ops
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
