// The parts of ONNX Runtime's interface for execution providers that ours uses: version 24 of the
// API, of ONNX Runtime 1.24. Declared here because systems package older headers. The names of
// functions and members, their order and their arguments are those of onnxruntime_c_api.h and
// onnxruntime_ep_c_api.h of ONNX Runtime (Copyright Microsoft Corporation, MIT licence: see
// THIRD_PARTY_NOTICES.md), whose tables and structures only grow at their ends.
#pragma once

#include <onnxruntime_c_api.h>

#include <cstddef>
#include <cstdint>

// Opaque, and unknown to older headers.
struct OrtDataType;
struct OrtDataTransferImpl;
struct OrtEpDevice;
struct OrtEpGraphSupportInfo;
struct OrtGraph;
struct OrtHardwareDevice;
struct OrtKernelDef;
struct OrtKernelDefBuilder;
struct OrtKernelRegistry;
struct OrtKeyValuePairs;
struct OrtMemoryDevice;
struct OrtNode;
struct OrtSyncStreamImpl;

namespace sr_ops::ort::ep {

/// The version that everything here is of; what the structures below say of themselves.
constexpr uint32_t kVersion = 24;

/// Behind each structure that the runtime reads: should it look beyond what it is told to.
struct Room {
  void* empty[16] = {};
};

using Unused = void (*)();

/// OrtKernelImpl: one node's kernel.
struct KernelImpl {
  uint32_t ort_version_supported = kVersion;
  uint32_t flags = 0;
  OrtStatus*(ORT_API_CALL* Compute)(KernelImpl*, OrtKernelContext*) noexcept = nullptr;
  void(ORT_API_CALL* Release)(KernelImpl*) noexcept = nullptr;
  Unused PrePackWeight = nullptr;
  Unused SetSharedPrePackedWeight = nullptr;
  Room room;
};

/// OrtKernelCreateFunc
using KernelCreateFunc = OrtStatus*(ORT_API_CALL*)(void* state, const OrtKernelInfo*, KernelImpl**);

/// OrtEp: the provider in one session.
struct Ep {
  uint32_t ort_version_supported = kVersion;
  const char*(ORT_API_CALL* GetName)(const Ep*) noexcept = nullptr;
  OrtStatus*(ORT_API_CALL* GetCapability)(Ep*, const OrtGraph*,
                                          OrtEpGraphSupportInfo*) noexcept = nullptr;
  Unused Compile = nullptr;
  Unused ReleaseNodeComputeInfos = nullptr;
  Unused GetPreferredDataLayout = nullptr;
  Unused ShouldConvertDataLayoutForOp = nullptr;
  Unused SetDynamicOptions = nullptr;
  Unused OnRunStart = nullptr;
  Unused OnRunEnd = nullptr;
  Unused CreateAllocator = nullptr;
  Unused CreateSyncStreamForDevice = nullptr;
  Unused GetCompiledModelCompatibilityInfo = nullptr;
  OrtStatus*(ORT_API_CALL* GetKernelRegistry)(Ep*, const OrtKernelRegistry**) noexcept = nullptr;
  OrtStatus*(ORT_API_CALL* IsConcurrentRunSupported)(Ep*, bool*) noexcept = nullptr;
  Room room;
};

/// OrtEpFactory: the provider in the process.
struct EpFactory {
  uint32_t ort_version_supported = kVersion;
  const char*(ORT_API_CALL* GetName)(const EpFactory*) noexcept = nullptr;
  const char*(ORT_API_CALL* GetVendor)(const EpFactory*) noexcept = nullptr;
  OrtStatus*(ORT_API_CALL* GetSupportedDevices)(EpFactory*, const OrtHardwareDevice* const* devices,
                                                size_t num_devices, OrtEpDevice** ep_devices,
                                                size_t max_ep_devices,
                                                size_t* num_ep_devices) noexcept = nullptr;
  OrtStatus*(ORT_API_CALL* CreateEp)(EpFactory*, const OrtHardwareDevice* const* devices,
                                     const OrtKeyValuePairs* const* ep_metadata_pairs,
                                     size_t num_devices, const OrtSessionOptions*, const OrtLogger*,
                                     Ep**) noexcept = nullptr;
  void(ORT_API_CALL* ReleaseEp)(EpFactory*, Ep*) noexcept = nullptr;
  uint32_t(ORT_API_CALL* GetVendorId)(const EpFactory*) noexcept = nullptr;
  const char*(ORT_API_CALL* GetVersion)(const EpFactory*) noexcept = nullptr;
  Unused ValidateCompiledModelCompatibilityInfo = nullptr;
  OrtStatus*(ORT_API_CALL* CreateAllocator)(EpFactory*, const OrtMemoryInfo*,
                                            const OrtKeyValuePairs*,
                                            OrtAllocator**) noexcept = nullptr;
  void(ORT_API_CALL* ReleaseAllocator)(EpFactory*, OrtAllocator*) noexcept = nullptr;
  OrtStatus*(ORT_API_CALL* CreateDataTransfer)(EpFactory*,
                                               OrtDataTransferImpl**) noexcept = nullptr;
  bool(ORT_API_CALL* IsStreamAware)(const EpFactory*) noexcept = nullptr;
  OrtStatus*(ORT_API_CALL* CreateSyncStreamForDevice)(EpFactory*, const OrtMemoryDevice*,
                                                      const OrtKeyValuePairs*,
                                                      OrtSyncStreamImpl**) noexcept = nullptr;
  Unused GetHardwareDeviceIncompatibilityDetails = nullptr;
  Unused CreateExternalResourceImporterForDevice = nullptr;
  OrtStatus*(ORT_API_CALL* GetNumCustomOpDomains)(EpFactory*, size_t*) noexcept = nullptr;
  OrtStatus*(ORT_API_CALL* GetCustomOpDomains)(EpFactory*, OrtCustomOpDomain**,
                                               size_t) noexcept = nullptr;
  Room room;
};

/// OrtHardwareDeviceType
enum HardwareDeviceType : uint32_t { kCpuDevice = 0 };

/// The functions that are called, out of the runtime's two tables.
struct Functions {
  /// `api`: of kVersion.
  explicit Functions(const OrtApi& api);

  // OrtApi
  OrtStatus*(ORT_API_CALL* Graph_GetNumNodes)(const OrtGraph*, size_t*) noexcept;
  OrtStatus*(ORT_API_CALL* Graph_GetNodes)(const OrtGraph*, const OrtNode**, size_t) noexcept;
  OrtStatus*(ORT_API_CALL* Node_GetOperatorType)(const OrtNode*, const char**) noexcept;
  OrtStatus*(ORT_API_CALL* Node_GetDomain)(const OrtNode*, const char**) noexcept;
  OrtStatus*(ORT_API_CALL* Node_GetAttributeByName)(const OrtNode*, const char*,
                                                    const OrtOpAttr**) noexcept;
  HardwareDeviceType(ORT_API_CALL* HardwareDevice_Type)(const OrtHardwareDevice*) noexcept;

  // OrtEpApi
  OrtStatus*(ORT_API_CALL* CreateEpDevice)(EpFactory*, const OrtHardwareDevice*,
                                           const OrtKeyValuePairs* ep_metadata,
                                           const OrtKeyValuePairs* ep_options,
                                           OrtEpDevice**) noexcept;
  OrtStatus*(ORT_API_CALL* EpGraphSupportInfo_AddSingleNode)(OrtEpGraphSupportInfo*,
                                                             const OrtNode*) noexcept;
  OrtStatus*(ORT_API_CALL* EpGraphSupportInfo_LookUpKernel)(OrtEpGraphSupportInfo*, const OrtNode*,
                                                            const OrtKernelDef**) noexcept;
  OrtStatus*(ORT_API_CALL* CreateKernelRegistry)(OrtKernelRegistry**) noexcept;
  void(ORT_API_CALL* ReleaseKernelRegistry)(OrtKernelRegistry*) noexcept;
  OrtStatus*(ORT_API_CALL* KernelRegistry_AddKernel)(OrtKernelRegistry*, const OrtKernelDef*,
                                                     KernelCreateFunc, void* state) noexcept;
  OrtStatus*(ORT_API_CALL* CreateKernelDefBuilder)(OrtKernelDefBuilder**) noexcept;
  void(ORT_API_CALL* ReleaseKernelDefBuilder)(OrtKernelDefBuilder*) noexcept;
  OrtStatus*(ORT_API_CALL* KernelDefBuilder_SetOperatorType)(OrtKernelDefBuilder*,
                                                             const char*) noexcept;
  OrtStatus*(ORT_API_CALL* KernelDefBuilder_SetDomain)(OrtKernelDefBuilder*, const char*) noexcept;
  OrtStatus*(ORT_API_CALL* KernelDefBuilder_SetSinceVersion)(OrtKernelDefBuilder*, int start,
                                                             int end) noexcept;
  OrtStatus*(ORT_API_CALL* KernelDefBuilder_SetExecutionProvider)(OrtKernelDefBuilder*,
                                                                  const char*) noexcept;
  OrtStatus*(ORT_API_CALL* KernelDefBuilder_AddTypeConstraint)(OrtKernelDefBuilder*, const char*,
                                                               const OrtDataType* const*,
                                                               size_t) noexcept;
  OrtStatus*(ORT_API_CALL* KernelDefBuilder_Build)(OrtKernelDefBuilder*, OrtKernelDef**) noexcept;
  void(ORT_API_CALL* ReleaseKernelDef)(OrtKernelDef*) noexcept;
  OrtStatus*(ORT_API_CALL* GetTensorDataType)(ONNXTensorElementDataType,
                                              const OrtDataType**) noexcept;
};

}  // namespace sr_ops::ort::ep
