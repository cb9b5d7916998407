// What one problem may cost: memory for its tables, and multiply-adds. Checked before anything is
// allocated, because a few numbers can ask for years and terabytes.
#pragma once

#include <cstdint>

#include "core/axis_geometry.h"
#include "core/linkage.h"
#include "core/status.h"
#include "core/types.h"

namespace sr_ops {

struct Limits {
  int64_t work = int64_t{1} << 41;         ///< multiply-adds: some minutes on one core
  int64_t table_bytes = int64_t{1} << 32;  ///< while the tables of one problem are made
};

/// Those in force in this copy of the core: the environment variables SR_OPS_MAX_WORK and
/// SR_OPS_MAX_TABLE_BYTES (integers > 0, read at first use) where set, else the defaults above.
/// Fails where a variable holds anything else. Thread-safe.
SR_OPS_FOR_FRONT_ENDS Status GetLimits(Limits* limits);

/// Sets them for problems from now on; both > 0. Thread-safe.
SR_OPS_FOR_FRONT_ENDS Status SetLimits(const Limits& limits);

/// The most taps that any entry of the axis has, or, transposed, the most outputs that read one
/// source pixel. Never too few.
int64_t MostTaps(const AxisGeometry& axis, bool transposed);

/// "would need ..." where a problem of valid extents and scales is beyond the limits.
Status CheckCost(const Problem& problem);

}  // namespace sr_ops
