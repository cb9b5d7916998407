// What the processor at hand can do, in Highway's terms.
#pragma once

#include <cstdint>

namespace sr_ops {

/// The HWY_* bits of the targets that can run here, of those that this library is compiled for.
/// Highway has the same in its compiled part; asking here keeps its use to headers, so that nothing
/// that links sr_ops has to bring, or may meet, a libhwy.
int64_t SupportedTargets();

/// Whether the processor itself fetches, in time, the cache lines that a few streams of stores go
/// to. Then it takes longer to ask for each of them, and to put vectors together that lie in one.
/// Measured: AMD's Zen 4 does, Intel's Skylake does not. Those of other makers count as that.
bool FetchesForStores();

}  // namespace sr_ops
