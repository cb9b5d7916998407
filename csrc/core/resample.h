// The operator as the front ends see it: problem -> plan (tables, cached) -> call (tiles, run
// anywhere).
//
//   std::shared_ptr<const Plan> plan;
//   Status status = GetPlan(problem, &plan);          // validates; tables come from a cache
//   Call call(*plan, source, destination, threads);   // on the stack, no allocation
//   parallel_for(0, call.tiles(), [&](int64_t tile) { call.Run(tile); });
//   status = call.status();
//
// Threads are the front end's: the core only says how many independent tiles there are. The result
// does not depend on the number of threads or tiles, bit for bit.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "core/linkage.h"
#include "core/status.h"
#include "core/types.h"

namespace sr_ops {

class Plan;  // immutable; may be shared by any number of threads and calls

/// What is wrong with `problem`, if anything. Buffers are not looked at.
SR_OPS_FOR_FRONT_ENDS Status Validate(const Problem& problem);

/// Validates `problem` and finds or builds its tables. Never throws. Thread-safe.
SR_OPS_FOR_FRONT_ENDS Status GetPlan(const Problem& problem,
                                     std::shared_ptr<const Plan>* plan) noexcept;

/// kFresh: pages that nobody has touched yet, as a large new allocation has them. The system clears
/// each page at its first write, which leaves it in the caches: no point in writing past them.
enum class OutputMemory { kUsed, kFresh };

/// Allocations of at least this many bytes come from fresh pages with the usual allocators.
constexpr int64_t kFreshBytes = int64_t{32} << 20;

/// One application of a plan to one pair of buffers, which must outlive it and not overlap.
class SR_OPS_FOR_FRONT_ENDS Call {
 public:
  /// `threads`: how many may run tiles at the same time (>= 1); only decides how finely to cut.
  Call(const Plan& plan, const ConstView& source, const View& destination, int threads,
       OutputMemory memory = OutputMemory::kUsed) noexcept;

  /// Number of independent pieces; 0 where there is nothing to compute.
  int64_t tiles() const { return tiles_; }

  /// Computes one piece. Any order, any thread, each index once. Never throws.
  void Run(int64_t tile) noexcept;

  /// kOutOfMemory if a tile could not get its scratch memory (at most 1 MiB per thread).
  Status status() const;

 private:
  const Plan& plan_;
  ConstView source_;
  View destination_;
  int64_t tiles_ = 0;
  int64_t rows_per_tile_ = 0;
  bool stream_ = false;
  bool far_ = false;
  std::atomic<bool> out_of_memory_{false};
};

/// Number of elements of the destination of `plan`.
SR_OPS_FOR_FRONT_ENDS int64_t ElementCount(const Plan& plan);

}  // namespace sr_ops
