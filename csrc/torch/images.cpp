#include "torch/images.h"

#include <torch/csrc/stable/ops.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "torch/tensor_arguments.h"

namespace sr_ops {
namespace {

using torch::stable::Tensor;

// Type and index.
std::pair<int32_t, int32_t> DeviceOf(const Tensor& x) {
  std::pair<int32_t, int32_t> device;
  TORCH_ERROR_CODE_CHECK(aoti_torch_get_device_type(x.get(), &device.first));
  TORCH_ERROR_CODE_CHECK(aoti_torch_get_device_index(x.get(), &device.second));
  return device;
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

}  // namespace

Tensor NewImages(const Tensor& like, const Problem& problem, int64_t height, int64_t width) {
  const int64_t channels = std::max<int64_t>(problem.channels, 1);
  const int64_t sizes[4] = {problem.batch, problem.channels, height, width};
  const int64_t first[4] = {channels * height * width, height * width, width, 1};
  const int64_t last[4] = {channels * height * width, 1, width * channels, channels};
  const auto device = DeviceOf(like);
  int32_t dtype;
  TORCH_ERROR_CODE_CHECK(aoti_torch_get_dtype(like.get(), &dtype));
  AtenTensorHandle handle;
  TORCH_ERROR_CODE_CHECK(
      aoti_torch_empty_strided(4, sizes, problem.layout == Layout::kChannelsLast ? last : first,
                               dtype, device.first, device.second, &handle));
  return Tensor(handle);
}

Tensor NewBytes(const Tensor& like, int64_t bytes) {
  const auto device = DeviceOf(like);
  const int64_t stride = 1;
  AtenTensorHandle handle;
  TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(1, &bytes, &stride, aoti_torch_dtype_uint8(),
                                                  device.first, device.second, &handle));
  return Tensor(handle);
}

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
  if (!(DeviceOf(out) == DeviceOf(x)) || out.scalar_type() != x.scalar_type()) {
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

}  // namespace sr_ops
