// Registration with a session, callable without loading a library: for programs that link sr_ops.
#pragma once

#include <onnxruntime_c_api.h>

namespace sr_ops::ort {

/// Makes the operators of domain "sr_ops" known to every session created from `options`.
/// Registering again is harmless. ORT_FAIL where the runtime is older than 1.17.
OrtStatus* RegisterOperators(OrtSessionOptions* options, const OrtApiBase* api_base) noexcept;

}  // namespace sr_ops::ort
