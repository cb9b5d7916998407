#include "ort/provider/ep_api.h"

#include <cstddef>

namespace sr_ops::ort::ep {
namespace {

/// Positions in OrtApi, which is a table of function pointers and nothing else.
namespace api_slot {
constexpr size_t kHardwareDeviceType = 307;
constexpr size_t kGetEpApi = 317;
constexpr size_t kGraphGetNumNodes = 344;
constexpr size_t kGraphGetNodes = 345;
constexpr size_t kNodeGetOperatorType = 350;
constexpr size_t kNodeGetDomain = 351;
constexpr size_t kNodeGetAttributeByName = 361;
}  // namespace api_slot

/// Positions in OrtEpApi, another one.
namespace ep_slot {
constexpr size_t kCreateEpDevice = 0;
constexpr size_t kAddSingleNode = 3;
constexpr size_t kCreateKernelRegistry = 18;
constexpr size_t kReleaseKernelRegistry = 19;
constexpr size_t kAddKernel = 20;
constexpr size_t kCreateKernelDefBuilder = 21;
constexpr size_t kReleaseKernelDefBuilder = 22;
constexpr size_t kSetOperatorType = 23;
constexpr size_t kSetDomain = 24;
constexpr size_t kSetSinceVersion = 25;
constexpr size_t kSetExecutionProvider = 26;
constexpr size_t kAddTypeConstraint = 29;
constexpr size_t kBuild = 32;
constexpr size_t kReleaseKernelDef = 33;
constexpr size_t kGetTensorDataType = 40;
constexpr size_t kLookUpKernel = 41;
}  // namespace ep_slot

// Where the headers are new enough, the compiler compares.
#if ORT_API_VERSION >= 23
#define SR_OPS_SAME_SLOT(table, name, slot) \
  static_assert(offsetof(table, name) == (slot) * sizeof(void*), #name)
#define SR_OPS_SAME_PLACE(theirs, ours, name) \
  static_assert(offsetof(theirs, name) == offsetof(ours, name), #name)
SR_OPS_SAME_SLOT(OrtApi, HardwareDevice_Type, api_slot::kHardwareDeviceType);
SR_OPS_SAME_SLOT(OrtApi, GetEpApi, api_slot::kGetEpApi);
SR_OPS_SAME_SLOT(OrtApi, Graph_GetNumNodes, api_slot::kGraphGetNumNodes);
SR_OPS_SAME_SLOT(OrtApi, Graph_GetNodes, api_slot::kGraphGetNodes);
SR_OPS_SAME_SLOT(OrtApi, Node_GetOperatorType, api_slot::kNodeGetOperatorType);
SR_OPS_SAME_SLOT(OrtApi, Node_GetDomain, api_slot::kNodeGetDomain);
SR_OPS_SAME_SLOT(OrtApi, Node_GetAttributeByName, api_slot::kNodeGetAttributeByName);
SR_OPS_SAME_SLOT(OrtEpApi, CreateEpDevice, ep_slot::kCreateEpDevice);
SR_OPS_SAME_SLOT(OrtEpApi, EpGraphSupportInfo_AddSingleNode, ep_slot::kAddSingleNode);
SR_OPS_SAME_PLACE(OrtEp, Ep, GetCapability);
SR_OPS_SAME_PLACE(OrtEp, Ep, GetCompiledModelCompatibilityInfo);
SR_OPS_SAME_PLACE(OrtEpFactory, EpFactory, GetSupportedDevices);
SR_OPS_SAME_PLACE(OrtEpFactory, EpFactory, CreateSyncStreamForDevice);
#endif
#if ORT_API_VERSION >= 24
SR_OPS_SAME_SLOT(OrtEpApi, CreateKernelRegistry, ep_slot::kCreateKernelRegistry);
SR_OPS_SAME_SLOT(OrtEpApi, ReleaseKernelRegistry, ep_slot::kReleaseKernelRegistry);
SR_OPS_SAME_SLOT(OrtEpApi, KernelRegistry_AddKernel, ep_slot::kAddKernel);
SR_OPS_SAME_SLOT(OrtEpApi, CreateKernelDefBuilder, ep_slot::kCreateKernelDefBuilder);
SR_OPS_SAME_SLOT(OrtEpApi, ReleaseKernelDefBuilder, ep_slot::kReleaseKernelDefBuilder);
SR_OPS_SAME_SLOT(OrtEpApi, KernelDefBuilder_SetOperatorType, ep_slot::kSetOperatorType);
SR_OPS_SAME_SLOT(OrtEpApi, KernelDefBuilder_SetDomain, ep_slot::kSetDomain);
SR_OPS_SAME_SLOT(OrtEpApi, KernelDefBuilder_SetSinceVersion, ep_slot::kSetSinceVersion);
SR_OPS_SAME_SLOT(OrtEpApi, KernelDefBuilder_SetExecutionProvider, ep_slot::kSetExecutionProvider);
SR_OPS_SAME_SLOT(OrtEpApi, KernelDefBuilder_AddTypeConstraint, ep_slot::kAddTypeConstraint);
SR_OPS_SAME_SLOT(OrtEpApi, KernelDefBuilder_Build, ep_slot::kBuild);
SR_OPS_SAME_SLOT(OrtEpApi, ReleaseKernelDef, ep_slot::kReleaseKernelDef);
SR_OPS_SAME_SLOT(OrtEpApi, GetTensorDataType, ep_slot::kGetTensorDataType);
SR_OPS_SAME_SLOT(OrtEpApi, EpGraphSupportInfo_LookUpKernel, ep_slot::kLookUpKernel);
SR_OPS_SAME_PLACE(OrtKernelImpl, KernelImpl, Compute);
SR_OPS_SAME_PLACE(OrtKernelImpl, KernelImpl, Release);
SR_OPS_SAME_PLACE(OrtEp, Ep, GetKernelRegistry);
SR_OPS_SAME_PLACE(OrtEp, Ep, IsConcurrentRunSupported);
SR_OPS_SAME_PLACE(OrtEpFactory, EpFactory, GetNumCustomOpDomains);
SR_OPS_SAME_PLACE(OrtEpFactory, EpFactory, GetCustomOpDomains);
#endif

template <typename Function>
void Take(const void* table, size_t slot, Function* function) {
  *function = reinterpret_cast<Function>(static_cast<void* const*>(table)[slot]);
}

}  // namespace

Functions::Functions(const OrtApi& api) {
  Take(&api, api_slot::kGraphGetNumNodes, &Graph_GetNumNodes);
  Take(&api, api_slot::kGraphGetNodes, &Graph_GetNodes);
  Take(&api, api_slot::kNodeGetOperatorType, &Node_GetOperatorType);
  Take(&api, api_slot::kNodeGetDomain, &Node_GetDomain);
  Take(&api, api_slot::kNodeGetAttributeByName, &Node_GetAttributeByName);
  Take(&api, api_slot::kHardwareDeviceType, &HardwareDevice_Type);

  const void*(ORT_API_CALL * get_ep_api)() noexcept;
  Take(&api, api_slot::kGetEpApi, &get_ep_api);
  const void* ep_api = get_ep_api();
  Take(ep_api, ep_slot::kCreateEpDevice, &CreateEpDevice);
  Take(ep_api, ep_slot::kAddSingleNode, &EpGraphSupportInfo_AddSingleNode);
  Take(ep_api, ep_slot::kLookUpKernel, &EpGraphSupportInfo_LookUpKernel);
  Take(ep_api, ep_slot::kCreateKernelRegistry, &CreateKernelRegistry);
  Take(ep_api, ep_slot::kReleaseKernelRegistry, &ReleaseKernelRegistry);
  Take(ep_api, ep_slot::kAddKernel, &KernelRegistry_AddKernel);
  Take(ep_api, ep_slot::kCreateKernelDefBuilder, &CreateKernelDefBuilder);
  Take(ep_api, ep_slot::kReleaseKernelDefBuilder, &ReleaseKernelDefBuilder);
  Take(ep_api, ep_slot::kSetOperatorType, &KernelDefBuilder_SetOperatorType);
  Take(ep_api, ep_slot::kSetDomain, &KernelDefBuilder_SetDomain);
  Take(ep_api, ep_slot::kSetSinceVersion, &KernelDefBuilder_SetSinceVersion);
  Take(ep_api, ep_slot::kSetExecutionProvider, &KernelDefBuilder_SetExecutionProvider);
  Take(ep_api, ep_slot::kAddTypeConstraint, &KernelDefBuilder_AddTypeConstraint);
  Take(ep_api, ep_slot::kBuild, &KernelDefBuilder_Build);
  Take(ep_api, ep_slot::kReleaseKernelDef, &ReleaseKernelDef);
  Take(ep_api, ep_slot::kGetTensorDataType, &GetTensorDataType);
}

}  // namespace sr_ops::ort::ep
