// The domain of custom operators, which sessions get with the options that they are made from, or
// from the execution provider.
#pragma once

#include <onnxruntime_c_api.h>

namespace sr_ops::ort {

/// The domain object of one runtime; a process may hold several. It lives as long as the process,
/// so that it outlives every session. The runtime must have the API of kApiVersion.
OrtStatus* GetDomain(const OrtApiBase& api_base, OrtCustomOpDomain** domain);

}  // namespace sr_ops::ort
