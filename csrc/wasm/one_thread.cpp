// The threads of sr_ops/core.h where there are none.
#include "threads/thread_pool.h"

namespace sr_ops {

void ParallelFor(int64_t count, int /*threads*/, void (*run)(void* context, int64_t i),
                 void* context) noexcept {
  for (int64_t i = 0; i < count; ++i) run(context, i);
}

}  // namespace sr_ops
