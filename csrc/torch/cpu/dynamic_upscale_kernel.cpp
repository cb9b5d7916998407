// The sized ops on the CPU: buffers from torch, tiles on torch's threads, arithmetic from the core.
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <algorithm>
#include <cstdint>
#include <memory>

#include "core/resample.h"
#include "threads/python_signals.h"
#include "threads/rounds.h"
#include "torch/interruption.h"
#include "torch/sized_ops.h"
#include "torch/tensor_arguments.h"

namespace sr_ops {
namespace {

using torch::stable::Tensor;

// Below this many elements, waking another thread costs more than it brings.
constexpr int64_t kSerialElements = 32768;

// torch takes large tensors straight from the system each time.
OutputMemory MemoryOf(const Tensor& new_tensor) {
  const int64_t bytes = new_tensor.numel() * static_cast<int64_t>(new_tensor.element_size());
  return bytes >= kFreshBytes ? OutputMemory::kFresh : OutputMemory::kUsed;
}

/// One iteration per thread.
template <typename Work>
void RunOnThreads(int64_t threads, const Work& work) {
  if (threads <= 1) {
    work(0, 1);
  } else {
    torch::stable::parallel_for(0, threads, 1, work);
  }
}

struct Cpu {
  static constexpr bool kAnyStrides = false;

  static void Run(const Problem& problem, const Tensor& source, const Tensor& destination,
                  bool is_new) {
    const std::shared_ptr<const Plan> plan = PlanOf(problem);
    const int64_t elements = std::max(source.numel(), destination.numel());
    const int threads =
        elements < kSerialElements ? 1 : static_cast<int>(torch::stable::get_num_threads());
    const bool answers = elements >= kLongCall && AnswersSignals();
    Call call(*plan, ConstViewOf(source), ViewOf(destination),
              answers ? CutFor(threads, static_cast<double>(elements)) : threads,
              is_new ? MemoryOf(destination) : OutputMemory::kUsed);
    Rounds rounds(call.tiles(), answers);
    const auto work = [&](int64_t, int64_t) { rounds.Work([&](int64_t tile) { call.Run(tile); }); };
    RunOnThreads(std::min<int64_t>(threads, call.tiles()), work);
    while (rounds.left() > 0) {
      if (!RunSignalHandlers()) throw Interruption();
      rounds.Start();
      RunOnThreads(std::min<int64_t>(threads, rounds.left()), work);
    }
    Check(call.status());
  }
};

}  // namespace
}  // namespace sr_ops

STABLE_TORCH_LIBRARY_IMPL(sr_ops, CPU, library) {
  sr_ops::SizedOps<sr_ops::Cpu>::Register(library);
}
