#include "tensorrt/plugin.h"

#include <cuda_runtime_api.h>

#include <atomic>
#include <cstdio>
#include <new>

#include "core/cuda/launch.h"
#include "core/cuda/launch_plan.h"
#include "tensorrt/extents.h"
#include "tensorrt/problem.h"

namespace sr_ops::tensorrt {
namespace {

using nvinfer1::DataType;
using nvinfer1::DimensionOperation;
using nvinfer1::DynamicPluginTensorDesc;
using nvinfer1::IDimensionExpr;
using nvinfer1::PluginTensorDesc;
using nvinfer1::TensorFormat;

constexpr int32_t kFailed = 1;  // TensorRT takes anything but 0 for a failure

std::atomic<nvinfer1::ILoggerFinder*> logger_finder{nullptr};

/// TensorRT's expressions, as OutputExtent wants them.
class Expressions {
 public:
  using Value = IDimensionExpr const*;

  explicit Expressions(nvinfer1::IExprBuilder* builder) : builder_(*builder) {}

  Value Constant(int64_t value) const { return builder_.constant(value); }
  Value Add(Value a, Value b) const { return Make(DimensionOperation::kSUM, a, b); }
  Value Subtract(Value a, Value b) const { return Make(DimensionOperation::kSUB, a, b); }
  Value Multiply(Value a, Value b) const { return Make(DimensionOperation::kPROD, a, b); }
  Value FloorDivide(Value a, Value b) const { return Make(DimensionOperation::kFLOOR_DIV, a, b); }
  Value IsLess(Value a, Value b) const { return Make(DimensionOperation::kLESS, a, b); }

 private:
  Value Make(DimensionOperation operation, Value a, Value b) const {
    return a && b ? builder_.operation(operation, *a, *b) : nullptr;
  }

  nvinfer1::IExprBuilder& builder_;
};

bool FindType(DataType type, sr_ops::DataType* found) {
  switch (type) {
    case DataType::kFLOAT: *found = sr_ops::DataType::kFloat32; return true;
    case DataType::kHALF: *found = sr_ops::DataType::kFloat16; return true;
    case DataType::kBF16: *found = sr_ops::DataType::kBFloat16; return true;
    default: return false;
  }
}

// kHWC of float32 is dense; kHWC8 of two-byte types pads the channels to a multiple of eight.
bool IsDense(const PluginTensorDesc& tensor) {
  if (tensor.format == TensorFormat::kLINEAR) return true;
  if (tensor.dims.nbDims != 4) return false;
  if (tensor.format == TensorFormat::kHWC) return tensor.type == DataType::kFLOAT;
  return tensor.format == TensorFormat::kHWC8 && tensor.type != DataType::kFLOAT &&
         tensor.dims.d[1] > 0 && tensor.dims.d[1] % 8 == 0;
}

Shape ShapeOf(const nvinfer1::Dims& dims) {
  Shape shape;
  shape.rank = dims.nbDims;
  for (int32_t axis = 0; axis < dims.nbDims && axis < 8; ++axis) {
    shape.extent[axis] = dims.d[axis];
  }
  return shape;
}

int32_t Fail(const Status& status) noexcept {
  Report(status.message);
  return kFailed;
}

Status Describe(const Settings& settings, const PluginTensorDesc& x, const PluginTensorDesc& y,
                Problem* problem) {
  sr_ops::DataType dtype;
  if (!FindType(x.type, &dtype) || !IsDense(x)) {
    return Status::InvalidArgument("X: its type or format is none that was offered");
  }
  const Layout layout =
      x.format == TensorFormat::kLINEAR ? Layout::kChannelsFirst : Layout::kChannelsLast;
  return MakeProblem(settings, dtype, layout, ShapeOf(x.dims), ShapeOf(y.dims), problem);
}

Status Run(const Problem& problem, const void* source, void* destination, void* workspace,
           cudaStream_t stream) {
  cuda::LaunchPlan plan;
  const Status status = cuda::MakePlan(problem, SourceOf(problem), DestinationOf(problem), &plan);
  if (!status.ok()) return status;
  int device = 0;
  if (cudaGetDevice(&device) != cudaSuccess) {
    return Status::DeviceFailure("CUDA: there is no current device");
  }
  return cuda::Launch(plan, source, destination, workspace, device, stream);
}

}  // namespace

const char* NameOf(NodeType type) {
  return type == NodeType::kScales ? "DynamicUpscale" : "DynamicUpscaleToSizes";
}

void SetLoggerFinder(nvinfer1::ILoggerFinder* finder) noexcept { logger_finder = finder; }

void Report(const std::string& message) noexcept {
  nvinfer1::ILoggerFinder* const finder = logger_finder;
  nvinfer1::ILogger* const logger = finder ? finder->findLogger() : nullptr;
  if (logger) {
    logger->log(nvinfer1::ILogger::Severity::kERROR, ("sr_ops: " + message).c_str());
  } else {
    std::fprintf(stderr, "sr_ops: %s\n", message.c_str());
  }
}

Plugin::Plugin(const Settings& settings)
    : settings_(settings),
      mode_(NameOf(settings.attributes.coordinate_transformation_mode)),
      switches_{settings.attributes.exclude_outside, settings.attributes.antialias},
      scales_{settings.scale_height, settings.scale_width} {
  using nvinfer1::PluginFieldType;
  fields_ = {
      {"coordinate_transformation_mode", mode_.c_str(), PluginFieldType::kCHAR,
       static_cast<int32_t>(mode_.size() + 1)},
      {"cubic_coeff_a", &settings_.attributes.cubic_coeff_a, PluginFieldType::kFLOAT32, 1},
      {"exclude_outside", &switches_[0], PluginFieldType::kINT32, 1},
      {"antialias", &switches_[1], PluginFieldType::kINT32, 1},
  };
  if (settings.type == NodeType::kScales) {
    fields_.emplace_back("scales", scales_, PluginFieldType::kFLOAT32, 2);
  }
  collection_.nbFields = static_cast<int32_t>(fields_.size());
  collection_.fields = fields_.data();
}

nvinfer1::IPluginCapability* Plugin::getCapabilityInterface(
    nvinfer1::PluginCapabilityType type) noexcept {
  switch (type) {
    case nvinfer1::PluginCapabilityType::kCORE: return static_cast<IPluginV3OneCore*>(this);
    case nvinfer1::PluginCapabilityType::kBUILD: return static_cast<IPluginV3OneBuild*>(this);
    case nvinfer1::PluginCapabilityType::kRUNTIME: return static_cast<IPluginV3OneRuntime*>(this);
  }
  return nullptr;
}

nvinfer1::IPluginV3* Plugin::clone() noexcept { return new (std::nothrow) Plugin(*this); }

nvinfer1::AsciiChar const* Plugin::getPluginName() const noexcept {
  return tensorrt::NameOf(settings_.type);
}
nvinfer1::AsciiChar const* Plugin::getPluginVersion() const noexcept { return "1"; }
nvinfer1::AsciiChar const* Plugin::getPluginNamespace() const noexcept { return ""; }

int32_t Plugin::configurePlugin(DynamicPluginTensorDesc const* /*in*/, int32_t inputs,
                                DynamicPluginTensorDesc const* /*out*/, int32_t outputs) noexcept {
  const bool has_all = settings_.type == NodeType::kScales || inputs == 2;
  if (has_all && inputs <= 2 && outputs == 1) return 0;
  return Fail(Status::InvalidArgument(std::string(getPluginName()) + ": got " +
                                      std::to_string(inputs) + " inputs, expected X and " +
                                      (settings_.type == NodeType::kScales ? "scales" : "sizes")));
}

int32_t Plugin::getOutputDataTypes(DataType* out, int32_t /*outputs*/, DataType const* in,
                                   int32_t /*inputs*/) const noexcept {
  out[0] = in[0];
  return 0;
}

int32_t Plugin::getOutputShapes(nvinfer1::DimsExprs const* in, int32_t /*inputs*/,
                                nvinfer1::DimsExprs const* values, int32_t shape_inputs,
                                nvinfer1::DimsExprs* out, int32_t /*outputs*/,
                                nvinfer1::IExprBuilder& builder) noexcept {
  const int32_t rank = in[0].nbDims;
  if (rank < 2 || rank > 4) {
    return Fail(Status::InvalidArgument("X: got " + std::to_string(rank) +
                                        " axes, expected 2 (H, W), 3 (C, H, W) or 4 (N, C, H, W)"));
  }
  out[0] = in[0];
  if (settings_.type == NodeType::kSizes) {
    const int32_t count = shape_inputs == 1 ? values[0].nbDims : 0;
    if (count != 2 && count != rank) {
      return Fail(Status::InvalidArgument(
          "sizes: expected a shape tensor of 2 values (height, width), or of as many as X has "
          "axes; the node's attribute tensorrt_plugin_shape_input_indices has to be [1]"));
    }
    out[0].d[rank - 2] = values[0].d[count - 2];
    out[0].d[rank - 1] = values[0].d[count - 1];
    return 0;
  }
  Expressions expressions(&builder);
  const OutputExtent<Expressions> extent(&expressions);
  out[0].d[rank - 2] = extent(in[0].d[rank - 2], settings_.scale_height);
  out[0].d[rank - 1] = extent(in[0].d[rank - 1], settings_.scale_width);
  return out[0].d[rank - 2] && out[0].d[rank - 1] ? 0 : kFailed;
}

bool Plugin::supportsFormatCombination(int32_t position, DynamicPluginTensorDesc const* tensors,
                                       int32_t inputs, int32_t /*outputs*/) noexcept {
  const PluginTensorDesc& tensor = tensors[position].desc;
  const PluginTensorDesc& x = tensors[0].desc;
  sr_ops::DataType dtype;
  if (position == 0) return FindType(x.type, &dtype) && IsDense(x);
  if (position == inputs) return tensor.type == x.type && tensor.format == x.format;
  if (tensor.format != TensorFormat::kLINEAR) return false;
  if (settings_.type == NodeType::kScales) return tensor.type == DataType::kFLOAT;
  return tensor.type == DataType::kINT64 || tensor.type == DataType::kINT32;
}

size_t Plugin::getWorkspaceSize(DynamicPluginTensorDesc const* in, int32_t /*inputs*/,
                                DynamicPluginTensorDesc const* out,
                                int32_t /*outputs*/) const noexcept {
  return static_cast<size_t>(MostWorkspaceBytes(ShapeOf(in[0].max), ShapeOf(out[0].max)));
}

int32_t Plugin::onShapeChange(PluginTensorDesc const* in, int32_t /*inputs*/,
                              PluginTensorDesc const* out, int32_t /*outputs*/) noexcept {
  Problem problem;
  const Status status = Describe(settings_, in[0], out[0], &problem);
  return status.ok() ? 0 : Fail(status);
}

int32_t Plugin::enqueue(PluginTensorDesc const* in, PluginTensorDesc const* out,
                        void const* const* inputs, void* const* outputs, void* workspace,
                        cudaStream_t stream) noexcept {
  Problem problem;
  Status status = Describe(settings_, in[0], out[0], &problem);
  if (status.ok()) status = Run(problem, inputs[0], outputs[0], workspace, stream);
  return status.ok() ? 0 : Fail(status);
}

nvinfer1::IPluginV3* Plugin::attachToContext(
    nvinfer1::IPluginResourceContext* /*context*/) noexcept {
  return clone();
}

nvinfer1::PluginFieldCollection const* Plugin::getFieldsToSerialize() noexcept {
  return &collection_;
}

}  // namespace sr_ops::tensorrt
