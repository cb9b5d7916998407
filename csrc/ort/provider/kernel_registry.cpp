#include "ort/provider/kernel_registry.h"

#include <cstddef>
#include <memory>

#include "ort/cpu_kernel.h"
#include "ort/element_type.h"
#include "ort/error.h"
#include "ort/tensor.h"

namespace sr_ops::ort {
namespace {

/// Versions of Resize that mean the same to us: since 11 there is a mode "cubic".
struct Versions {
  int first;
  int last;
};
constexpr Versions kVersions[] = {{11, 12}, {13, 17}, {18, 18}, {19, 19}};

struct NodeKernel : ep::KernelImpl {
  NodeKernel(const OrtApi& api, DataType dtype);

  CpuKernel kernel;
};

NodeKernel::NodeKernel(const OrtApi& api, DataType dtype) : kernel(api, NodeType::kResize, dtype) {
  Compute = [](ep::KernelImpl* self, OrtKernelContext* context) noexcept -> OrtStatus* {
    const OpKernel& kernel = static_cast<NodeKernel*>(self)->kernel;
    return WithoutExceptions(kernel.api(), [&] { return kernel.Compute(context); });
  };
  Release = [](ep::KernelImpl* self) noexcept { delete static_cast<NodeKernel*>(self); };
}

OrtStatus* FindElementType(const OrtApi& api, const OrtKernelInfo* info, DataType* dtype) {
  ONNXTensorElementDataType found;
  if (OrtStatus* status = GetDeclaredElementType(api, info, 0, &found)) return status;
  for (const ElementType& type : kElementTypes) {
    if (type.onnx != found) continue;
    *dtype = type.dtype;
    return nullptr;
  }
  return InvalidArgument(api, "X: its element type is none that sr_ops takes");
}

/// `state` is the OrtApi.
OrtStatus* ORT_API_CALL NewKernel(void* state, const OrtKernelInfo* info, ep::KernelImpl** kernel) {
  const OrtApi& api = *static_cast<const OrtApi*>(state);
  return WithoutExceptions(api, [&]() -> OrtStatus* {
    DataType dtype;
    OrtStatus* status = FindElementType(api, info, &dtype);
    std::unique_ptr<NodeKernel> created;
    if (status == nullptr) {
      created = std::make_unique<NodeKernel>(api, dtype);
      status = created->kernel.Prepare(info);
    }
    if (status != nullptr) return WithNodeName(api, NodeType::kResize, info, status);
    *kernel = created.release();
    return nullptr;
  });
}

OrtStatus* Describe(const ep::Functions& functions, Versions versions,
                    OrtKernelDefBuilder* builder) {
  const OrtDataType* types[std::size(kElementTypes)];
  for (size_t i = 0; i < std::size(kElementTypes); ++i) {
    if (OrtStatus* status = functions.GetTensorDataType(kElementTypes[i].onnx, &types[i])) {
      return status;
    }
  }
  OrtStatus* status = functions.KernelDefBuilder_SetOperatorType(builder, "Resize");
  if (!status) status = functions.KernelDefBuilder_SetDomain(builder, "");
  if (!status) {
    status = functions.KernelDefBuilder_SetSinceVersion(builder, versions.first, versions.last);
  }
  if (!status) status = functions.KernelDefBuilder_SetExecutionProvider(builder, kProviderName);
  if (!status) {
    status = functions.KernelDefBuilder_AddTypeConstraint(builder, "T1", types, std::size(types));
  }
  return status;
}

OrtStatus* AddKernel(const OrtApi& api, const ep::Functions& functions, Versions versions,
                     OrtKernelRegistry* registry) {
  OrtKernelDefBuilder* builder = nullptr;
  OrtKernelDef* definition = nullptr;
  OrtStatus* status = functions.CreateKernelDefBuilder(&builder);
  if (!status) status = Describe(functions, versions, builder);
  if (!status) status = functions.KernelDefBuilder_Build(builder, &definition);
  if (!status) {
    status = functions.KernelRegistry_AddKernel(registry, definition, NewKernel,
                                                const_cast<OrtApi*>(&api));
  }
  if (definition != nullptr) functions.ReleaseKernelDef(definition);
  if (builder != nullptr) functions.ReleaseKernelDefBuilder(builder);
  return status;
}

}  // namespace

OrtStatus* MakeKernelRegistry(const OrtApi& api, const ep::Functions& functions,
                              OrtKernelRegistry** registry) {
  if (OrtStatus* status = functions.CreateKernelRegistry(registry)) return status;
  for (const Versions& versions : kVersions) {
    OrtStatus* status = AddKernel(api, functions, versions, *registry);
    if (status == nullptr) continue;
    functions.ReleaseKernelRegistry(*registry);
    *registry = nullptr;
    return status;
  }
  return nullptr;
}

}  // namespace sr_ops::ort
