// One element type's launch: declared for launch.cpp, instantiated by kernels.cu.in.
#pragma once

#include <cuda_runtime_api.h>

#include "core/cuda/arguments.h"
#include "core/cuda/launch_plan.h"

namespace sr_ops::cuda {

/// Launches what the plan asks for, with complete arguments: one kernel, or the tables' and
/// another.
template <typename T>
cudaError_t LaunchKernels(const LaunchPlan& plan, const Arguments& a, cudaStream_t stream);

}  // namespace sr_ops::cuda
