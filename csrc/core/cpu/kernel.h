// The kernels of every compiled target, and the choice among them.
#pragma once

#include <cstdint>

#include "core/cpu/plan.h"
#include "core/types.h"

namespace sr_ops {

/// The kernel of the chosen target for an element type.
Kernel ChosenKernel(DataType dtype);

/// The kernel for one element type. `target` is one of Highway's HWY_* bits; an empty kernel where
/// that target is not compiled. Defined by kernel.cpp.in, or by no_kernel.cpp.in.
template <DataType kType>
Kernel VectorKernel(int64_t target);

}  // namespace sr_ops
