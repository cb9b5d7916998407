#include "ort/operators.h"

#include <climits>
#include <memory>
#include <string>
#include <vector>

#include "ort/cpu_kernel.h"
#include "ort/element_type.h"
#include "ort/error.h"

namespace sr_ops::ort {
namespace {

/// One for each type of its inputs, not one that takes any: type errors then surface when the model
/// is loaded, and the runtime infers the output's type.
struct Operator : OrtCustomOp {
  Operator(NodeType type, const ElementType& element, ONNXTensorElementDataType extent_type,
           const Device& device);

  NodeType type;
  ElementType element;
  ONNXTensorElementDataType extent_type;  // of scales or sizes
  const Device& device;
};

const Operator& From(const OrtCustomOp* op) { return *static_cast<const Operator*>(op); }

const char* ORT_API_CALL NameOfOperator(const OrtCustomOp* op) { return NameOf(From(op).type); }

ONNXTensorElementDataType ORT_API_CALL TypeOfInput(const OrtCustomOp* op, size_t index) {
  return index == 0 ? From(op).element.onnx : From(op).extent_type;
}

ONNXTensorElementDataType ORT_API_CALL TypeOfOutput(const OrtCustomOp* op, size_t) {
  return From(op).element.onnx;
}

OrtStatus* ORT_API_CALL NewKernel(const OrtCustomOp* op, const OrtApi* api,
                                  const OrtKernelInfo* info, void** kernel) {
  return WithoutExceptions(*api, [&]() -> OrtStatus* {
    const Operator& self = From(op);
    auto created = self.device.make_kernel(*api, self.type, self.element.dtype);
    if (OrtStatus* status = created->Prepare(info)) {
      return WithNodeName(*api, self.type, info, status);
    }
    *kernel = created.release();
    return nullptr;
  });
}

OrtStatus* ORT_API_CALL RunKernel(void* kernel, OrtKernelContext* context) {
  const OpKernel& self = *static_cast<const OpKernel*>(kernel);
  return WithoutExceptions(self.api(), [&] { return self.Compute(context); });
}

void ORT_API_CALL DeleteKernel(void* kernel) { delete static_cast<OpKernel*>(kernel); }

OrtCustomOpInputOutputCharacteristic ORT_API_CALL Required(const OrtCustomOp*, size_t) {
  return INPUT_OUTPUT_REQUIRED;
}

/// The second input is read on the host, wherever the first one lies; on the CPU that goes by
/// itself.
OrtMemType ORT_API_CALL MemoryOfInput(const OrtCustomOp* op, size_t index) {
  return index == 0 || From(op).device.provider == nullptr ? OrtMemTypeDefault : OrtMemTypeCPUInput;
}

Operator::Operator(NodeType type, const ElementType& element, ONNXTensorElementDataType extent_type,
                   const Device& device)
    : OrtCustomOp{}, type(type), element(element), extent_type(extent_type), device(device) {
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

constexpr Device kCpu = {nullptr, kApiVersion,
                         [](const OrtApi& api, NodeType type, DataType dtype) {
                           return std::unique_ptr<OpKernel>(new CpuKernel(api, type, dtype));
                         }};

/// The GPU's, if this library holds it. Set while the library is loaded, before anyone registers.
const Device* gpu = nullptr;

std::vector<Operator> MakeOperators() {
  std::vector<Operator> operators;
  for (const Device* device : {&kCpu, gpu}) {
    if (device == nullptr) continue;
    for (const ElementType& element : kElementTypes) {
      for (ONNXTensorElementDataType scales : kScaleTypes) {
        operators.emplace_back(NodeType::kDynamicUpscale, element, scales, *device);
      }
      for (ONNXTensorElementDataType sizes : kSizeTypes) {
        operators.emplace_back(NodeType::kDynamicUpscaleToSizes, element, sizes, *device);
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
