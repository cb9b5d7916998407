// The execution provider: takes the cubic Resize nodes of any model. Its entry points are what
// ONNX Runtime looks up in a library that it is given by RegisterExecutionProviderLibrary.
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "ort/error.h"
#include "ort/operators.h"
#include "ort/provider/capability.h"
#include "ort/provider/ep_api.h"
#include "ort/provider/kernel_registry.h"
#include "ort/register.h"
#include "sr_ops/ort.h"

namespace sr_ops::ort {
namespace {

/// One for each runtime in the process, kept for ever: whoever unregisters the library while a
/// session is open loses nothing.
class Factory : public ep::EpFactory {
 public:
  Factory(const OrtApiBase& api_base, const OrtApi& api);

  const OrtApi& api() const { return api_; }
  const ep::Functions& functions() const { return functions_; }
  OrtStatus* GetRegistry(const OrtKernelRegistry** registry);
  OrtStatus* FindDevices(const OrtHardwareDevice* const* devices, size_t count,
                         OrtEpDevice** ep_devices, size_t max_ep_devices, size_t* num_ep_devices);

 private:
  const OrtApiBase& api_base_;
  const OrtApi& api_;
  ep::Functions functions_;
  std::mutex mutex_;
  OrtKernelRegistry* registry_ = nullptr;  // made when the first session asks
};

Factory& From(ep::EpFactory* self) { return *static_cast<Factory*>(self); }

/// The provider in one session.
struct Provider : ep::Ep {
  explicit Provider(Factory& factory);

  Factory& factory;
};

Provider& From(ep::Ep* self) { return *static_cast<Provider*>(self); }

Provider::Provider(Factory& factory) : factory(factory) {
  GetName = [](const ep::Ep*) noexcept { return kProviderName; };
  GetCapability = [](ep::Ep* self, const OrtGraph* graph,
                     OrtEpGraphSupportInfo* support) noexcept -> OrtStatus* {
    Factory& factory = From(self).factory;
    return WithoutExceptions(factory.api(), [&] {
      return ClaimNodes(factory.api(), factory.functions(), graph, support);
    });
  };
  GetKernelRegistry = [](ep::Ep* self, const OrtKernelRegistry** registry) noexcept -> OrtStatus* {
    Factory& factory = From(self).factory;
    return WithoutExceptions(factory.api(), [&] { return factory.GetRegistry(registry); });
  };
  IsConcurrentRunSupported = [](ep::Ep*, bool* is_supported) noexcept -> OrtStatus* {
    *is_supported = true;
    return nullptr;
  };
}

Factory::Factory(const OrtApiBase& api_base, const OrtApi& api)
    : api_base_(api_base), api_(api), functions_(api) {
  GetName = [](const ep::EpFactory*) noexcept { return kProviderName; };
  GetVendor = [](const ep::EpFactory*) noexcept { return "sr_ops"; };
  GetVendorId = [](const ep::EpFactory*) noexcept -> uint32_t { return 0; };  // makes no device
  GetVersion = [](const ep::EpFactory*) noexcept { return SR_OPS_VERSION; };
  GetSupportedDevices = [](ep::EpFactory* self, const OrtHardwareDevice* const* devices,
                           size_t num_devices, OrtEpDevice** ep_devices, size_t max_ep_devices,
                           size_t* num_ep_devices) noexcept -> OrtStatus* {
    return From(self).FindDevices(devices, num_devices, ep_devices, max_ep_devices, num_ep_devices);
  };
  CreateEp = [](ep::EpFactory* self, const OrtHardwareDevice* const*,
                const OrtKeyValuePairs* const*, size_t, const OrtSessionOptions*, const OrtLogger*,
                ep::Ep** ep) noexcept -> OrtStatus* {
    return WithoutExceptions(From(self).api(), [&]() -> OrtStatus* {
      *ep = new Provider(From(self));
      return nullptr;
    });
  };
  ReleaseEp = [](ep::EpFactory*, ep::Ep* ep) noexcept { delete static_cast<Provider*>(ep); };
  // Null stands for the CPU's own, in these three.
  CreateAllocator = [](ep::EpFactory*, const OrtMemoryInfo*, const OrtKeyValuePairs*,
                       OrtAllocator** allocator) noexcept -> OrtStatus* {
    *allocator = nullptr;
    return nullptr;
  };
  ReleaseAllocator = [](ep::EpFactory*, OrtAllocator*) noexcept {};
  CreateDataTransfer = [](ep::EpFactory*, OrtDataTransferImpl** transfer) noexcept -> OrtStatus* {
    *transfer = nullptr;
    return nullptr;
  };
  IsStreamAware = [](const ep::EpFactory*) noexcept { return false; };
  CreateSyncStreamForDevice = [](ep::EpFactory*, const OrtMemoryDevice*, const OrtKeyValuePairs*,
                                 OrtSyncStreamImpl** stream) noexcept -> OrtStatus* {
    *stream = nullptr;
    return nullptr;
  };
  // DynamicUpscale and DynamicUpscaleToSizes come along.
  GetNumCustomOpDomains = [](ep::EpFactory*, size_t* count) noexcept -> OrtStatus* {
    *count = 1;
    return nullptr;
  };
  GetCustomOpDomains = [](ep::EpFactory* self, OrtCustomOpDomain** domains,
                          size_t count) noexcept -> OrtStatus* {
    const Factory& factory = From(self);
    return WithoutExceptions(factory.api(), [&]() -> OrtStatus* {
      return count == 0 ? nullptr : GetDomain(factory.api_base_, domains);
    });
  };
}

OrtStatus* Factory::GetRegistry(const OrtKernelRegistry** registry) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (registry_ == nullptr) {
    if (OrtStatus* status = MakeKernelRegistry(api_, functions_, &registry_)) return status;
  }
  *registry = registry_;
  return nullptr;
}

OrtStatus* Factory::FindDevices(const OrtHardwareDevice* const* devices, size_t count,
                                OrtEpDevice** ep_devices, size_t max_ep_devices,
                                size_t* num_ep_devices) {
  *num_ep_devices = 0;
  for (size_t i = 0; i < count; ++i) {
    if (functions_.HardwareDevice_Type(devices[i]) != ep::kCpuDevice) continue;
    if (max_ep_devices == 0) break;
    if (OrtStatus* status =
            functions_.CreateEpDevice(this, devices[i], nullptr, nullptr, ep_devices)) {
      return status;
    }
    *num_ep_devices = 1;
    break;  // one is enough: they share their memory
  }
  return nullptr;
}

Factory& GetFactory(const OrtApiBase& api_base, const OrtApi& api) {
  static std::mutex mutex;
  static auto* factories = new std::map<const OrtApi*, std::unique_ptr<Factory>>;
  std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<Factory>& known = (*factories)[&api];
  if (known == nullptr) known = std::make_unique<Factory>(api_base, api);
  return *known;
}

}  // namespace
}  // namespace sr_ops::ort

OrtStatus* CreateEpFactories(const char* /*registered_name*/, const OrtApiBase* api_base,
                             const OrtLogger* /*default_logger*/, OrtEpFactory** factories,
                             size_t max_factories, size_t* num_factories) noexcept {
  using namespace sr_ops::ort;
  const OrtApi* api = api_base->GetApi(ep::kVersion);
  if (api == nullptr) {
    return TooOld(*api_base, "the execution provider of sr_ops needs ONNX Runtime 1.24 or newer",
                  "Upgrade with: pip install -U onnxruntime; or convert the model with: "
                  "sr-ops accelerate IN.onnx OUT.onnx");
  }
  return WithoutExceptions(*api, [&]() -> OrtStatus* {
    if (max_factories == 0) return InvalidArgument(*api, "sr_ops: no room for its factory");
    ep::EpFactory* factory = &GetFactory(*api_base, *api);
    factories[0] = reinterpret_cast<OrtEpFactory*>(factory);
    *num_factories = 1;
    return nullptr;
  });
}

OrtStatus* ReleaseEpFactory(OrtEpFactory* /*factory*/) noexcept { return nullptr; }
