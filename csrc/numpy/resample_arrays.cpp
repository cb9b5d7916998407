#include "numpy/resample_arrays.h"

#include <pybind11/pybind11.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "threads/flush_denormals.h"
#include "threads/rounds.h"
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

/// Elements of the larger array. Nothing is checked yet: integers could overflow.
double CostOf(const Problem& p) {
  const auto area = [](int64_t height, int64_t width) {
    return static_cast<double>(height) * static_cast<double>(width);
  };
  return area(p.batch, p.channels) *
         std::max(area(p.in_height, p.in_width), area(p.out_height, p.out_width));
}

/// Python runs the handlers of signals on its main thread alone.
bool OnMainThread() {
  const py::object thread = py::module_::import("threading").attr("main_thread")();
  return thread.attr("ident").cast<unsigned long>() == PyThread_get_thread_ident();
}

/// The tiles of a call on our own threads.
struct Work {
  Call* call;
  Rounds* rounds;
  bool flush;

  void Run(int threads) {
    ParallelFor(
        std::min<int64_t>(threads, rounds->left()), threads,
        [](void* self, int64_t) {
          const Work& work = *static_cast<Work*>(self);
          const FlushDenormals while_running(work.flush);
          work.rounds->Work([&](int64_t tile) { work.call->Run(tile); });
        },
        this);
  }
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
  Rounds rounds(call.tiles(), answers);
  Work work{&call, &rounds, flush_denormal.load()};
  for (work.Run(threads); rounds.left() > 0; work.Run(threads)) {
    Relock(*state);
    *interrupted = PyErr_CheckSignals() != 0;
    *state = PyEval_SaveThread();
    if (*interrupted) return {};
    rounds.Start();
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
