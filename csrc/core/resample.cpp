#include "core/resample.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <new>

#include "core/cpu/plan.h"
#include "core/cpu/plan_cache.h"
#include "core/limits.h"
#include "core/pillow_axis.h"
#include "core/scale.h"
#include "core/window.h"

namespace sr_ops {
namespace {

std::string Show(int64_t value) { return std::to_string(value); }

std::string Show(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

bool MultiplyWithin(int64_t limit, int64_t factor, int64_t* product) {
  if (factor != 0 && *product > limit / factor) return false;
  *product *= factor;
  return true;
}

Status CheckElements(const char* what, const Problem& p, int64_t height, int64_t width) {
  int64_t count = 1;
  for (int64_t extent : {p.batch, p.channels, height, width}) {
    // A zero extent empties the tensor, but the others must still be sane on their own.
    if (!MultiplyWithin(kMaxElements, std::max<int64_t>(extent, 1), &count)) {
      return Status::InvalidArgument(std::string(what) + " of shape [" + Show(p.batch) + ", " +
                                     Show(p.channels) + ", " + Show(height) + ", " + Show(width) +
                                     "] has more than 2^40 elements; use a smaller scale or size");
    }
  }
  return {};
}

// The scale that gave the size by truncation, or out / in; a few roundings off where the extents
// are beyond float32's integers. Any other one could lead far outside of the image, or to endless
// taps.
Status CheckScaleFits(int64_t in, int64_t out, double scale) {
  if (!(std::isfinite(scale) && scale > 0)) {
    return Status::InvalidArgument("scale: got " + Show(scale) + ", expected a finite number > 0");
  }
  const double exact = static_cast<double>(in) * scale;
  const double size = static_cast<double>(out);
  const double roundings = 1e-6 * size;
  if (exact > size - 0.5 - roundings && exact < size + 1.5 + roundings) return {};
  return Status::InvalidArgument("scale: " + Show(scale) + " does not make " + Show(in) +
                                 " pixels into " + Show(out) + "; pass the scale that the size " +
                                 "comes from, or none");
}

// Larger outputs are written past the caches: they would push everything else out, and would not be
// there any more for their reader either. (What a machine reports as its last-level cache is no
// guide: virtual machines name caches that they do not have.)
constexpr int64_t kStreamBytes = int64_t{16} << 20;

// Source and result of so many bytes are far: they fill the caches that a core has for itself. What
// saves time in the caches (four source rows at once, and leaving it to the processor to fetch what
// is written) costs time there. Measured with float32, the time with both over that with neither:
// 0.8 at 13 MiB, 1.0 to 1.15 at 15, 1.1 to 1.3 at 19.
constexpr int64_t kFarBytes = int64_t{14} << 20;

// Where rows shrink, kernels make so many of them together.
constexpr int64_t kRowsTogether = 16;

// Whatever else the making of tables may throw.
Status Unexpected(const std::exception& error) noexcept {
  try {
    return Status::InvalidArgument(error.what());
  } catch (...) {
    return {StatusCode::kOutOfMemory, {}};
  }
}

}  // namespace

Status Validate(const Problem& p) {
  if (p.batch < 0 || p.channels < 0) {
    return Status::InvalidArgument("x: batch and channels must be >= 0");
  }
  if (p.in_height <= 0 || p.in_width <= 0) {
    return Status::InvalidArgument("x: height and width must be > 0, got " + Show(p.in_height) +
                                   " x " + Show(p.in_width));
  }
  if (p.out_height <= 0 || p.out_width <= 0) {
    return Status::InvalidArgument("the output of " + Show(p.in_height) + " x " + Show(p.in_width) +
                                   " would be " + Show(p.out_height) + " x " + Show(p.out_width) +
                                   ": each axis must keep at least one pixel; use a larger scale");
  }
  if (!std::isfinite(p.attributes.cubic_coeff_a)) {
    return Status::InvalidArgument("cubic_coeff_a: got " +
                                   std::to_string(p.attributes.cubic_coeff_a) +
                                   ", expected a finite number");
  }
  Status status = CheckElements("an input", p, p.in_height, p.in_width);
  if (status.ok()) status = CheckElements("an output", p, p.out_height, p.out_width);
  if (status.ok()) status = CheckScaleFits(p.in_height, p.out_height, p.scale_height);
  if (status.ok()) status = CheckScaleFits(p.in_width, p.out_width, p.scale_width);
  if (status.ok() && p.attributes.rounding == Rounding::kPillow) status = CheckPillow(p);
  if (status.ok()) status = CheckWindow(p);
  return status.ok() ? CheckCost(p) : status;
}

Status GetPlan(const Problem& problem, std::shared_ptr<const Plan>* plan) noexcept {
  try {
    Status status = Validate(problem);
    if (!status.ok()) return status;
    *plan = CachedPlan(problem);
    return {};
  } catch (const std::bad_alloc&) {
    return {StatusCode::kOutOfMemory, {}};
  } catch (const std::exception& error) {
    return Unexpected(error);
  }
}

int64_t ElementCount(const Plan& plan) {
  return plan.problem.batch * plan.problem.channels * plan.height * plan.width;
}

Call::Call(const Plan& plan, const ConstView& source, const View& destination, int threads,
           OutputMemory memory) noexcept
    : plan_(plan), source_(source), destination_(destination) {
  if (ElementCount(plan) == 0) return;
  // One thread: whole planes. More: about four tiles per thread, so that a late one can catch up,
  // but no tile below 16 rows (its first rows repeat the horizontal pass of its neighbour's last).
  const int64_t planes = plan.planes();
  int64_t strips = 1;
  if (threads > 1) {
    strips = std::clamp<int64_t>((int64_t{4} * threads + planes - 1) / planes, 1,
                                 std::max<int64_t>(plan.height / 16, 1));
  }
  const int64_t size = SizeOf(plan.problem.dtype);
  const int64_t sources = plan.problem.batch * plan.problem.channels * plan.source_height;
  stream_ = memory == OutputMemory::kUsed && ElementCount(plan) * size >= kStreamBytes;
  far_ = (ElementCount(plan) + sources * plan.source_width) * size >= kFarBytes;
  rows_per_tile_ = (plan.height + strips - 1) / strips;
  if (plan.rows_first && strips > 1) {
    rows_per_tile_ = (rows_per_tile_ + kRowsTogether - 1) / kRowsTogether * kRowsTogether;
  }
  tiles_ = planes * ((plan.height + rows_per_tile_ - 1) / rows_per_tile_);
}

void Call::Run(int64_t tile) noexcept {
  const int64_t strips = (plan_.height + rows_per_tile_ - 1) / rows_per_tile_;
  const int64_t begin = tile % strips * rows_per_tile_;
  const TileArea area{tile / strips, begin, std::min(begin + rows_per_tile_, plan_.height), stream_,
                      far_};
  if (!plan_.run_tile(plan_, source_, destination_, area)) out_of_memory_ = true;
}

Status Call::status() const {
  if (!out_of_memory_) return {};
  return Status::OutOfMemory(
      "out of memory: a thread could not get its scratch buffer of up to "
      "1 MiB");
}

}  // namespace sr_ops
