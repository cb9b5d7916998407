// Element types to the accumulator and back, one element at a time: the rounding that every vector
// kernel reproduces. One rounding at the end; integers half to even, clamped to their range.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "core/host_device.h"
#include "core/types.h"

#ifdef __CUDACC__
#include <cuda_fp16.h>
#endif

namespace sr_ops {

struct Float16 {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};

SR_OPS_HOST_DEVICE inline float BitsToFloat(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
SR_OPS_HOST_DEVICE inline uint32_t FloatToBits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

SR_OPS_HOST_DEVICE inline float ToAccumulator(float x) { return x; }
SR_OPS_HOST_DEVICE inline double ToAccumulator(double x) { return x; }
// Between 2^23 and 2^24 a float's last bits count ones. So integers come and go by one addition,
// exactly (to floats) and half to even (back): GPUs convert at a quarter of the rate of additions.
SR_OPS_HOST_DEVICE inline float ToAccumulator(uint8_t x) {
  return BitsToFloat(0x4b000000u | x) - 0x1p23f;
}
SR_OPS_HOST_DEVICE inline float ToAccumulator(int8_t x) {
  return BitsToFloat(0x4b400000u + static_cast<uint32_t>(int32_t{x})) - 0x1.8p23f;
}
SR_OPS_HOST_DEVICE inline float ToAccumulator(uint16_t x) {
  return BitsToFloat(0x4b000000u | x) - 0x1p23f;
}
SR_OPS_HOST_DEVICE inline float ToAccumulator(BFloat16 x) {
  return BitsToFloat(uint32_t{x.bits} << 16);
}
SR_OPS_HOST_DEVICE inline float ToAccumulator(Float16 x) {
#ifdef __CUDA_ARCH__
  return __half2float(__ushort_as_half(x.bits));  // the same, in one instruction
#else
  const uint32_t sign = uint32_t{x.bits & 0x8000u} << 16;
  const uint32_t rest = x.bits & 0x7fffu;
  if (rest >= 0x7c00u) return BitsToFloat(sign | 0x7f800000u | ((rest & 0x3ffu) << 13));
  if (rest >= 0x0400u) return BitsToFloat(sign | ((rest << 13) + 0x38000000u));
  const float magnitude = static_cast<float>(rest) * 0x1p-24f;  // subnormal or zero: exact
  return BitsToFloat(sign | FloatToBits(magnitude));
#endif
}

SR_OPS_HOST_DEVICE inline void FromAccumulator(float v, float* out) { *out = v; }
SR_OPS_HOST_DEVICE inline void FromAccumulator(double v, double* out) { *out = v; }
SR_OPS_HOST_DEVICE inline void FromAccumulator(float v, uint8_t* out) {
  // A NaN fails both comparisons of the first clamp and becomes 0.
  const float clamped = v > 0.0f ? (v < 255.0f ? v : 255.0f) : 0.0f;
  *out = static_cast<uint8_t>(FloatToBits(clamped + 0x1p23f));
}
SR_OPS_HOST_DEVICE inline void FromAccumulator(float v, int8_t* out) {
  const float clamped = v > -128.0f ? (v < 127.0f ? v : 127.0f) : -128.0f;
  *out = static_cast<int8_t>(FloatToBits(clamped + 0x1.8p23f));
}
SR_OPS_HOST_DEVICE inline void FromAccumulator(float v, uint16_t* out) {
  const float clamped = v > 0.0f ? (v < 65535.0f ? v : 65535.0f) : 0.0f;
  *out = static_cast<uint16_t>(FloatToBits(clamped + 0x1p23f));
}
SR_OPS_HOST_DEVICE inline void FromAccumulator(float v, BFloat16* out) {
  const uint32_t bits = FloatToBits(v);
  out->bits = static_cast<uint16_t>(v != v ? (bits >> 16) | 0x40u
                                           : (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}
SR_OPS_HOST_DEVICE inline void FromAccumulator(float v, Float16* out) {
#ifdef __CUDA_ARCH__
  out->bits = __half_as_ushort(__float2half_rn(v));
#else
  const uint32_t bits = FloatToBits(v);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  uint32_t half;
  if (magnitude > 0x7f800000u) {  // NaN
    half = 0x7e00u | ((magnitude >> 13) & 0x1ffu);
  } else if (magnitude >= 0x477ff000u) {  // rounds to 65520 or more
    half = 0x7c00u;
  } else if (magnitude >= 0x38800000u) {  // normal in float16
    half = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  } else {  // subnormal: units of 2^-24
    half = static_cast<uint32_t>(std::nearbyintf(BitsToFloat(magnitude) * 0x1p24f));
  }
  out->bits = static_cast<uint16_t>(sign | half);
#endif
}

}  // namespace sr_ops
