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

/// Whether the processor fetches in time where many source rows are read at once, a piece of each:
/// those of sixteen output rows, or of rows that shrink to a quarter and less. Measured: Intel's
/// Ice Lake does (1080p to 224 x 224 takes 0.75 of the time that it takes with few rows at once),
/// AMD's Zen 4 does not (halving takes 1.15 to 1.5 of the time). Those of other makers count as
/// Intel's.
bool FollowsManyRows();

}  // namespace sr_ops
