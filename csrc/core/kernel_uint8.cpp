// uint8 kernels, once a target.
#include "core/highway_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernel_uint8.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once a target
//
#include "core/kernel-inl.h"

#if HWY_ONCE
#include "core/kernel_instance.h"

namespace sr_ops {
SR_OPS_DEFINE_KERNEL(UInt8Kernel, uint8_t)
}  // namespace sr_ops
#endif  // HWY_ONCE
