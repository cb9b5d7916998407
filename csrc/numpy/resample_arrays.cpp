#include "numpy/resample_arrays.h"

#include <pybind11/pybind11.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "threads/flush_denormals.h"
#include "threads/thread_pool.h"

namespace py = pybind11;

namespace sr_ops {

void RaiseInvalidArgument(const std::string& message) {
  py::set_error(py::module_::import("sr_ops.errors").attr("InvalidArgumentError"), message.c_str());
  throw py::error_already_set();
}

void RaiseIfNot(const Status& status) {
  if (status.ok()) return;
  if (status.code != StatusCode::kOutOfMemory) RaiseInvalidArgument(status.message);
  py::set_error(PyExc_MemoryError, status.message.c_str());
  throw py::error_already_set();
}

std::array<int64_t, 4> StridesOf(const py::array& array) {
  std::array<int64_t, 4> strides;
  for (int axis = 0; axis < 4; ++axis) strides[axis] = array.strides(axis) / array.itemsize();
  return strides;
}

py::array NewArray(const std::vector<py::ssize_t>& shape, const py::dtype& dtype) {
  constexpr size_t kLine = 64;
  constexpr size_t kLarge = 16384;  // bytes
  size_t bytes = dtype.itemsize();
  for (const py::ssize_t extent : shape) bytes *= extent;
  if (bytes < kLarge) return py::array(dtype, shape);
  const py::array_t<uint8_t> memory(static_cast<py::ssize_t>(bytes + kLine));
  const size_t past = reinterpret_cast<uintptr_t>(memory.data()) % kLine;
  const uint8_t* begin = memory.data() + (past == 0 ? 0 : kLine - past);
  return py::array(dtype, shape, begin, memory);
}

std::atomic<bool> flush_denormal{false};

namespace {

/// Takes the interpreter lock again. An interpreter that is on its way out ends the thread that
/// asks for it, in older versions by unwinding its stack: that would run destructors without the
/// lock and abort at the first function that may not throw. Such a thread stays here instead, until
/// the process has ended.
void Relock(PyThreadState* state) {
  try {
    PyEval_RestoreThread(state);
  } catch (...) {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }
}

/// Elements, read or written: what is smaller is done before anybody can press a key.
constexpr double kLongCall = 1 << 22;
/// Of these a tile takes some hundredths of a second.
constexpr double kElementsPerTile = 1 << 23;
/// How long a call goes on before it asks for signals.
constexpr std::chrono::milliseconds kBetweenSignals{100};

/// Elements of the larger array. Nothing is checked yet: integers could overflow.
double CostOf(const Problem& p) {
  const auto area = [](int64_t height, int64_t width) {
    return static_cast<double>(height) * static_cast<double>(width);
  };
  return area(p.batch, p.channels) *
         std::max(area(p.in_height, p.in_width), area(p.out_height, p.out_width));
}

/// How finely to cut: as several threads need it, or one that must stop soon.
int CutFor(int threads, double cost) {
  constexpr double kTilesPerThread = 4;
  constexpr double kMostThreads = 1 << 20;
  return static_cast<int>(
      std::clamp<double>(cost / (kElementsPerTile * kTilesPerThread), threads, kMostThreads));
}

/// Python runs the handlers of signals on its main thread alone.
bool OnMainThread() {
  const py::object thread = py::module_::import("threading").attr("main_thread")();
  return thread.attr("ident").cast<unsigned long>() == PyThread_get_thread_ident();
}

/// The tiles of a call, in rounds of a tenth of a second. Between rounds no other thread is at work
/// for this call: handlers may do as they like there, also fork.
class Rounds {
 public:
  explicit Rounds(Call* call) : call_(*call), flush_(flush_denormal.load()) {}

  /// True where all is done.
  bool Run(int threads, bool endless) {
    limited_ = !endless;
    if (limited_) end_ = Clock::now() + kBetweenSignals;
    const int64_t left = call_.tiles() - next_.load();
    ParallelFor(
        std::min<int64_t>(threads, left), threads,
        [](void* rounds, int64_t) { static_cast<Rounds*>(rounds)->Work(); }, this);
    return next_.load() >= call_.tiles();
  }

 private:
  using Clock = std::chrono::steady_clock;

  void Work() {
    const FlushDenormals while_running(flush_);
    while (!limited_ || Clock::now() < end_) {
      const int64_t tile = next_.fetch_add(1, std::memory_order_relaxed);
      if (tile >= call_.tiles()) return;
      call_.Run(tile);
    }
  }

  Call& call_;
  const bool flush_;
  bool limited_ = false;
  Clock::time_point end_;
  std::atomic<int64_t> next_{0};
};

/// Without the interpreter lock; between rounds with it, where `state` is a main thread's that
/// answers signals. Sets `*interrupted` where a handler raised.
Status RunUnlocked(const Problem& problem, const ConstView& source, const View& destination,
                   int threads, bool fresh, PyThreadState** state, bool answers,
                   bool* interrupted) {
  std::shared_ptr<const Plan> plan;
  const Status status = GetPlan(problem, &plan);
  if (!status.ok()) return status;
  const int cut = answers ? CutFor(threads, CostOf(problem)) : threads;
  Call call(*plan, source, destination, cut, fresh ? OutputMemory::kFresh : OutputMemory::kUsed);
  Rounds rounds(&call);
  while (!rounds.Run(threads, !answers)) {
    Relock(*state);
    *interrupted = PyErr_CheckSignals() != 0;
    *state = PyEval_SaveThread();
    if (*interrupted) return {};
  }
  return call.status();
}

}  // namespace

Status Run(const Problem& problem, const ConstView& source, const View& destination, int threads,
           bool fresh) {
  const bool answers = CostOf(problem) >= kLongCall && OnMainThread();
  bool interrupted = false;
  PyThreadState* state = PyEval_SaveThread();
  Status status;
  try {
    status =
        RunUnlocked(problem, source, destination, threads, fresh, &state, answers, &interrupted);
  } catch (...) {
    Relock(state);
    throw;
  }
  Relock(state);
  if (interrupted) throw py::error_already_set();
  return status;
}

}  // namespace sr_ops
