// The sized ops on the CPU: buffers from torch, tiles on torch's threads, arithmetic from the core.
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/resample.h"
#include "torch/images.h"
#include "torch/tensor_arguments.h"

namespace sr_ops {
namespace {

using torch::stable::Tensor;

// Below this many elements, waking another thread costs more than it brings.
constexpr int64_t kSerialElements = 32768;

// torch takes large tensors straight from the system each time.
OutputMemory MemoryOf(const Tensor& new_tensor) {
  const int64_t bytes = new_tensor.numel() * static_cast<int64_t>(new_tensor.element_size());
  return bytes >= kFreshBytes ? OutputMemory::kFresh : OutputMemory::kUsed;
}

void Run(const Plan& plan, const Tensor& source, const Tensor& destination, OutputMemory memory) {
  const bool serial = std::max(source.numel(), destination.numel()) < kSerialElements;
  const int threads = serial ? 1 : static_cast<int>(torch::stable::get_num_threads());
  Call call(plan, ConstViewOf(source), ViewOf(destination), threads, memory);
  // One iteration per thread, tiles from a counter: a thread that was interrupted holds up nobody.
  std::atomic<int64_t> next{0};
  const int64_t tiles = call.tiles();
  const auto work = [&](int64_t, int64_t) {
    for (int64_t tile; (tile = next.fetch_add(1, std::memory_order_relaxed)) < tiles;) {
      call.Run(tile);
    }
  };
  if (threads == 1 || tiles <= 1) {
    work(0, 1);
  } else {
    torch::stable::parallel_for(0, std::min<int64_t>(threads, tiles), 1, work);
  }
  Check(call.status());
}

Tensor UpscaleToSize(const Tensor& x, std::vector<int64_t> size, std::optional<double> scale_h,
                     std::optional<double> scale_w, int64_t coordinate_transformation_mode,
                     double cubic_coeff_a, bool antialias, bool exclude_outside) {
  const Problem problem = ForwardProblem(x, size,
                                         {scale_h, scale_w, coordinate_transformation_mode,
                                          cubic_coeff_a, antialias, exclude_outside});
  const auto plan = PlanOf(problem);
  Tensor y = NewImages(x, problem, size[0], size[1]);
  Run(*plan, x, y, MemoryOf(y));
  return y;
}

Tensor UpscaleToSizeBackward(const Tensor& grad, std::vector<int64_t> input_size,
                             std::optional<double> scale_h, std::optional<double> scale_w,
                             int64_t coordinate_transformation_mode, double cubic_coeff_a,
                             bool antialias, bool exclude_outside) {
  const Problem problem = BackwardProblem(grad, input_size,
                                          {scale_h, scale_w, coordinate_transformation_mode,
                                           cubic_coeff_a, antialias, exclude_outside});
  const auto plan = PlanOf(problem);
  Tensor grad_x = NewImages(grad, problem, input_size[0], input_size[1]);
  Run(*plan, grad, grad_x, MemoryOf(grad_x));
  return grad_x;
}

void UpscaleToSizeOut(const Tensor& x, std::vector<int64_t> size, std::optional<double> scale_h,
                      std::optional<double> scale_w, int64_t coordinate_transformation_mode,
                      double cubic_coeff_a, bool antialias, bool exclude_outside, Tensor out) {
  Problem problem = ForwardProblem(x, size,
                                   {scale_h, scale_w, coordinate_transformation_mode, cubic_coeff_a,
                                    antialias, exclude_outside});
  CheckOut(out, x, problem);
  const std::optional<Layout> layout = DenseLayout(out);
  if (layout) {
    problem.layout = *layout;
    Run(*PlanOf(problem), x, out, OutputMemory::kUsed);
  } else {
    torch::stable::copy_(
        out, UpscaleToSize(x, size, scale_h, scale_w, coordinate_transformation_mode, cubic_coeff_a,
                           antialias, exclude_outside));
  }
}

}  // namespace
}  // namespace sr_ops

STABLE_TORCH_LIBRARY_IMPL(sr_ops, CPU, library) {
  library.impl("dynamic_upscale_to_size", TORCH_BOX(&sr_ops::UpscaleToSize));
  library.impl("dynamic_upscale_to_size.out", TORCH_BOX(&sr_ops::UpscaleToSizeOut));
  library.impl("dynamic_upscale_to_size_backward", TORCH_BOX(&sr_ops::UpscaleToSizeBackward));
}
