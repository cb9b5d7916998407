// The sized ops on a GPU: memory and stream from torch, kernels from the core. Nothing here waits
// for the GPU, so all of it can be captured into a CUDA graph.
#include <torch/csrc/stable/accelerator.h>
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <cstdint>
#include <optional>

#include "core/cuda/launch.h"
#include "core/cuda/launch_plan.h"
#include "torch/cuda/current_stream.h"
#include "torch/images.h"
#include "torch/sized_ops.h"
#include "torch/tensor_arguments.h"

namespace sr_ops {
namespace {

using torch::stable::Tensor;

struct Cuda {
  static constexpr bool kAnyStrides = true;  // the layout only says which axis is the fastest

  static void Run(const Problem& problem, const Tensor& source, const Tensor& destination, bool) {
    cuda::LaunchPlan plan;
    Check(cuda::MakePlan(problem, ConstViewOf(source), ViewOf(destination), &plan));
    if (plan.arguments.blocks == 0) return;
    const int32_t device = source.get_device_index();
    const torch::stable::accelerator::DeviceGuard guard(device);
    // Given back when this returns, but torch's allocator hands it to nobody before the stream has
    // come so far.
    std::optional<Tensor> workspace;
    if (plan.workspace_bytes > 0) workspace = NewBytes(source, plan.workspace_bytes);
    Check(cuda::Launch(plan, source.const_data_ptr(), destination.mutable_data_ptr(),
                       workspace ? workspace->mutable_data_ptr() : nullptr, device,
                       CurrentCudaStream(device)));
  }
};

}  // namespace
}  // namespace sr_ops

STABLE_TORCH_LIBRARY_IMPL(sr_ops, CUDA, library) {
  sr_ops::SizedOps<sr_ops::Cuda>::Register(library);
}
