// From the tensors of an engine to the core's problem. Host code, without TensorRT's headers.
#pragma once

#include <cstdint>

#include "core/status.h"
#include "core/types.h"
#include "tensorrt/settings.h"

namespace sr_ops::tensorrt {

/// The axes of a tensor: (H, W), (C, H, W) or (N, C, H, W).
struct Shape {
  int32_t rank = 0;
  int64_t extent[8] = {};
};

/// The problem that leads from X to Y.
Status MakeProblem(const Settings& settings, DataType dtype, Layout layout, const Shape& x,
                   const Shape& y, Problem* problem);

/// The strides of a dense tensor.
ConstView SourceOf(const Problem& problem);
View DestinationOf(const Problem& problem);

/// As many bytes as the tables of any problem need whose axes are no longer than these.
int64_t MostWorkspaceBytes(const Shape& x, const Shape& y);

}  // namespace sr_ops::tensorrt
