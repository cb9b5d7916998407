#include "ort/cpu_kernel.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "ort/error.h"
#include "ort/tensor.h"

namespace sr_ops::ort {
namespace {

/// Tables of longer axes wait until an image of that size really comes. Antialiased ones are as
/// long as their input is.
constexpr int64_t kLongestPreparedAxis = int64_t{1} << 20;

/// What the runtime's pool hands to each tile.
struct TileRun {
  Call* call;
  std::thread::id caller;
  std::atomic<bool> others_helped{false};
};

void RunTile(void* data, size_t tile) {
  TileRun& run = *static_cast<TileRun*>(data);
  run.call->Run(static_cast<int64_t>(tile));
  if (std::this_thread::get_id() != run.caller) {
    run.others_helped.store(true, std::memory_order_relaxed);
  }
}

}  // namespace

void CpuKernel::PrepareFor(const Problem& problem) {
  const Problem& p = problem;
  if (std::max({p.in_height, p.in_width, p.out_height, p.out_width}) > kLongestPreparedAxis) return;
  if (GetPlan(problem, &plan_).ok()) problem_ = problem;
}

Status CpuKernel::FindPlan(const Problem& problem, std::shared_ptr<const Plan>* plan) const {
  // With a constant request, the shape of X decides everything else.
  if (plan_ != nullptr && problem.layout == problem_.layout && problem.batch == problem_.batch &&
      problem.channels == problem_.channels && problem.in_height == problem_.in_height &&
      problem.in_width == problem_.in_width) {
    *plan = plan_;
    return {};
  }
  return GetPlan(problem, plan);
}

OrtStatus* CpuKernel::Run(OrtKernelContext* context, const Problem& p, const OrtValue* x,
                          OrtValue* y) const {
  std::shared_ptr<const Plan> plan;
  const Status status = FindPlan(p, &plan);
  if (!status.ok()) return ToOrtStatus(api(), status);
  void* source = nullptr;
  void* destination = nullptr;
  if (OrtStatus* failed = GetBuffers(api(), p, x, y, &source, &destination)) return failed;
  Call call(*plan, DenseView<ConstView>(source, p.layout, p.channels, p.in_height, p.in_width),
            DenseView<View>(destination, p.layout, p.channels, p.out_height, p.out_width),
            threads_.For(ElementCount(*plan)));
  if (call.tiles() == 0) return nullptr;
  TileRun run{&call, std::this_thread::get_id()};
  const size_t tiles = static_cast<size_t>(call.tiles());
  // No limit on batches (0): the pool's threads claim indices one by one, so an index is a tile.
  if (OrtStatus* failed = api().KernelContext_ParallelFor(context, RunTile, tiles, 0, &run)) {
    return failed;
  }
  threads_.Observe(call.tiles(), run.others_helped);
  return ToOrtStatus(api(), call.status());
}

}  // namespace sr_ops::ort
