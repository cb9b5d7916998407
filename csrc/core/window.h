// A part of the result, computed from a part of the source: the same bits as in the whole.
#pragma once

#include <cstdint>

#include "core/axis_geometry.h"
#include "core/linkage.h"
#include "core/status.h"
#include "core/types.h"

namespace sr_ops {

/// One axis of a window: outputs [first, first + count), computed from source indices
/// [source_first, source_first + source_count).
struct AxisPart {
  int64_t first;
  int64_t count;
  int64_t source_first;
  int64_t source_count;
};

/// The vertical and the horizontal axis of a problem: its window and its crop, or the whole.
SR_OPS_FOR_FRONT_ENDS AxisPart RowsOf(const Problem& problem);
SR_OPS_FOR_FRONT_ENDS AxisPart ColumnsOf(const Problem& problem);

/// The source indices, inside the image, that outputs [first, first + count) read; count > 0.
TapRange TapsOf(const AxisGeometry& axis, int64_t first, int64_t count);

/// What is wrong with the window and the crop of an otherwise valid problem, if anything. A crop
/// must hold everything that the window reads: its edge is then the image's edge, or lies beyond
/// every tap.
Status CheckWindow(const Problem& problem);

/// The smallest crop that the problem's window can be computed from. The problem's own crop is not
/// looked at.
SR_OPS_FOR_FRONT_ENDS Status SourceRectangle(const Problem& problem, Rectangle* rectangle);

}  // namespace sr_ops
