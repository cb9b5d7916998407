// From what the user wrote (scales or sizes) to what the kernel needs. The one home of the rule.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/linkage.h"
#include "core/status.h"

namespace sr_ops {

/// No output may have more elements: larger requests are mistakes, not images.
constexpr int64_t kMaxElements = int64_t{1} << 40;

/// trunc(fl32(fl32(n) * s)): one float32 multiplication, the rule ONNX Runtime applies.
/// Returns -1 where the product is negative, exceeds int64 or is not a number.
SR_OPS_FOR_FRONT_ENDS int64_t OutputSize(int64_t n, float scale);

/// Reads ONNX-style scales for a tensor of `rank` axes whose last two are spatial: `count` is 1
/// (both axes), 2 (height, width) or `rank` (leading ones must be 1).
SR_OPS_FOR_FRONT_ENDS Status ParseScales(const float* scales, size_t count, size_t rank,
                                         float* scale_height, float* scale_width);

/// Reads ONNX-style sizes: `count` is 2 or `rank`; leading ones must equal `shape`'s.
SR_OPS_FOR_FRONT_ENDS Status ParseSizes(const int64_t* sizes, size_t count, const int64_t* shape,
                                        size_t rank, int64_t* out_height, int64_t* out_width);

/// "a scale must be finite and > 0" for one axis; `axis` is "height" or "width".
SR_OPS_FOR_FRONT_ENDS Status CheckScale(float scale, const char* axis);

}  // namespace sr_ops
