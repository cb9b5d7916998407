// The specification once more, a pass at a time: every intermediate value is computed once, not
// once for each output that needs it. The bits are the scalar kernel's, sooner: for long tests.
#pragma once

#include "core/cpu/plan.h"
#include "core/types.h"

namespace sr_ops::test {

/// Writes every element of the destination, by the axes of the plan.
void ComputeInTwoPasses(const Plan& plan, const ConstView& source, const View& destination);

/// How far a kernel without fused multiply-adds may be from that, where no value of the source is
/// larger than `largest`: a rounding of each product and of each sum, and that of the element type.
double UnfusedTolerance(const Plan& plan, double largest);

}  // namespace sr_ops::test
