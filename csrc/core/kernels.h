// The kernels of every compiled target, and the choice among them.
#pragma once

#include <cstdint>

#include "core/plan.h"
#include "core/types.h"

namespace sr_ops {

/// The kernel of the chosen target for an element type.
Kernel ChosenKernel(DataType dtype);

// One source file an element type (kernel_*.cpp). `target` is one of Highway's HWY_* bits; an empty
// kernel where that target is not compiled.
Kernel Float32Kernel(int64_t target);
Kernel Float64Kernel(int64_t target);
Kernel Float16Kernel(int64_t target);
Kernel BFloat16Kernel(int64_t target);
Kernel UInt8Kernel(int64_t target);
Kernel Int8Kernel(int64_t target);

}  // namespace sr_ops
