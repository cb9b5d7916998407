#include "core/limits.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/pillow_axis.h"
#include "core/window.h"

namespace sr_ops {
namespace {

/// Counts of taps are kept in 32 bits.
constexpr int64_t kMostTaps = int64_t{1} << 30;

/// As read from the environment; 0: it holds no such number.
int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* const text = std::getenv(name);
  if (text == nullptr || *text == '\0') return otherwise;
  char* end = nullptr;
  errno = 0;
  const long long value = std::strtoll(text, &end, 10);
  return errno == 0 && *end == '\0' && value > 0 ? value : 0;
}

struct AtomicLimits {
  std::atomic<int64_t> work{FromEnvironment("SR_OPS_MAX_WORK", Limits().work)};
  std::atomic<int64_t> table_bytes{FromEnvironment("SR_OPS_MAX_TABLE_BYTES", Limits().table_bytes)};
};

AtomicLimits& InForce() {
  static AtomicLimits limits;
  return limits;
}

Status CheckVariable(const char* name, int64_t value) {
  if (value > 0) return {};
  const char* const text = std::getenv(name);
  return Status::InvalidArgument(std::string(name) + ": the environment variable is '" +
                                 (text ? text : "") + "', expected an integer > 0");
}

/// One axis as it is applied, in doubles: products of its numbers may exceed any integer.
struct AxisCost {
  double source;       ///< elements read
  double destination;  ///< elements written
  double taps;         ///< of each
  double table_bytes;
};

AxisCost CostOf(const AxisGeometry& axis, const AxisPart& part, const Problem& p,
                int64_t interleaved) {
  const double accumulator = p.dtype == DataType::kFloat64 ? 8 : 4;
  const bool adjoint = p.direction == Direction::kAdjoint;
  const double forward_taps = static_cast<double>(MostTaps(axis, false));
  const double in = static_cast<double>(part.source_count), out = static_cast<double>(part.count);
  // In double precision first, then rounded; position and count stand beside the weights.
  const auto bytes = [&](double entries, double taps) {
    return entries * (24 + taps * (8 + accumulator));
  };
  AxisCost cost{in, out, forward_taps, bytes(out, forward_taps)};
  if (adjoint) {
    cost = {out, in, static_cast<double>(MostTaps(axis, true)), cost.table_bytes};
    cost.table_bytes += bytes(in, cost.taps);
  }
  // The same again for whole vectors, with an index and a count; up to four copies while equal ones
  // are looked for.
  if (interleaved > 0) {
    const double lanes = cost.destination * static_cast<double>(interleaved) + 15;
    cost.table_bytes += 4 * lanes * accumulator * (cost.taps + 2);
  }
  return cost;
}

/// With Rounding::kPillow: the weights in doubles and integers, then in pairs of two numbers.
AxisCost PillowCostOf(int64_t in, int64_t out, const AxisPart& part) {
  const double taps = static_cast<double>(MostPillowTaps(in, out));
  const double entries = static_cast<double>(part.count);
  return {static_cast<double>(part.source_count), entries, taps, entries * (32 + 12 * taps)};
}

std::string Show(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

Status TooMuch(const AxisCost& rows, const AxisCost& columns, const std::string& needed,
               const std::string& limit, const char* variable) {
  return Status::InvalidArgument(
      "resampling " + Show(rows.source) + " x " + Show(columns.source) + " to " +
      Show(rows.destination) + " x " + Show(columns.destination) + " pixels, with " +
      Show(rows.taps) + " x " + Show(columns.taps) + " taps, would need " + needed +
      ", more than the limit of " + limit + "; use other sizes, or several steps, or raise " +
      variable + " (an environment variable, or set_limits)");
}

}  // namespace

Status GetLimits(Limits* limits) {
  limits->work = InForce().work;
  limits->table_bytes = InForce().table_bytes;
  Status status = CheckVariable("SR_OPS_MAX_WORK", limits->work);
  return status.ok() ? CheckVariable("SR_OPS_MAX_TABLE_BYTES", limits->table_bytes) : status;
}

Status SetLimits(const Limits& limits) {
  if (limits.work <= 0 || limits.table_bytes <= 0) {
    return Status::InvalidArgument("limits: got work " + std::to_string(limits.work) +
                                   " and table_bytes " + std::to_string(limits.table_bytes) +
                                   ", expected both > 0");
  }
  InForce().work = limits.work;
  InForce().table_bytes = limits.table_bytes;
  return {};
}

int64_t MostTaps(const AxisGeometry& axis, bool transposed) {
  const double window = axis.stretched ? 2.0 * axis.support() + 1.0 : 4.0;
  if (!transposed) {
    const bool inside = axis.stretched && axis.exclude_outside;
    const double most = inside ? std::min(window, static_cast<double>(axis.in)) : window;
    return static_cast<int64_t>(std::ceil(most));
  }
  // The outputs whose taps cover a source pixel, at the edges also those whose clamped taps do.
  double outputs_per_pixel = axis.scale;
  if (axis.mode == CoordinateMode::kAlignCorners) {
    if (axis.in == 1) return axis.out;
    outputs_per_pixel = static_cast<double>(axis.out - 1) / static_cast<double>(axis.in - 1);
  }
  const double outputs = std::ceil(window * outputs_per_pixel) + 4.0;
  return outputs < static_cast<double>(axis.out) ? static_cast<int64_t>(outputs) : axis.out;
}

Status CheckCost(const Problem& p) {
  Limits limits;
  const Status status = GetLimits(&limits);
  if (!status.ok()) return status;
  const double planes = static_cast<double>(p.batch) * static_cast<double>(p.channels);
  if (planes == 0) return {};  // nothing will be computed
  // Interleaved channels that make a vector need no tables of their own.
  const bool interleaved = p.layout == Layout::kChannelsLast && p.channels < 16;
  const bool pillow = p.attributes.rounding == Rounding::kPillow;
  const AxisCost rows =
      pillow ? PillowCostOf(p.in_height, p.out_height, RowsOf(p))
             : CostOf({p.in_height, p.out_height, p.scale_height, p.attributes}, RowsOf(p), p, 0);
  const AxisCost columns = pillow ? PillowCostOf(p.in_width, p.out_width, ColumnsOf(p))
                                  : CostOf({p.in_width, p.out_width, p.scale_width, p.attributes},
                                           ColumnsOf(p), p, interleaved ? p.channels : 1);
  const double most_taps = std::max(rows.taps, columns.taps);
  const double bytes = rows.table_bytes + columns.table_bytes;
  if (bytes > static_cast<double>(limits.table_bytes)) {
    return TooMuch(rows, columns, Show(bytes) + " bytes for its tables",
                   Show(static_cast<double>(limits.table_bytes)), "SR_OPS_MAX_TABLE_BYTES");
  }
  if (most_taps > static_cast<double>(kMostTaps)) {
    return Status::InvalidArgument("scale: its antialiasing needs " + Show(most_taps) +
                                   " taps, more than 2^30; shrink in several steps");
  }
  const bool shrinks =
      p.direction == Direction::kForward ? p.out_height < p.in_height : p.in_height < p.out_height;
  const bool rows_first = pillow ? PillowRowsFirst(p) : shrinks;
  const double first_pass = rows_first ? rows.destination * columns.source * rows.taps
                                       : rows.source * columns.destination * columns.taps;
  const double second_pass =
      rows.destination * columns.destination * (rows_first ? columns.taps : rows.taps);
  const double work = planes * (first_pass + second_pass);
  if (work > static_cast<double>(limits.work)) {
    return TooMuch(rows, columns, Show(work) + " multiply-adds",
                   Show(static_cast<double>(limits.work)), "SR_OPS_MAX_WORK");
  }
  return {};
}

}  // namespace sr_ops
