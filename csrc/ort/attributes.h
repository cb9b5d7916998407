// A node's attributes: ONNX Resize's names, types and defaults, and the rounding, which is ours.
#pragma once

#include <onnxruntime_c_api.h>

#include <string>

#include "core/types.h"

namespace sr_ops::ort {

/// Reads all attributes of the node; absent ones keep ONNX's defaults. A value outside its range
/// or of another type is an ORT_INVALID_ARGUMENT that names the attribute.
OrtStatus* ReadAttributes(const OrtApi& api, const OrtKernelInfo* info, Attributes* attributes);

/// The coordinate mode of that name, if there is one.
bool FindMode(const std::string& name, CoordinateMode* mode);

}  // namespace sr_ops::ort
