// Errors on their way out of a callback: always an OrtStatus, never an exception.
#pragma once

#include <onnxruntime_c_api.h>

#include <new>
#include <string>

#include "core/status.h"

namespace sr_ops::ort {

/// Null where `status` is ok.
inline OrtStatus* ToOrtStatus(const OrtApi& api, const Status& status) {
  switch (status.code) {
    case StatusCode::kOk: return nullptr;
    case StatusCode::kInvalidArgument:
      return api.CreateStatus(ORT_INVALID_ARGUMENT, status.message.c_str());
    case StatusCode::kOutOfMemory:
      return api.CreateStatus(ORT_FAIL,
                              status.message.empty() ? "out of memory" : status.message.c_str());
    case StatusCode::kDeviceFailure: return api.CreateStatus(ORT_EP_FAIL, status.message.c_str());
  }
  return api.CreateStatus(ORT_FAIL, "sr_ops: unknown status");
}

/// Whether the call behind `status` succeeded; drops the status.
inline bool Succeeded(const OrtApi& api, OrtStatus* status) {
  if (status == nullptr) return true;
  api.ReleaseStatus(status);
  return false;
}

inline OrtStatus* InvalidArgument(const OrtApi& api, const std::string& message) {
  return api.CreateStatus(ORT_INVALID_ARGUMENT, message.c_str());
}

/// Runs `body`, which returns an OrtStatus*. An exception that left a callback would end the
/// process: the runtime is another library, with its own C++ runtime perhaps.
template <typename Body>
OrtStatus* WithoutExceptions(const OrtApi& api, Body&& body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return api.CreateStatus(ORT_FAIL, "sr_ops: out of memory");
  } catch (...) {
    return api.CreateStatus(ORT_FAIL, "sr_ops: unexpected C++ exception");
  }
}

/// The runtime lacks what `needs` says. Said through the oldest table of functions, which every
/// runtime has.
inline OrtStatus* TooOld(const OrtApiBase& api_base, const char* needs,
                         const char* advice) noexcept {
  const OrtApi& oldest = *api_base.GetApi(1);
  return WithoutExceptions(oldest, [&] {
    const std::string message =
        std::string(needs) + "; this is " + api_base.GetVersionString() + ". " + advice;
    return oldest.CreateStatus(ORT_FAIL, message.c_str());
  });
}

}  // namespace sr_ops::ort
