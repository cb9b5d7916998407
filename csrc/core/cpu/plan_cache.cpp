#include "core/cpu/plan_cache.h"

#include <cstring>
#include <list>
#include <mutex>

#include "core/cpu/kernel.h"
#include "core/cpu/pillow_tables.h"
#include "core/cpu/plan.h"

#if !defined(_WIN32) && !defined(__wasm__)
#include <pthread.h>
#endif

namespace sr_ops {
namespace {

constexpr size_t kCapacity = 32;

bool Same(const Rectangle& a, const Rectangle& b) {
  return a.top == b.top && a.left == b.left && a.height == b.height && a.width == b.width;
}

bool SameTables(const Problem& a, const Problem& b) {
  const Attributes& p = a.attributes;
  const Attributes& q = b.attributes;
  return a.batch == b.batch && a.channels == b.channels && a.in_height == b.in_height &&
         a.in_width == b.in_width && a.out_height == b.out_height && a.out_width == b.out_width &&
         a.scale_height == b.scale_height && a.scale_width == b.scale_width && a.dtype == b.dtype &&
         a.layout == b.layout && a.direction == b.direction && Same(a.window, b.window) &&
         Same(a.crop, b.crop) &&
         p.coordinate_transformation_mode == q.coordinate_transformation_mode &&
         p.cubic_coeff_a == q.cubic_coeff_a && p.exclude_outside == q.exclude_outside &&
         p.antialias == q.antialias && p.rounding == q.rounding;
}

struct Cache {
  std::mutex mutex;
  std::list<std::shared_ptr<const Plan>> plans;  // most recently used first
};

Cache& GetCache() {
  static Cache* cache = new Cache;  // never destroyed: threads may outlive static destructors
  return *cache;
}

#if !defined(_WIN32) && !defined(__wasm__)
// A child forked while another thread holds the mutex would wait for it forever.
[[maybe_unused]] const int fork_handlers =
    pthread_atfork([] { GetCache().mutex.lock(); }, [] { GetCache().mutex.unlock(); },
                   [] { GetCache().mutex.unlock(); });
#endif

}  // namespace

std::shared_ptr<const Plan> CachedPlan(const Problem& problem) {
  Cache& cache = GetCache();
  const bool pillow = problem.attributes.rounding == Rounding::kPillow;
  const Kernel kernel = pillow ? ChosenPillowKernel() : ChosenKernel(problem.dtype);
  {
    std::lock_guard<std::mutex> lock(cache.mutex);
    for (auto it = cache.plans.begin(); it != cache.plans.end(); ++it) {
      if ((*it)->kernel.run_tile != kernel.run_tile || !SameTables((*it)->problem, problem))
        continue;
      cache.plans.splice(cache.plans.begin(), cache.plans, it);
      return cache.plans.front();
    }
  }
  auto plan =
      std::make_shared<const Plan>(problem, kernel);  // outside the lock: it may take a while
  std::lock_guard<std::mutex> lock(cache.mutex);
  cache.plans.push_front(plan);
  if (cache.plans.size() > kCapacity) cache.plans.pop_back();
  return plan;
}

}  // namespace sr_ops
