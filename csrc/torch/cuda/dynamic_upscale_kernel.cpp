// The sized ops on a GPU: memory and stream from torch, kernels from the core. Nothing here waits
// for the GPU, so all of it can be captured into a CUDA graph.
#include <torch/csrc/stable/accelerator.h>
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "core/cuda/launch.h"
#include "core/cuda/plan.h"
#include "torch/cuda/current_stream.h"
#include "torch/images.h"
#include "torch/tensor_arguments.h"

namespace sr_ops {
namespace {

using torch::stable::Tensor;

void Run(const Problem& problem, const Tensor& source, const Tensor& destination) {
  cuda::Plan plan;
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

Tensor UpscaleToSize(const Tensor& x, std::vector<int64_t> size, std::optional<double> scale_h,
                     std::optional<double> scale_w, int64_t coordinate_transformation_mode,
                     double cubic_coeff_a, bool antialias, bool exclude_outside) {
  const Problem problem = ForwardProblem(x, size,
                                         {scale_h, scale_w, coordinate_transformation_mode,
                                          cubic_coeff_a, antialias, exclude_outside});
  Check(Validate(problem));  // before memory is asked for
  Tensor y = NewImages(x, problem, size[0], size[1]);
  Run(problem, x, y);
  return y;
}

Tensor UpscaleToSizeBackward(const Tensor& grad, std::vector<int64_t> input_size,
                             std::optional<double> scale_h, std::optional<double> scale_w,
                             int64_t coordinate_transformation_mode, double cubic_coeff_a,
                             bool antialias, bool exclude_outside) {
  const Problem problem = BackwardProblem(grad, input_size,
                                          {scale_h, scale_w, coordinate_transformation_mode,
                                           cubic_coeff_a, antialias, exclude_outside});
  Check(Validate(problem));
  Tensor grad_x = NewImages(grad, problem, input_size[0], input_size[1]);
  Run(problem, grad, grad_x);
  return grad_x;
}

void UpscaleToSizeOut(const Tensor& x, std::vector<int64_t> size, std::optional<double> scale_h,
                      std::optional<double> scale_w, int64_t coordinate_transformation_mode,
                      double cubic_coeff_a, bool antialias, bool exclude_outside, Tensor out) {
  Problem problem = ForwardProblem(x, size,
                                   {scale_h, scale_w, coordinate_transformation_mode, cubic_coeff_a,
                                    antialias, exclude_outside});
  Check(Validate(problem));
  CheckOut(out, x, problem);
  // The kernels write to any strides; the layout only says which axis is the fastest.
  problem.layout = DenseLayout(out).value_or(problem.layout);
  Run(problem, x, out);
}

}  // namespace
}  // namespace sr_ops

STABLE_TORCH_LIBRARY_IMPL(sr_ops, CUDA, library) {
  library.impl("dynamic_upscale_to_size", TORCH_BOX(&sr_ops::UpscaleToSize));
  library.impl("dynamic_upscale_to_size.out", TORCH_BOX(&sr_ops::UpscaleToSizeOut));
  library.impl("dynamic_upscale_to_size_backward", TORCH_BOX(&sr_ops::UpscaleToSizeBackward));
}
