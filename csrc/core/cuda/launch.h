// Running a plan on a GPU. No CUDA header is needed to include this.
#pragma once

#include "core/cuda/launch_plan.h"
#include "core/status.h"

namespace sr_ops::cuda {

/// Enqueues the plan's one or two kernels on `stream` (a cudaStream_t) of GPU `device`. Neither
/// waits nor allocates, so it may be captured into a graph. `workspace`: plan.workspace_bytes of
/// device memory, aligned to kTableAlignment, that stay valid until the stream gets there.
Status Launch(const LaunchPlan& plan, const void* source, void* destination, void* workspace,
              int device, void* stream);

}  // namespace sr_ops::cuda
