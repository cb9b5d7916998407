#include "threads/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <list>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

#ifndef _WIN32
#include <pthread.h>
#endif

namespace sr_ops {
namespace {

// Lives on the stack of the thread that called ParallelFor.
struct Job {
  void (*run)(void* context, int64_t i);
  void* context;
  int64_t count;
  std::atomic<int64_t> next{0};
  int wanted;       // helpers that may still join; guarded by Pool::mutex_
  int helping = 0;  // helpers at work; guarded by Pool::mutex_

  void Work() {
    for (int64_t i = next.fetch_add(1, std::memory_order_relaxed); i < count;
         i = next.fetch_add(1, std::memory_order_relaxed)) {
      run(context, i);
    }
  }
};

class Pool {
 public:
  // Throws std::bad_alloc only before anything has been handed out.
  void Run(Job* job) {
    std::list<Job*> entry{job};
    const int helpers = job->wanted;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      StartThreads(helpers);
      jobs_.splice(jobs_.end(), entry);
    }
    for (int i = 0; i < helpers; ++i) work_.notify_one();
    job->Work();
    std::unique_lock<std::mutex> lock(mutex_);
    jobs_.remove(job);
    done_.wait(lock, [&] { return job->helping == 0; });
  }

 private:
  void StartThreads(int wanted) {
    while (threads_ < wanted) {
      try {
        std::thread([this] { Help(); }).detach();
      } catch (const std::system_error&) {
        return;
      }
      ++threads_;
    }
  }

  [[noreturn]] void Help() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      work_.wait(lock, [&] { return !jobs_.empty(); });
      Job* job = jobs_.front();
      if (--job->wanted == 0) jobs_.pop_front();
      ++job->helping;
      lock.unlock();
      job->Work();
      lock.lock();
      if (--job->helping == 0) done_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable done_;
  std::list<Job*> jobs_;  // those that still want helpers, oldest first
  int threads_ = 0;
};

std::atomic<Pool*> current_pool{nullptr};

#ifndef _WIN32
// A forked child has none of its parent's threads, and the parent's mutex may have been locked at
// that moment: the child forgets the pool and makes its own when it needs one.
[[maybe_unused]] const int fork_handler =
    pthread_atfork(nullptr, nullptr, [] { current_pool = nullptr; });
#endif

// Pools are never destroyed: their threads sleep until the process ends.
Pool* GetPool() {
  Pool* pool = current_pool.load(std::memory_order_acquire);
  if (pool) return pool;
  Pool* fresh = new Pool;
  if (current_pool.compare_exchange_strong(pool, fresh, std::memory_order_acq_rel)) return fresh;
  delete fresh;
  return pool;
}

}  // namespace

void ParallelFor(int64_t count, int threads, void (*run)(void* context, int64_t i),
                 void* context) noexcept {
  const int helpers = static_cast<int>(std::min<int64_t>(threads, count)) - 1;
  Job job{run, context, count, {}, helpers};
  if (helpers > 0) {
    try {
      GetPool()->Run(&job);
      return;
    } catch (const std::bad_alloc&) {  // no memory for the pool: the caller does it alone
    }
  }
  job.Work();
}

}  // namespace sr_ops
