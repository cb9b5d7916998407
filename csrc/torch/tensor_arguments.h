// From tensors and schema arguments to the core's problem and views. Shared by every device.
#pragma once

#include <torch/csrc/stable/tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "core/resample.h"
#include "core/status.h"
#include "core/types.h"

namespace sr_ops {

/// Raises ValueError in Python (RuntimeError where torch calls the op through TorchScript, which
/// knows no other) with the concatenated arguments as its message.
template <typename... Parts>
[[noreturn]] void Fail(const Parts&... parts) {
  std::ostringstream message;
  (message << ... << parts);
  throw std::invalid_argument(message.str());
}

/// Fails if `status` is not ok.
void Check(const Status& status);

/// The plan of a valid problem; fails otherwise.
std::shared_ptr<const Plan> PlanOf(const Problem& problem);

/// The arguments after the sizes in every schema, in its order. A scale that is not given is
/// out / in, in double.
struct SchemaArguments {
  std::optional<double> scale_h;
  std::optional<double> scale_w;
  int64_t coordinate_transformation_mode;
  double cubic_coeff_a;
  bool antialias;
  bool exclude_outside;
  int64_t rounding;
};

/// The problem of resampling x to `size`; fails for what is not a batch of images.
Problem ForwardProblem(const torch::stable::Tensor& x, const std::vector<int64_t>& size,
                       const SchemaArguments& arguments);

/// The problem of bringing the output's gradient back to an input of `input_size`.
Problem BackwardProblem(const torch::stable::Tensor& grad, const std::vector<int64_t>& input_size,
                        const SchemaArguments& arguments);

ConstView ConstViewOf(const torch::stable::Tensor& x);
View ViewOf(const torch::stable::Tensor& x);

/// Factors from a tensor of 1, 2 or 4 elements of any real dtype on any device, rounded to float32.
struct ScalePair {
  float height;
  float width;
};
ScalePair ReadScale(const torch::stable::Tensor& scale);

}  // namespace sr_ops
