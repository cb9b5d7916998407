#include "ort/operators.h"

#include <climits>
#include <memory>
#include <string>
#include <vector>

#include "ort/cpu_kernel.h"
#include "ort/error.h"

namespace sr_ops::ort {
namespace {

/// One class for each dtype, not one that takes any: type errors then surface when the model is
/// loaded, and the runtime infers the output's type.
struct Operator : OrtCustomOp {
  Operator(Target target, DataType dtype, ONNXTensorElementDataType element_type,
           const Device& device);

  Target target;
  DataType dtype;
  ONNXTensorElementDataType element_type;
  const Device& device;
};

const Operator& From(const OrtCustomOp* op) { return *static_cast<const Operator*>(op); }

const char* ORT_API_CALL NameOfOperator(const OrtCustomOp* op) {
  return From(op).target == Target::kScales ? "DynamicUpscale" : "DynamicUpscaleToSizes";
}

ONNXTensorElementDataType ORT_API_CALL TypeOfInput(const OrtCustomOp* op, size_t index) {
  if (index == 0) return From(op).element_type;
  return From(op).target == Target::kScales ? ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT
                                            : ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
}

ONNXTensorElementDataType ORT_API_CALL TypeOfOutput(const OrtCustomOp* op, size_t) {
  return From(op).element_type;
}

/// Puts the operator's and the node's name before an error at load time; at run time, the runtime
/// does that itself.
OrtStatus* WithNodeName(const OrtApi& api, const OrtCustomOp* op, const OrtKernelInfo* info,
                        OrtStatus* status) {
  char name[256] = "";
  size_t size = sizeof name;
  if (OrtStatus* failed = api.KernelInfo_GetNodeName(info, name, &size)) {
    api.ReleaseStatus(failed);  // too long a name: do without
    name[0] = '\0';
  }
  const std::string message =
      std::string(op->GetName(op)) + " node '" + name + "': " + api.GetErrorMessage(status);
  const OrtErrorCode code = api.GetErrorCode(status);
  api.ReleaseStatus(status);
  return api.CreateStatus(code, message.c_str());
}

OrtStatus* ORT_API_CALL NewKernel(const OrtCustomOp* op, const OrtApi* api,
                                  const OrtKernelInfo* info, void** kernel) {
  return WithoutExceptions(*api, [&]() -> OrtStatus* {
    auto created = From(op).device.make_kernel(*api, From(op).target, From(op).dtype);
    if (OrtStatus* status = created->Prepare(info)) return WithNodeName(*api, op, info, status);
    *kernel = created.release();
    return nullptr;
  });
}

OrtStatus* ORT_API_CALL RunKernel(void* kernel, OrtKernelContext* context) {
  const Kernel& self = *static_cast<const Kernel*>(kernel);
  return WithoutExceptions(self.api(), [&] { return self.Compute(context); });
}

void ORT_API_CALL DeleteKernel(void* kernel) { delete static_cast<Kernel*>(kernel); }

OrtCustomOpInputOutputCharacteristic ORT_API_CALL Required(const OrtCustomOp*, size_t) {
  return INPUT_OUTPUT_REQUIRED;
}

/// The second input is read on the host, wherever the first one lies; on the CPU that goes by
/// itself.
OrtMemType ORT_API_CALL MemoryOfInput(const OrtCustomOp* op, size_t index) {
  return index == 0 || From(op).device.provider == nullptr ? OrtMemTypeDefault : OrtMemTypeCPUInput;
}

Operator::Operator(Target target, DataType dtype, ONNXTensorElementDataType element_type,
                   const Device& device)
    : OrtCustomOp{}, target(target), dtype(dtype), element_type(element_type), device(device) {
  version = device.api_version;
  GetName = NameOfOperator;
  GetExecutionProviderType = [](const OrtCustomOp* op) { return From(op).device.provider; };
  GetInputType = TypeOfInput;
  GetInputTypeCount = [](const OrtCustomOp*) -> size_t { return 2; };
  GetOutputType = TypeOfOutput;
  GetOutputTypeCount = [](const OrtCustomOp*) -> size_t { return 1; };
  KernelDestroy = DeleteKernel;
  GetInputCharacteristic = Required;
  GetOutputCharacteristic = Required;
  GetInputMemoryType = MemoryOfInput;
  CreateKernelV2 = NewKernel;
  KernelComputeV2 = RunKernel;
  GetStartVersion = [](const OrtCustomOp*) { return 1; };
  GetEndVersion = [](const OrtCustomOp*) { return INT_MAX; };
}

struct ElementType {
  DataType dtype;
  ONNXTensorElementDataType onnx;
};
constexpr ElementType kElementTypes[] = {
    {DataType::kFloat32, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
    {DataType::kFloat64, ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE},
    {DataType::kFloat16, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16},
    {DataType::kBFloat16, ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16},
    {DataType::kUInt8, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8},
    {DataType::kInt8, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8},
};

constexpr Device kCpu = {nullptr, kApiVersion,
                         [](const OrtApi& api, Target target, DataType dtype) {
                           return std::unique_ptr<Kernel>(new CpuKernel(api, target, dtype));
                         }};

/// The GPU's, if this library holds it. Set while the library is loaded, before anyone registers.
const Device* gpu = nullptr;

std::vector<Operator> MakeOperators() {
  std::vector<Operator> operators;
  for (const Device* device : {&kCpu, gpu}) {
    if (device == nullptr) continue;
    for (Target target : {Target::kScales, Target::kSizes}) {
      for (const ElementType& type : kElementTypes) {
        operators.emplace_back(target, type.dtype, type.onnx, *device);
      }
    }
  }
  return operators;
}

}  // namespace

bool OfferGpu(const Device& device) {
  gpu = &device;
  return true;
}

OrtStatus* AddOperators(const OrtApiBase& api_base, const OrtApi& api, OrtCustomOpDomain* domain) {
  // Never destroyed: a session may outlive static destructors.
  static const std::vector<Operator>* operators = new std::vector<Operator>(MakeOperators());
  const bool gpu_serves = gpu != nullptr && api_base.GetApi(gpu->api_version) != nullptr;
  for (const Operator& op : *operators) {
    if (&op.device == gpu && !gpu_serves) continue;
    if (OrtStatus* status = api.CustomOpDomain_Add(domain, &op)) return status;
  }
  return nullptr;
}

}  // namespace sr_ops::ort
