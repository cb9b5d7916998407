// The arithmetic's specification: one element at a time, no scratch memory, std::fma.
#pragma once

#include "core/cpu/plan.h"

namespace sr_ops {

/// The scalar kernel for a plan's element type.
RunTileFunction ScalarKernel(DataType dtype);

}  // namespace sr_ops
