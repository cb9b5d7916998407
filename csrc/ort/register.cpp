#include "ort/register.h"

#include <map>
#include <mutex>
#include <string>

#include "ort/error.h"
#include "ort/operators.h"
#include "sr_ops/ort.h"

namespace sr_ops::ort {
namespace {

/// Set in the session options that already have the domain: the runtime refuses to add one twice.
constexpr const char* kRegisteredKey = "sr_ops.registered";

OrtStatus* MakeDomain(const OrtApiBase& api_base, const OrtApi& api, OrtCustomOpDomain** domain) {
  if (OrtStatus* status = api.CreateCustomOpDomain(kDomain, domain)) return status;
  OrtStatus* status = AddOperators(api_base, api, *domain);
  if (status == nullptr) return nullptr;
  api.ReleaseCustomOpDomain(*domain);
  *domain = nullptr;
  return status;
}

}  // namespace

OrtStatus* GetDomain(const OrtApiBase& api_base, OrtCustomOpDomain** domain) {
  const OrtApi& api = *api_base.GetApi(kApiVersion);
  static std::mutex mutex;
  static auto* domains = new std::map<const OrtApi*, OrtCustomOpDomain*>;
  std::lock_guard<std::mutex> lock(mutex);
  OrtCustomOpDomain*& known = (*domains)[&api];
  if (known == nullptr) {
    if (OrtStatus* status = MakeDomain(api_base, api, &known)) return status;
  }
  *domain = known;
  return nullptr;
}

namespace {

OrtStatus* Register(const OrtApiBase& api_base, const OrtApi& api, OrtSessionOptions* options) {
  int registered = 0;
  if (OrtStatus* status = api.HasSessionConfigEntry(options, kRegisteredKey, &registered)) {
    return status;
  }
  if (registered) return nullptr;
  OrtCustomOpDomain* domain = nullptr;
  if (OrtStatus* status = GetDomain(api_base, &domain)) return status;
  if (OrtStatus* status = api.AddCustomOpDomain(options, domain)) return status;
  return api.AddSessionConfigEntry(options, kRegisteredKey, "1");
}

}  // namespace
}  // namespace sr_ops::ort

OrtStatus* ORT_API_CALL SrOpsRegisterCustomOps(OrtSessionOptions* options,
                                               const OrtApiBase* api_base) noexcept {
  using namespace sr_ops::ort;
  const OrtApi* api = api_base->GetApi(kApiVersion);
  if (api == nullptr) {
    return TooOld(*api_base, "sr_ops needs ONNX Runtime 1.17 or newer",
                  "Upgrade with: pip install -U onnxruntime");
  }
  return WithoutExceptions(*api, [&]() -> OrtStatus* {
    if (options == nullptr) return InvalidArgument(*api, "sr_ops: the session options are null");
    return Register(*api_base, *api, options);
  });
}
