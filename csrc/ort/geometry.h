// From the shape of X and what a node asks for to the shapes of the core's problem.
#pragma once

#include <cstdint>
#include <vector>

#include "core/status.h"
#include "core/types.h"
#include "ort/request.h"

namespace sr_ops::ort {

/// Sets the sizes and scales of `problem` for DynamicUpscale and DynamicUpscaleToSizes: the last
/// two axes of X are the image's.
Status SetGeometry(const std::vector<int64_t>& shape, const Request& request, Problem* problem);

/// Likewise for ONNX's Resize. `axes`: its attribute; empty: all axes of X. The image's axes are
/// the last two or, if the request leaves the last one alone, the two before it, which sets the
/// problem's layout.
Status SetResizeGeometry(const std::vector<int64_t>& shape, const std::vector<int64_t>& axes,
                         const Request& request, Problem* problem);

/// The shape of Y.
std::vector<int64_t> OutputShape(std::vector<int64_t> shape, const Problem& problem);

}  // namespace sr_ops::ort
