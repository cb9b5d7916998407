// The sized ops on the CPU: buffers from torch, tiles on torch's threads, arithmetic from the core.
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/resample.h"
#include "torch/tensor_arguments.h"

namespace sr_ops {
namespace {

using torch::stable::Tensor;

// Below this many elements, waking another thread costs more than it brings.
constexpr int64_t kSerialElements = 32768;

Tensor NewImages(const Tensor& like, const Problem& problem, int64_t height, int64_t width) {
  const int64_t channels = std::max<int64_t>(problem.channels, 1);
  const int64_t sizes[4] = {problem.batch, problem.channels, height, width};
  const int64_t first[4] = {channels * height * width, height * width, width, 1};
  const int64_t last[4] = {channels * height * width, 1, width * channels, channels};
  int32_t dtype, device_type, device_index;
  TORCH_ERROR_CODE_CHECK(aoti_torch_get_dtype(like.get(), &dtype));
  TORCH_ERROR_CODE_CHECK(aoti_torch_get_device_type(like.get(), &device_type));
  TORCH_ERROR_CODE_CHECK(aoti_torch_get_device_index(like.get(), &device_index));
  AtenTensorHandle handle;
  TORCH_ERROR_CODE_CHECK(
      aoti_torch_empty_strided(4, sizes, problem.layout == Layout::kChannelsLast ? last : first,
                               dtype, device_type, device_index, &handle));
  return Tensor(handle);
}

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

// First and one past the last byte that a tensor with elements can touch.
std::pair<const char*, const char*> Extent(const Tensor& x) {
  int64_t last = 0;
  for (int64_t axis = 0; axis < x.dim(); ++axis) last += (x.size(axis) - 1) * x.stride(axis);
  const char* begin = static_cast<const char*>(x.const_data_ptr());
  return {begin, begin + (last + 1) * static_cast<int64_t>(x.element_size())};
}

// Whether two index tuples of `out` can mean the same element. Errs towards yes.
bool OverlapsItself(const Tensor& out) {
  std::vector<std::pair<int64_t, int64_t>> axes;  // stride, size
  for (int64_t axis = 0; axis < out.dim(); ++axis) {
    if (out.size(axis) > 1) axes.emplace_back(out.stride(axis), out.size(axis));
  }
  std::sort(axes.begin(), axes.end());
  int64_t reach = 0;
  for (const auto& [stride, size] : axes) {
    if (stride <= reach) return true;
    reach += stride * (size - 1);
  }
  return false;
}

// The layout whose rows `out` holds densely, as the core wants to write them, or nothing.
std::optional<Layout> DenseLayout(const Tensor& out) {
  const int64_t channels = out.size(1), width = out.size(3);
  if (width == 1 || out.stride(3) == 1) return Layout::kChannelsFirst;
  if (out.stride(3) == channels && (channels == 1 || out.stride(1) == 1)) {
    return Layout::kChannelsLast;
  }
  return std::nullopt;
}

void CheckOut(const Tensor& out, const Tensor& x, const Problem& problem) {
  const int64_t expected[4] = {problem.batch, problem.channels, problem.out_height,
                               problem.out_width};
  const auto sizes = out.sizes();
  if (!std::equal(sizes.begin(), sizes.end(), expected, expected + 4)) {
    Fail("out: got another shape, expected [", expected[0], ", ", expected[1], ", ", expected[2],
         ", ", expected[3], "]");
  }
  if (!out.is_cpu() || out.scalar_type() != x.scalar_type()) {
    Fail("out: expected the dtype and device of x");
  }
  if (out.numel() == 0) return;
  if (OverlapsItself(out)) Fail("out: some of its elements share memory with out itself");
  const auto [x_begin, x_end] = Extent(x);
  const auto [out_begin, out_end] = Extent(out);
  if (x_begin < out_end && out_begin < x_end) {
    Fail("out: overlaps x in memory, which is read while out is written");
  }
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
