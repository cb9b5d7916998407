// A GPU on the host: the kernels of csrc/core/cuda, block after block, and the memory that they run
// on, with what only a GPU would punish.
//
// Threads of a block run one after the other between barriers, in an order that is drawn anew for
// each phase: what depends on the order comes out wrong. Shared memory starts out poisoned. Built
// with ThreadSanitizer, each thread of a block is a thread to it, and barriers are all that orders
// them: it reports two that meet in memory within one phase.
#pragma once

#include <cstdint>
#include <functional>

#include "core/cuda/launch_plan.h"
#include "problems.h"

namespace sr_ops::test {

/// What unwritten memory is filled with.
constexpr char kPoison = static_cast<char>(kGapByte);

/// Poisoned memory beside a page that nobody may touch; what else lies on its own pages is watched.
class GuardedMemory {
 public:
  enum class Guard { kBefore, kBehind };

  /// `alignment`: of the data, a power of two of at most a page.
  GuardedMemory(int64_t bytes, Guard guard, int64_t alignment = 1);
  ~GuardedMemory();
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;

  char* data() const { return data_; }
  int64_t bytes() const { return bytes_; }
  void Poison();
  /// Whether nothing around the data was written.
  bool intact() const;

 private:
  char* pages_;  // the guarding page included
  int64_t all_bytes_;
  char* own_;  // the pages that may be touched
  int64_t own_bytes_;
  char* data_;
  int64_t bytes_;
};

GuardedMemory::Guard EitherGuard(Random& random);

struct Emulation {
  void* workspace = nullptr;  ///< null: memory of the emulation's own, if the plan needs any
  int64_t last_blocks = -1;   ///< how many blocks of the main kernel run; -1: all
  std::function<void()> after_block = [] {};  ///< of the main kernel
};

/// Runs what cuda::Launch would enqueue, in arguments that are complete but for `tables`. False
/// where a block wrote beside its shared memory or the workspace.
bool Emulate(const cuda::LaunchPlan& plan, Random& random, const Emulation& emulation = {});

/// Names the problem at hand, should the process end by touching a guarding page.
void DescribeFaultsAs(const std::string& problem);

}  // namespace sr_ops::test
