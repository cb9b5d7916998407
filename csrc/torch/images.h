// Tensors that results go to. Shared by every device.
#pragma once

#include <torch/csrc/stable/tensor.h>

#include <cstdint>
#include <optional>

#include "core/types.h"

namespace sr_ops {

/// An uninitialised tensor of the problem's batch, channels and layout, with the dtype and device
/// of `like`.
torch::stable::Tensor NewImages(const torch::stable::Tensor& like, const Problem& problem,
                                int64_t height, int64_t width);

/// Uninitialised memory from torch's allocator on the device of `like`.
torch::stable::Tensor NewBytes(const torch::stable::Tensor& like, int64_t bytes);

/// Fails unless `out` can take the result of the problem on x: its shape, dtype and device, and no
/// element that is written twice or read.
void CheckOut(const torch::stable::Tensor& out, const torch::stable::Tensor& x,
              const Problem& problem);

/// The layout whose rows `out` holds densely, as the core wants to write them, or nothing.
std::optional<Layout> DenseLayout(const torch::stable::Tensor& out);

}  // namespace sr_ops
