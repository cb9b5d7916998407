// A fuzzer's input as a problem: mostly a valid one, now and then anything.
#pragma once

#include <cstdint>

#include "core/types.h"
#include "fuzz_bytes.h"

namespace sr_ops::test {

/// Longer axes are refused by WithinAxes: their tables take much memory.
constexpr int64_t kLongestAxis = 1 << 14;

/// Of one of the first `types` element types.
Problem TakeProblem(FuzzBytes* bytes, int types);

/// All four axes from 1 to kLongestAxis.
bool WithinAxes(const Problem& problem);

/// Fewer images and fewer channels, until at most `elements` elements are read and written; false
/// if that is not enough.
bool Reduce(Problem* problem, int64_t elements);

}  // namespace sr_ops::test
