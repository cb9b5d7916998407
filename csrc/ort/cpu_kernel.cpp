#include "ort/cpu_kernel.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "ort/error.h"
#include "ort/tensor.h"
#include "threads/python_signals.h"
#include "threads/rounds.h"

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
  Rounds* rounds = nullptr;

  void Run(int64_t tile) {
    call->Run(tile);
    if (std::this_thread::get_id() != caller) others_helped.store(true, std::memory_order_relaxed);
  }
};

void RunTile(void* data, size_t tile) {
  static_cast<TileRun*>(data)->Run(static_cast<int64_t>(tile));
}

/// Tiles, until a round is over.
void RunTiles(void* data, size_t) {
  TileRun& run = *static_cast<TileRun*>(data);
  run.rounds->Work([&](int64_t tile) { run.Run(tile); });
}

/// A call on Python's main thread that may go on for long.
OrtStatus* RunInRounds(const OrtApi& api, OrtKernelContext* context, TileRun* run) {
  const auto at_once = static_cast<int64_t>(std::max(1U, std::thread::hardware_concurrency()));
  Rounds rounds(run->call->tiles(), /*in_rounds=*/true);
  run->rounds = &rounds;
  while (rounds.left() > 0) {
    if (OrtStatus* failed = api.KernelContext_ParallelFor(
            context, RunTiles, static_cast<size_t>(std::min(at_once, rounds.left())), 0, run)) {
      return failed;
    }
    if (rounds.left() > 0 && !RunSignalHandlers()) {
      return api.CreateStatus(ORT_FAIL,
                              "interrupted by a handler of a signal, whose exception Python raises "
                              "next");
    }
    rounds.Start();
  }
  return nullptr;
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
  const int64_t elements = ElementCount(*plan);
  const int64_t cost = std::max(elements, p.batch * p.channels * p.in_height * p.in_width);
  const bool answers = cost >= kLongCall && AnswersSignals();
  const int threads = threads_.For(elements);
  Call call(*plan, DenseView<ConstView>(source, p.layout, p.channels, p.in_height, p.in_width),
            DenseView<View>(destination, p.layout, p.channels, p.out_height, p.out_width),
            answers ? CutFor(threads, static_cast<double>(cost)) : threads);
  if (call.tiles() == 0) return nullptr;
  TileRun run{&call, std::this_thread::get_id()};
  const size_t tiles = static_cast<size_t>(call.tiles());
  // No limit on batches (0): the pool's threads claim indices one by one, so an index is a tile.
  if (OrtStatus* failed = answers
                              ? RunInRounds(api(), context, &run)
                              : api().KernelContext_ParallelFor(context, RunTile, tiles, 0, &run)) {
    return failed;
  }
  threads_.Observe(call.tiles(), run.others_helped);
  return ToOrtStatus(api(), call.status());
}

}  // namespace sr_ops::ort
