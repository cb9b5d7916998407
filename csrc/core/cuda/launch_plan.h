// How a problem runs on a GPU: which kernel, on what grid, with how much memory. Plain host code,
// cheap enough to be computed for every call.
#pragma once

#include <cstdint>

#include "core/cuda/arguments.h"
#include "core/status.h"
#include "core/types.h"

namespace sr_ops::cuda {

enum class KernelKind { kStrip, kTile };

struct LaunchPlan {
  KernelKind kind = KernelKind::kTile;
  DataType dtype = DataType::kFloat32;
  /// Complete but for the views' data and `tables`.
  Arguments arguments;
  int64_t shared_bytes = 0;
  /// Bytes of device memory, aligned to kTableAlignment, that the launch needs for the tables of
  /// whole axes. 0: blocks compute their own, and there is one launch instead of two.
  int64_t workspace_bytes = 0;
};

/// Chooses for a problem. Views say the strides; their data may come later.
Status MakePlan(const Problem& problem, const ConstView& source, const View& destination,
                LaunchPlan* plan);

/// Lays a plan out for a kernel, with or without tables in a workspace; false where that kernel
/// cannot run the problem, or a block's shared memory cannot hold its tables.
bool Configure(KernelKind kind, bool workspace, LaunchPlan* plan);

}  // namespace sr_ops::cuda
