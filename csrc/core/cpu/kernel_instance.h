// The last lines of kernel.cpp.in: from a Highway target to its instantiation of RunTile.
#pragma once

#include "core/cpu/kernel.h"

#if HWY_TARGETS & HWY_AVX3
#define SR_OPS_AVX3_CASE(Element) \
  case HWY_AVX3:                  \
    return {N_AVX3::RunTile<Element>, 64};
#else
#define SR_OPS_AVX3_CASE(Element)
#endif
#if HWY_TARGETS & HWY_AVX2
#define SR_OPS_AVX2_CASE(Element) \
  case HWY_AVX2:                  \
    return {N_AVX2::RunTile<Element>, 32};
#else
#define SR_OPS_AVX2_CASE(Element)
#endif
#if HWY_TARGETS & HWY_SSE4
#define SR_OPS_SSE4_CASE(Element) \
  case HWY_SSE4:                  \
    return {N_SSE4::RunTile<Element>, 16};
#else
#define SR_OPS_SSE4_CASE(Element)
#endif
#if HWY_TARGETS & HWY_NEON
#define SR_OPS_NEON_CASE(Element) \
  case HWY_NEON:                  \
    return {N_NEON::RunTile<Element>, 16};
#else
#define SR_OPS_NEON_CASE(Element)
#endif
#if defined(HWY_NEON_WITHOUT_AES) && (HWY_TARGETS & HWY_NEON_WITHOUT_AES)
#define SR_OPS_PLAIN_NEON_CASE(Element) \
  case HWY_NEON_WITHOUT_AES:            \
    return {N_NEON_WITHOUT_AES::RunTile<Element>, 16};
#else
#define SR_OPS_PLAIN_NEON_CASE(Element)
#endif
#if HWY_TARGETS & HWY_WASM
#define SR_OPS_WASM_CASE(Element) \
  case HWY_WASM:                  \
    return {N_WASM::RunTile<Element>, 16};
#else
#define SR_OPS_WASM_CASE(Element)
#endif

#define SR_OPS_DEFINE_KERNEL(dtype, Element)   \
  template <>                                  \
  Kernel VectorKernel<dtype>(int64_t target) { \
    switch (target) {                          \
      SR_OPS_AVX3_CASE(Element)                \
      SR_OPS_AVX2_CASE(Element)                \
      SR_OPS_SSE4_CASE(Element)                \
      SR_OPS_NEON_CASE(Element)                \
      SR_OPS_PLAIN_NEON_CASE(Element)          \
      SR_OPS_WASM_CASE(Element)                \
      default: return {};                      \
    }                                          \
  }
