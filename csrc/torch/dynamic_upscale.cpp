// The schemas, and the ops whose scale is a tensor: they read its values and call the sized ops,
// which have one implementation per device.
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/tensor.h>

#include <array>
#include <cstdint>
#include <vector>

#include "core/scale.h"
#include "threads/python_signals.h"
#include "torch/interruption.h"
#include "torch/tensor_arguments.h"

namespace sr_ops {
namespace {

using torch::stable::Tensor;

Tensor CallSized(const char* op, const Tensor& source, const std::vector<int64_t>& size,
                 const SchemaArguments& arguments) {
  using torch::stable::detail::from;
  std::array<StableIValue, 9> stack{
      from(source),
      from(size),
      from(arguments.scale_h),
      from(arguments.scale_w),
      from(arguments.coordinate_transformation_mode),
      from(arguments.cubic_coeff_a),
      from(arguments.antialias),
      from(arguments.exclude_outside),
      from(arguments.rounding),
  };
  const auto failed = torch_call_dispatcher(op, "", stack.data(), TORCH_ABI_VERSION);
  if (failed && HasExceptionOfHandler()) throw Interruption();
  TORCH_ERROR_CODE_CHECK(failed);
  return torch::stable::detail::to<Tensor>(stack[0]);
}

int64_t ScaledExtent(const Tensor& x, int64_t axis, float scale) {
  const int64_t extent = OutputSize(x.size(axis), scale);
  if (extent < 0) {
    Fail("scale: got ", scale, ", which makes an output of more than 2^40 elements");
  }
  return extent;
}

Tensor Upscale(const Tensor& x, const Tensor& scale, int64_t coordinate_transformation_mode,
               double cubic_coeff_a, bool antialias, bool exclude_outside, int64_t rounding) {
  const ScalePair pair = ReadScale(scale);
  const SchemaArguments arguments{pair.height,   pair.width, coordinate_transformation_mode,
                                  cubic_coeff_a, antialias,  exclude_outside,
                                  rounding};
  if (x.dim() != 4) Fail("x: got ", x.dim(), " dimensions, expected 4: (N, C, H, W)");
  const std::vector<int64_t> size{ScaledExtent(x, 2, pair.height), ScaledExtent(x, 3, pair.width)};
  Check(Validate(
      ForwardProblem(x, size, arguments)));  // errors do not pass the call below with their text
  return CallSized("sr_ops::dynamic_upscale_to_size", x, size, arguments);
}

Tensor UpscaleBackward(const Tensor& grad, const Tensor& scale, std::vector<int64_t> input_size,
                       int64_t coordinate_transformation_mode, double cubic_coeff_a, bool antialias,
                       bool exclude_outside, int64_t rounding) {
  const ScalePair pair = ReadScale(scale);
  const SchemaArguments arguments{pair.height,   pair.width, coordinate_transformation_mode,
                                  cubic_coeff_a, antialias,  exclude_outside,
                                  rounding};
  Check(Validate(BackwardProblem(grad, input_size, arguments)));
  return CallSized("sr_ops::dynamic_upscale_to_size_backward", grad, input_size, arguments);
}

}  // namespace
}  // namespace sr_ops

STABLE_TORCH_LIBRARY(sr_ops, library) {
  library.def(
      "dynamic_upscale(Tensor x, Tensor scale, int coordinate_transformation_mode, "
      "float cubic_coeff_a, bool antialias, bool exclude_outside, int rounding=0) -> Tensor");
  library.def(
      "dynamic_upscale_backward(Tensor grad, Tensor scale, SymInt[2] input_size, "
      "int coordinate_transformation_mode, float cubic_coeff_a, bool antialias, "
      "bool exclude_outside, int rounding=0) -> Tensor");
  library.def(
      "dynamic_upscale_to_size(Tensor x, SymInt[2] size, float? scale_h, float? scale_w, "
      "int coordinate_transformation_mode, float cubic_coeff_a, bool antialias, "
      "bool exclude_outside, int rounding=0) -> Tensor");
  // Returns nothing: the compiler cannot functionalise custom ops that return their argument.
  library.def(
      "dynamic_upscale_to_size.out(Tensor x, SymInt[2] size, float? scale_h, float? scale_w, "
      "int coordinate_transformation_mode, float cubic_coeff_a, bool antialias, "
      "bool exclude_outside, int rounding=0, *, Tensor(a!) out) -> ()");
  library.def(
      "dynamic_upscale_to_size_backward(Tensor grad, SymInt[2] input_size, float? scale_h, "
      "float? scale_w, int coordinate_transformation_mode, float cubic_coeff_a, bool antialias, "
      "bool exclude_outside, int rounding=0) -> Tensor");
}

STABLE_TORCH_LIBRARY_IMPL(sr_ops, CompositeExplicitAutograd, library) {
  library.impl("dynamic_upscale", TORCH_BOX(&sr_ops::Upscale));
  library.impl("dynamic_upscale_backward", TORCH_BOX(&sr_ops::UpscaleBackward));
}
