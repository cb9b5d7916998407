// The three sized ops, written once over the device they run on.
//
// A Device has
//   static void Run(const Problem&, const Tensor& source, const Tensor& destination, bool is_new);
//       `is_new`: the destination has just been allocated
//   static constexpr bool kAnyStrides;   whether Run writes to destinations of any strides, or to
//                                        dense rows alone
#pragma once

#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "core/resample.h"
#include "torch/images.h"
#include "torch/tensor_arguments.h"

namespace sr_ops {

template <typename Device>
struct SizedOps {
  using Tensor = torch::stable::Tensor;

  static Tensor UpscaleToSize(const Tensor& x, std::vector<int64_t> size,
                              std::optional<double> scale_h, std::optional<double> scale_w,
                              int64_t coordinate_transformation_mode, double cubic_coeff_a,
                              bool antialias, bool exclude_outside, int64_t rounding) {
    const Problem problem = ForwardProblem(x, size,
                                           {scale_h, scale_w, coordinate_transformation_mode,
                                            cubic_coeff_a, antialias, exclude_outside, rounding});
    Check(Validate(problem));  // before memory is asked for
    Tensor y = NewImages(x, problem, size[0], size[1]);
    Device::Run(problem, x, y, /*is_new=*/true);
    return y;
  }

  static Tensor UpscaleToSizeBackward(const Tensor& grad, std::vector<int64_t> input_size,
                                      std::optional<double> scale_h, std::optional<double> scale_w,
                                      int64_t coordinate_transformation_mode, double cubic_coeff_a,
                                      bool antialias, bool exclude_outside, int64_t rounding) {
    const Problem problem = BackwardProblem(grad, input_size,
                                            {scale_h, scale_w, coordinate_transformation_mode,
                                             cubic_coeff_a, antialias, exclude_outside, rounding});
    Check(Validate(problem));
    Tensor grad_x = NewImages(grad, problem, input_size[0], input_size[1]);
    Device::Run(problem, grad, grad_x, /*is_new=*/true);
    return grad_x;
  }

  static void UpscaleToSizeOut(const Tensor& x, std::vector<int64_t> size,
                               std::optional<double> scale_h, std::optional<double> scale_w,
                               int64_t coordinate_transformation_mode, double cubic_coeff_a,
                               bool antialias, bool exclude_outside, int64_t rounding, Tensor out) {
    Problem problem = ForwardProblem(x, size,
                                     {scale_h, scale_w, coordinate_transformation_mode,
                                      cubic_coeff_a, antialias, exclude_outside, rounding});
    Check(Validate(problem));
    CheckOut(out, x, problem);
    const std::optional<Layout> layout = DenseLayout(out);
    if (layout || Device::kAnyStrides) {
      problem.layout = layout.value_or(problem.layout);
      return Device::Run(problem, x, out, /*is_new=*/false);
    }
    torch::stable::copy_(
        out, UpscaleToSize(x, size, scale_h, scale_w, coordinate_transformation_mode, cubic_coeff_a,
                           antialias, exclude_outside, rounding));
  }

  template <typename Library>
  static void Register(Library& library) {
    library.impl("dynamic_upscale_to_size", TORCH_BOX(&SizedOps<Device>::UpscaleToSize));
    library.impl("dynamic_upscale_to_size.out", TORCH_BOX(&SizedOps<Device>::UpscaleToSizeOut));
    library.impl("dynamic_upscale_to_size_backward",
                 TORCH_BOX(&SizedOps<Device>::UpscaleToSizeBackward));
  }
};

}  // namespace sr_ops
