#include "numpy/resample_arrays.h"

#include <pybind11/pybind11.h>

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

Status RunUnlocked(const Problem& problem, const ConstView& source, const View& destination,
                   int threads, bool fresh) {
  std::shared_ptr<const Plan> plan;
  const Status status = GetPlan(problem, &plan);
  if (!status.ok()) return status;
  Call call(*plan, source, destination, threads,
            fresh ? OutputMemory::kFresh : OutputMemory::kUsed);
  struct Work {
    Call& call;
    bool flush;
  } work{call, flush_denormal.load(std::memory_order_relaxed)};
  ParallelFor(
      call.tiles(), threads,
      [](void* context, int64_t tile) {
        const Work& work = *static_cast<Work*>(context);
        const FlushDenormals while_running(work.flush);
        work.call.Run(tile);
      },
      &work);
  return call.status();
}

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

}  // namespace

Status Run(const Problem& problem, const ConstView& source, const View& destination, int threads,
           bool fresh) {
  PyThreadState* const state = PyEval_SaveThread();
  Status status;
  try {
    status = RunUnlocked(problem, source, destination, threads, fresh);
  } catch (...) {
    Relock(state);
    throw;
  }
  Relock(state);
  return status;
}

}  // namespace sr_ops
