// The sized ops on the CPU: buffers from torch, tiles on torch's threads, arithmetic from the core.
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>

#include "core/resample.h"
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

struct Cpu {
  static constexpr bool kAnyStrides = false;

  static void Run(const Problem& problem, const Tensor& source, const Tensor& destination,
                  bool is_new) {
    const std::shared_ptr<const Plan> plan = PlanOf(problem);
    const bool serial = std::max(source.numel(), destination.numel()) < kSerialElements;
    const int threads = serial ? 1 : static_cast<int>(torch::stable::get_num_threads());
    Call call(*plan, ConstViewOf(source), ViewOf(destination), threads,
              is_new ? MemoryOf(destination) : OutputMemory::kUsed);
    // One iteration per thread, tiles from a counter: a thread that was interrupted holds up
    // nobody.
    std::atomic<int64_t> next{0};
    const int64_t tiles = call.tiles();
    const auto work = [&](int64_t, int64_t) {
      for (int64_t tile; (tile = next.fetch_add(1, std::memory_order_relaxed)) < tiles;) {
        call.Run(tile);
      }
    };
    if (threads == 1 || tiles <= 1) {
      work(0, 1);
    } else {
      torch::stable::parallel_for(0, std::min<int64_t>(threads, tiles), 1, work);
    }
    Check(call.status());
  }
};

}  // namespace
}  // namespace sr_ops

STABLE_TORCH_LIBRARY_IMPL(sr_ops, CPU, library) {
  sr_ops::SizedOps<sr_ops::Cpu>::Register(library);
}
