// Threads for the front ends whose caller brings none (numpy, C++): started when first needed,
// asleep between calls, safe after fork.
#pragma once

#include <cstdint>

namespace sr_ops {

/// Calls run(context, i) once for each i in [0, count), on the calling thread and up to
/// `threads - 1` others, and returns when all are done. Indices are handed out one at a time, so a
/// thread that comes late or is descheduled costs one index, not its share. `run` must not throw.
/// May be called from several threads at the same time. Where the system refuses to start threads,
/// those that exist (at least the caller) do the work.
void ParallelFor(int64_t count, int threads, void (*run)(void* context, int64_t i),
                 void* context) noexcept;

}  // namespace sr_ops
