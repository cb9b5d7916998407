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

/// What is kept, at most. A plan may be as large as the limit of a call's tables (core/limits.h):
/// 32 of them would be more than machines have. One that is larger than all may be is not kept.
constexpr size_t kMostPlans = 32;
constexpr int64_t kMostBytes = int64_t{1} << 28;

bool SameTables(const Problem& a, const Problem& b) {
  return SameColumns(a, b) && a.batch == b.batch && a.window.top == b.window.top &&
         a.window.height == b.window.height && a.crop.top == b.crop.top &&
         a.crop.height == b.crop.height;
}

struct Cache {
  std::mutex mutex;
  std::list<std::shared_ptr<const Plan>> plans;  // most recently used first
  int64_t bytes = 0;                             // of all plans

  void Add(const std::shared_ptr<const Plan>& plan) {
    if (plan->bytes() > kMostBytes) return;
    plans.push_front(plan);
    bytes += plan->bytes();
    while (plans.size() > kMostPlans || bytes > kMostBytes) {
      bytes -= plans.back()->bytes();
      plans.pop_back();
    }
  }
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
  std::shared_ptr<const Plan> alike;
  {
    std::lock_guard<std::mutex> lock(cache.mutex);
    for (auto it = cache.plans.begin(); it != cache.plans.end(); ++it) {
      if ((*it)->kernel.run_tile != kernel.run_tile || !SameColumns((*it)->problem, problem))
        continue;
      if (SameTables((*it)->problem, problem)) {
        cache.plans.splice(cache.plans.begin(), cache.plans, it);
        return cache.plans.front();
      }
      if (alike == nullptr) alike = *it;
    }
  }
  // Outside the lock: it may take a while.
  auto plan = std::make_shared<const Plan>(problem, kernel, alike.get());
  std::lock_guard<std::mutex> lock(cache.mutex);
  cache.Add(plan);
  return plan;
}

}  // namespace sr_ops
