#include "torch/tensor_arguments.h"

#include <torch/csrc/stable/device.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>
#include <torch/headeronly/core/ScalarType.h>

#include <new>

#include "core/scale.h"

namespace sr_ops {
namespace {

using torch::headeronly::ScalarType;
using torch::stable::Tensor;

DataType DataTypeOf(const Tensor& x, const char* name) {
  switch (x.scalar_type()) {
    case ScalarType::Float: return DataType::kFloat32;
    case ScalarType::Double: return DataType::kFloat64;
    case ScalarType::Half: return DataType::kFloat16;
    case ScalarType::BFloat16: return DataType::kBFloat16;
    case ScalarType::Byte: return DataType::kUInt8;
    default: Fail(name, ": dtype must be float32, float64, float16, bfloat16 or uint8");
  }
}

// torch's own rule (Tensor.suggest_memory_format): channels last if the strides look like it.
Layout SuggestedLayout(const Tensor& x) {
  const auto sizes = x.sizes();
  const auto strides = x.strides();
  if (strides[1] == 0) return Layout::kChannelsFirst;
  int64_t least = 0;
  for (int axis : {1, 3, 2, 0}) {
    if (sizes[axis] == 0 || strides[axis] < least) return Layout::kChannelsFirst;
    // Both layouts fit, as for images of one pixel and one channel: torch says channels first.
    if (axis == 0 && least == strides[1]) return Layout::kChannelsFirst;
    least = strides[axis] * sizes[axis];
  }
  return Layout::kChannelsLast;
}

Problem CommonProblem(const Tensor& source, const char* name, const int64_t* in, const int64_t* out,
                      const SchemaArguments& arguments) {
  const int64_t mode = arguments.coordinate_transformation_mode;
  constexpr auto kLastMode = static_cast<int64_t>(CoordinateMode::kAsymmetric);
  if (mode < 0 || mode > kLastMode) {
    Fail("coordinate_transformation_mode: got ", mode, ", expected 0 to ", kLastMode);
  }
  const int64_t rounding = arguments.rounding;
  constexpr auto kLastRounding = static_cast<int64_t>(Rounding::kPillow);
  if (rounding < 0 || rounding > kLastRounding) {
    Fail("rounding: got ", rounding, ", expected 0 to ", kLastRounding);
  }
  Problem problem;
  problem.batch = source.size(0);
  problem.channels = source.size(1);
  problem.in_height = in[0];
  problem.in_width = in[1];
  problem.out_height = out[0];
  problem.out_width = out[1];
  problem.scale_height =
      arguments.scale_h.value_or(static_cast<double>(out[0]) / static_cast<double>(in[0]));
  problem.scale_width =
      arguments.scale_w.value_or(static_cast<double>(out[1]) / static_cast<double>(in[1]));
  problem.dtype = DataTypeOf(source, name);
  problem.layout = SuggestedLayout(source);
  problem.attributes = {static_cast<CoordinateMode>(mode),
                        static_cast<float>(arguments.cubic_coeff_a), arguments.exclude_outside,
                        arguments.antialias, static_cast<Rounding>(rounding)};
  return problem;
}

void CheckArguments(const Tensor& source, const char* name, const std::vector<int64_t>& size,
                    const char* size_name) {
  if (source.dim() != 4) {
    Fail(name, ": got ", source.dim(), " dimensions, expected 4: (N, C, H, W)");
  }
  if (size.size() != 2) {
    Fail(size_name, ": got ", size.size(), " elements, expected (height, width)");
  }
}

}  // namespace

void Check(const Status& status) {
  if (status.ok()) return;
  if (status.code == StatusCode::kOutOfMemory) throw std::bad_alloc();
  if (status.code == StatusCode::kDeviceFailure) throw std::runtime_error(status.message);
  Fail(status.message);
}

std::shared_ptr<const Plan> PlanOf(const Problem& problem) {
  std::shared_ptr<const Plan> plan;
  Check(GetPlan(problem, &plan));
  return plan;
}

Problem ForwardProblem(const Tensor& x, const std::vector<int64_t>& size,
                       const SchemaArguments& arguments) {
  CheckArguments(x, "x", size, "size");
  const int64_t in[2] = {x.size(2), x.size(3)};
  return CommonProblem(x, "x", in, size.data(), arguments);
}

Problem BackwardProblem(const Tensor& grad, const std::vector<int64_t>& input_size,
                        const SchemaArguments& arguments) {
  CheckArguments(grad, "grad", input_size, "input_size");
  const int64_t out[2] = {grad.size(2), grad.size(3)};
  Problem problem = CommonProblem(grad, "grad", input_size.data(), out, arguments);
  problem.direction = Direction::kAdjoint;
  return problem;
}

ConstView ConstViewOf(const Tensor& x) {
  const auto strides = x.strides();
  return {x.const_data_ptr(), {strides[0], strides[1], strides[2], strides[3]}};
}

View ViewOf(const Tensor& x) {
  const auto strides = x.strides();
  return {x.mutable_data_ptr(), {strides[0], strides[1], strides[2], strides[3]}};
}

ScalePair ReadScale(const Tensor& scale) {
  const int64_t count = scale.numel();
  if (scale.dim() > 1 || (count != 1 && count != 2 && count != 4)) {
    Fail("scale: got a tensor of ", scale.dim(), " dimensions and ", count,
         " elements, expected at most one dimension of 1, 2 (height, width) or 4 "
         "([1, 1, scale_h, scale_w]) elements");
  }
  Tensor values = scale;
  if (!scale.is_cpu() || scale.scalar_type() != ScalarType::Float) {
    values = torch::stable::to(scale, ScalarType::Float, std::nullopt,
                               torch::stable::Device(torch::headeronly::DeviceType::CPU));
  }
  values = torch::stable::contiguous(values);
  ScalePair pair;
  Status status = ParseScales(static_cast<const float*>(values.const_data_ptr()),
                              static_cast<size_t>(count), 4, &pair.height, &pair.width);
  // The ONNX input is called scales, the argument here scale.
  if (status.message.rfind("scales:", 0) == 0) status.message.erase(5, 1);
  Check(status);
  return pair;
}

}  // namespace sr_ops
