// Which nodes of a graph the provider takes.
#pragma once

#include <onnxruntime_c_api.h>

#include "ort/provider/ep_api.h"

namespace sr_ops::ort {

/// Claims every Resize whose mode is "cubic" and whose attributes and element type our operator
/// expresses. Called for each graph, those inside If and Loop included.
OrtStatus* ClaimNodes(const OrtApi& api, const ep::Functions& functions, const OrtGraph* graph,
                      OrtEpGraphSupportInfo* support);

}  // namespace sr_ops::ort
