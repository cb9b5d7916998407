// The provider's kernels, as ONNX Runtime looks them up: Resize, every version with mode "cubic".
#pragma once

#include <onnxruntime_c_api.h>

#include "ort/provider/ep_api.h"

namespace sr_ops::ort {

constexpr const char* kProviderName = "SrOpsExecutionProvider";

/// Makes the registry, which the caller releases. `api` must live as long as it.
OrtStatus* MakeKernelRegistry(const OrtApi& api, const ep::Functions& functions,
                              OrtKernelRegistry** registry);

}  // namespace sr_ops::ort
