// The functions of sr_ops/core.h: checks what a C caller can get wrong, then the core's own types.
#include "sr_ops/core.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>

#include "core/cpu/target.h"
#include "core/destination.h"
#include "core/limits.h"
#include "core/resample.h"
#include "core/scale.h"
#include "core/window.h"
#include "threads/thread_pool.h"

namespace sr_ops {
namespace {

/// More elements than this lie between no two of any buffer.
constexpr int64_t kLargestReach = int64_t{1} << 59;

sr_ops_status Report(sr_ops_status_code code, const char* message) {
  sr_ops_status status;
  status.code = code;
  strncpy(status.message, message, sizeof status.message - 1);
  status.message[sizeof status.message - 1] = '\0';
  return status;
}

sr_ops_status Report(const Status& status) {
  switch (status.code) {
    case StatusCode::kOk: return Report(SR_OPS_OK, "");
    case StatusCode::kInvalidArgument:
      return Report(SR_OPS_INVALID_ARGUMENT, status.message.c_str());
    case StatusCode::kOutOfMemory:
      return Report(SR_OPS_OUT_OF_MEMORY,
                    status.message.empty() ? "out of memory" : status.message.c_str());
    case StatusCode::kDeviceFailure: break;  // this front end runs on the CPU
  }
  return Report(SR_OPS_INTERNAL_ERROR, "unknown status");
}

/// Runs `body`, which returns a Status; no exception leaves.
template <typename Body>
sr_ops_status WithoutExceptions(const Body& body) noexcept {
  try {
    return Report(body());
  } catch (const std::bad_alloc&) {
    return Report(SR_OPS_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return Report(SR_OPS_INTERNAL_ERROR, error.what());
  } catch (...) {
    return Report(SR_OPS_INTERNAL_ERROR, "unexpected exception");
  }
}

Status CheckChoice(const char* field, int32_t value, int32_t last, const char* accepted) {
  if (value >= 0 && value <= last) return {};
  return Status::InvalidArgument(std::string(field) + ": got " + std::to_string(value) +
                                 ", expected " + accepted);
}

/// Of the first header, which ended before the window, and of the second.
constexpr size_t kFirstSize = offsetof(sr_ops_description, window);
constexpr size_t kSecondSize = offsetof(sr_ops_description, rounding);

/// The caller's description, which may be of an older header: fields that it lacks are 0.
Status ReadDescription(const sr_ops_description* given, sr_ops_description* d) {
  if (given == nullptr) return Status::InvalidArgument("description: got a null pointer");
  const size_t size = given->struct_size;
  if (size != sizeof *d && size != kFirstSize && size != kSecondSize) {
    return Status::InvalidArgument(
        "struct_size: got " + std::to_string(size) +
        ", this library (" SR_OPS_VERSION ") expects " + std::to_string(sizeof *d) +
        "; start from sr_ops_default_description() of the header that belongs to the library");
  }
  std::memset(d, 0, sizeof *d);
  std::memcpy(d, given, size);
  return {};
}

Status CheckFields(const sr_ops_description* d) {
  Status status = CheckChoice("dtype", d->dtype, SR_OPS_UINT16, "SR_OPS_FLOAT32 .. SR_OPS_UINT16");
  if (status.ok()) status = CheckChoice("layout", d->layout, 1, "SR_OPS_NCHW or SR_OPS_NHWC");
  if (status.ok()) {
    status = CheckChoice("coordinate_transformation_mode", d->coordinate_transformation_mode,
                         SR_OPS_ASYMMETRIC, "SR_OPS_HALF_PIXEL .. SR_OPS_ASYMMETRIC");
  }
  if (status.ok()) status = CheckChoice("exclude_outside", d->exclude_outside, 1, "0 or 1");
  if (status.ok()) status = CheckChoice("antialias", d->antialias, 1, "0 or 1");
  if (!status.ok()) return status;
  return CheckChoice("rounding", d->rounding, SR_OPS_ROUNDING_PILLOW,
                     "SR_OPS_ROUNDING_EXACT or SR_OPS_ROUNDING_PILLOW");
}

Status SizeFromScale(const sr_ops_description& d, Problem* p) {
  Status status = CheckScale(d.scale_height, "height");
  if (status.ok()) status = CheckScale(d.scale_width, "width");
  if (!status.ok()) return status;
  p->scale_height = d.scale_height;
  p->scale_width = d.scale_width;
  p->out_height = OutputSize(p->in_height, d.scale_height);
  p->out_width = OutputSize(p->in_width, d.scale_width);
  if (p->out_height >= 0 && p->out_width >= 0) return {};
  return Status::InvalidArgument("scale: the output would have more than 2^40 elements");
}

Status SizeAsGiven(const sr_ops_description& d, Problem* p) {
  if (d.out_height <= 0 || d.out_width <= 0) {
    return Status::InvalidArgument("out_height, out_width: got " + std::to_string(d.out_height) +
                                   ", " + std::to_string(d.out_width) +
                                   ", expected both > 0 (or both 0, and a scale)");
  }
  p->out_height = d.out_height;
  p->out_width = d.out_width;
  p->scale_height = static_cast<double>(d.out_height) / static_cast<double>(d.shape[2]);
  p->scale_width = static_cast<double>(d.out_width) / static_cast<double>(d.shape[3]);
  return {};
}

Rectangle RectangleOf(const int64_t (&field)[4]) {
  return {field[0], field[1], field[2], field[3]};
}

/// Everything but layout and direction, which depend on the call. `d`: the description as read.
Status MakeProblem(const sr_ops_description* given, sr_ops_description* description, Problem* p) {
  Status status = ReadDescription(given, description);
  if (status.ok()) status = CheckFields(description);
  if (!status.ok()) return status;
  const sr_ops_description& d = *description;
  if (d.shape[2] <= 0 || d.shape[3] <= 0) {
    return Status::InvalidArgument("shape: height and width must be > 0, got " +
                                   std::to_string(d.shape[2]) + " x " + std::to_string(d.shape[3]));
  }
  const bool scaled = d.scale_height != 0 || d.scale_width != 0;  // true for NaN
  const bool sized = d.out_height != 0 || d.out_width != 0;
  if (scaled == sized) {
    return Status::InvalidArgument(
        scaled ? "got both a scale and an output size; leave one of them 0"
               : "got neither a scale nor an output size; set scale_height and scale_width, or "
                 "out_height and out_width");
  }
  p->batch = d.shape[0];
  p->channels = d.shape[1];
  p->in_height = d.shape[2];
  p->in_width = d.shape[3];
  p->dtype = static_cast<DataType>(d.dtype);
  p->attributes = {static_cast<CoordinateMode>(d.coordinate_transformation_mode), d.cubic_coeff_a,
                   d.exclude_outside != 0, d.antialias != 0, static_cast<Rounding>(d.rounding)};
  p->window = RectangleOf(d.window);
  p->crop = RectangleOf(d.crop);
  status = scaled ? SizeFromScale(d, p) : SizeAsGiven(d, p);
  return status.ok() ? Validate(*p) : status;
}

/// The strides of a buffer of `shape`: as given, or dense where they are all 0.
void FindStrides(const int64_t (&given)[4], const int64_t (&shape)[4], sr_ops_layout layout,
                 int64_t (&stride)[4]) {
  const int64_t channels = shape[1], height = shape[2], width = shape[3];
  const int64_t planes[4] = {channels * height * width, height * width, width, 1};
  const int64_t pixels[4] = {channels * height * width, 1, width * channels, channels};
  const bool dense = !given[0] && !given[1] && !given[2] && !given[3];
  for (int axis = 0; axis < 4; ++axis) {
    stride[axis] = !dense ? given[axis] : layout == SR_OPS_NHWC ? pixels[axis] : planes[axis];
  }
}

Status CheckReach(const char* field, const int64_t (&shape)[4], const int64_t (&stride)[4]) {
  int64_t left = kLargestReach;
  for (int axis = 0; axis < 4; ++axis) {
    const int64_t steps = shape[axis] - 1;
    if (steps <= 0) continue;
    const int64_t most = left / steps;
    if (stride[axis] > most || stride[axis] < -most) {
      return Status::InvalidArgument(std::string(field) + ": got " + std::to_string(stride[axis]) +
                                     " for an axis of " + std::to_string(shape[axis]) +
                                     " elements; no buffer is that large");
    }
    left -= steps * std::abs(stride[axis]);
  }
  return {};
}

/// One buffer of a call, with the name of the field that describes its strides.
struct Buffer {
  const char* field;
  int64_t shape[4];
  int64_t stride[4];
};

Status FindLayout(Buffer* out, Layout* layout) {
  switch (CheckDestination(out->shape, out->stride, layout)) {
    case DestinationFault::kNone: return {};
    case DestinationFault::kRowsNotDense:
      return Status::InvalidArgument(
          std::string(out->field) +
          ": the rows of the destination must be dense: a stride of 1 for W, or of 1 for C and of "
          "C for W");
    case DestinationFault::kSharesMemory:
      return Status::InvalidArgument(std::string(out->field) +
                                     ": some elements of the destination share memory");
  }
  return Status::InvalidArgument("unknown fault of the destination");
}

/// A call and the count of its tiles that have run, against callbacks that break their contract.
struct Counted {
  Call* call;
  std::atomic<int64_t> done{0};
};

void RunTile(void* context, int64_t tile) {
  Counted& counted = *static_cast<Counted*>(context);
  if (tile < 0 || tile >= counted.call->tiles()) return;
  counted.call->Run(tile);
  counted.done.fetch_add(1, std::memory_order_relaxed);
}

Status RunTiles(Call* call, const sr_ops_threads& threads) {
  Counted counted{call};
  if (threads.parallel_for) {
    threads.parallel_for(threads.context, call->tiles(), RunTile, &counted);
  } else {
    ParallelFor(call->tiles(), threads.count, RunTile, &counted);
  }
  if (counted.done != call->tiles()) {
    return Status::InvalidArgument("parallel_for: ran " + std::to_string(counted.done) + " of " +
                                   std::to_string(call->tiles()) + " tasks before it returned");
  }
  return call->status();
}

Status Apply(Problem problem, const Buffer& from, const void* source, Buffer to, void* destination,
             const sr_ops_threads* threads) {
  const sr_ops_threads alone{1, nullptr, nullptr};
  const sr_ops_threads& chosen = threads ? *threads : alone;
  if (chosen.count < 1) {
    return Status::InvalidArgument("threads: got a count of " + std::to_string(chosen.count) +
                                   ", expected at least 1");
  }
  if (problem.batch == 0 || problem.channels == 0) return {};
  if (source == nullptr || destination == nullptr) {
    return Status::InvalidArgument("x, y: got a null pointer for a buffer that has elements");
  }
  if (source == destination) {
    return Status::InvalidArgument("x, y: got the same buffer for both; they must not overlap");
  }
  Status status = CheckReach(from.field, from.shape, from.stride);
  if (status.ok()) status = CheckReach(to.field, to.shape, to.stride);
  if (status.ok()) status = FindLayout(&to, &problem.layout);
  std::shared_ptr<const Plan> plan;
  if (status.ok()) status = GetPlan(problem, &plan);
  if (!status.ok()) return status;
  ConstView source_view{source, {}};
  View destination_view{destination, {}};
  for (int axis = 0; axis < 4; ++axis) {
    source_view.stride[axis] = from.stride[axis];
    destination_view.stride[axis] = to.stride[axis];
  }
  Call call(*plan, source_view, destination_view, chosen.count);
  return RunTiles(&call, chosen);
}

Buffer InputOf(const sr_ops_description& d, const Problem& p) {
  const int64_t height = RowsOf(p).source_count, width = ColumnsOf(p).source_count;
  Buffer buffer{"x_strides", {p.batch, p.channels, height, width}, {}};
  FindStrides(d.x_strides, buffer.shape, d.layout, buffer.stride);
  return buffer;
}

Buffer OutputOf(const sr_ops_description& d, const Problem& p) {
  const int64_t height = RowsOf(p).count, width = ColumnsOf(p).count;
  Buffer buffer{"y_strides", {p.batch, p.channels, height, width}, {}};
  FindStrides(d.y_strides, buffer.shape, d.layout, buffer.stride);
  return buffer;
}

}  // namespace
}  // namespace sr_ops

using sr_ops::Problem;
using sr_ops::Status;

sr_ops_status sr_ops_output_size(const sr_ops_description* description, int64_t size[2]) noexcept {
  return sr_ops::WithoutExceptions([&]() -> Status {
    if (size == nullptr) return Status::InvalidArgument("size: got a null pointer");
    sr_ops_description d;
    Problem problem;
    Status status = sr_ops::MakeProblem(description, &d, &problem);
    if (!status.ok()) return status;
    size[0] = problem.out_height;
    size[1] = problem.out_width;
    return {};
  });
}

sr_ops_status sr_ops_source_rectangle(const sr_ops_description* description,
                                      int64_t rectangle[4]) noexcept {
  return sr_ops::WithoutExceptions([&]() -> Status {
    if (rectangle == nullptr) return Status::InvalidArgument("rectangle: got a null pointer");
    sr_ops_description d;
    Problem problem;
    Status status = sr_ops::ReadDescription(description, &d);
    if (!status.ok()) return status;
    std::fill(d.crop, d.crop + 4, 0);
    d.struct_size = sizeof d;
    sr_ops_description whole;
    status = sr_ops::MakeProblem(&d, &whole, &problem);
    sr_ops::Rectangle read;
    if (status.ok()) status = sr_ops::SourceRectangle(problem, &read);
    if (!status.ok()) return status;
    rectangle[0] = read.top;
    rectangle[1] = read.left;
    rectangle[2] = read.height;
    rectangle[3] = read.width;
    return {};
  });
}

sr_ops_status sr_ops_dynamic_upscale(const sr_ops_description* description, const void* x, void* y,
                                     const sr_ops_threads* threads) noexcept {
  return sr_ops::WithoutExceptions([&]() -> Status {
    sr_ops_description d;
    Problem problem;
    Status status = sr_ops::MakeProblem(description, &d, &problem);
    if (!status.ok()) return status;
    return sr_ops::Apply(problem, sr_ops::InputOf(d, problem), x, sr_ops::OutputOf(d, problem), y,
                         threads);
  });
}

sr_ops_status sr_ops_dynamic_upscale_backward(const sr_ops_description* description,
                                              const void* grad_y, void* grad_x,
                                              const sr_ops_threads* threads) noexcept {
  return sr_ops::WithoutExceptions([&]() -> Status {
    sr_ops_description d;
    Problem problem;
    Status status = sr_ops::MakeProblem(description, &d, &problem);
    if (!status.ok()) return status;
    if (sr_ops::IsInteger(problem.dtype)) {
      return Status::InvalidArgument(
          "dtype: gradients are floating-point; pass SR_OPS_FLOAT32, FLOAT64, FLOAT16 or BFLOAT16");
    }
    problem.direction = sr_ops::Direction::kAdjoint;
    status = sr_ops::Validate(problem);
    if (!status.ok()) return status;
    return sr_ops::Apply(problem, sr_ops::OutputOf(d, problem), grad_y, sr_ops::InputOf(d, problem),
                         grad_x, threads);
  });
}

sr_ops_status sr_ops_get_limits(sr_ops_limits* limits) noexcept {
  return sr_ops::WithoutExceptions([&]() -> Status {
    if (limits == nullptr) return Status::InvalidArgument("limits: got a null pointer");
    sr_ops::Limits in_force;
    Status status = sr_ops::GetLimits(&in_force);
    if (status.ok()) *limits = {in_force.work, in_force.table_bytes};
    return status;
  });
}

sr_ops_status sr_ops_set_limits(const sr_ops_limits* limits) noexcept {
  return sr_ops::WithoutExceptions([&]() -> Status {
    if (limits == nullptr) return Status::InvalidArgument("limits: got a null pointer");
    return sr_ops::SetLimits({limits->work, limits->table_bytes});
  });
}

const char* sr_ops_version(void) noexcept { return SR_OPS_VERSION; }

const char* sr_ops_instruction_set(void) noexcept { return sr_ops::ChosenTargetName(); }
