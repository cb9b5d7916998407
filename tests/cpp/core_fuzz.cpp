// Fuzzing the core's description of a problem: sizes, scales, modes, strides, threads, tiles. The
// input's bytes are read as one problem, valid or not. A valid one is computed on every target into
// a buffer full of guard bytes, and must give the specified bytes and touch no other. (Without a
// fused multiply-add: the specified values, but for the roundings.)
//
// Built with Clang this is a libFuzzer target. With other compilers a driver of its own runs the
// files and folders given on the command line, or random inputs:
// sr_ops_core_fuzz -runs=100000 -seed=1
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "core/convert.h"
#include "core/cpu/plan.h"
#include "core/cpu/target.h"
#include "core/resample.h"
#include "fuzz_problem.h"
#include "problems.h"
#include "two_passes.h"

namespace sr_ops::test {
namespace {

/// Elements that are computed: more only takes longer. Some inputs may take more, for panels of
/// columns and the like.
constexpr int64_t kFewElements = 3 << 10;
constexpr int64_t kManyElements = 1 << 16;

[[noreturn]] void Fail(const Problem& problem, const std::string& what) {
  std::cerr << "FAILED: " << what << ": " << Describe(problem) << "\n";
  std::abort();  // what fuzzers take for a finding
}

// Any problem whatsoever: a plan, or an error that says something. Only those with short axes are
// given to the core, and those that it must refuse: tables may take memory, refusals must not.
void CheckPlan(const Problem& p) {
  bool invalid = p.in_height <= 0 || p.in_width <= 0 || p.out_height <= 0 || p.out_width <= 0;
  for (int64_t extent : {p.batch, p.channels, p.in_height, p.in_width, p.out_height, p.out_width}) {
    invalid = invalid || extent < 0 || extent > (int64_t{1} << 40);
  }
  if (!invalid && !WithinAxes(p)) return;
  std::shared_ptr<const Plan> plan;
  const Status status = GetPlan(p, &plan);
  if (status.ok() && invalid) Fail(p, "accepted");
  if (status.ok() != (plan != nullptr)) Fail(p, "a plan and an error, or neither");
  if (!status.ok() && status.message.empty()) Fail(p, "an error without a message");
}

// ---- buffers --------------------------------------------------------------------------------

/// A destination with room between its rows, planes and images and around it all.
struct GuardedBuffer {
  std::vector<uint8_t> bytes;
  std::vector<uint8_t> between;  // 0xff where no element is
  int64_t origin;                // of the elements, in bytes
  int64_t stride[4];             // in elements

  View view() {
    View view{bytes.data() + origin, {}};
    std::copy_n(stride, 4, view.stride);
    return view;
  }
};

void FillWithGuards(std::vector<uint8_t>* bytes) {
  for (size_t i = 0; i < bytes->size(); ++i) (*bytes)[i] = static_cast<uint8_t>(0xa5 + 31 * i);
}

GuardedBuffer MakeGuarded(FuzzBytes* bytes, const Problem& p) {
  const Shape shape = DestinationShape(p);
  const bool last = p.layout == Layout::kChannelsLast;
  const int64_t pixel = last ? shape.extent[1] : 1;
  GuardedBuffer buffer{{}, {}, 0, {0, last ? 1 : 0, 0, pixel}};
  int64_t length = shape.extent[3] * pixel;
  int64_t origin = 0;
  for (int axis : {2, 1, 0}) {  // rows, planes (unless they are interleaved), images
    if (axis == 1 && last) continue;
    const uint8_t choice = bytes->Take<uint8_t>();
    const int64_t step = length + (choice < 0x80 ? 0 : choice % 37);
    const int64_t reach = std::max<int64_t>(shape.extent[axis] - 1, 0) * step;
    const bool reversed = choice % 8 == 7;
    buffer.stride[axis] = reversed ? -step : step;
    if (reversed) origin += reach;
    length = std::max<int64_t>(length + reach, 1);
  }
  const int64_t size = SizeOf(p.dtype);
  const int64_t margin = 64 + bytes->Below(64);
  buffer.origin = (margin + origin) * size;
  buffer.bytes.resize(static_cast<size_t>((length + margin + 64) * size));
  buffer.between.assign(buffer.bytes.size(), 0xff);
  ForEach(shape, buffer.stride, [&](int64_t offset) {
    std::memset(&buffer.between[static_cast<size_t>(buffer.origin + offset * size)], 0,
                static_cast<size_t>(size));
  });
  return buffer;
}

bool UntouchedBetween(const GuardedBuffer& buffer, const std::vector<uint8_t>& guards) {
  uint8_t changed = 0;  // without a way out of the loop: that makes it a vector loop
  for (size_t i = 0; i < guards.size(); ++i) {
    changed |= (buffer.bytes[i] ^ guards[i]) & buffer.between[i];
  }
  return changed == 0;
}

template <typename T>
double ValueOf(const uint8_t* bytes) {
  T element;
  std::memcpy(&element, bytes, sizeof element);
  return static_cast<double>(ToAccumulator(element));
}

double Value(DataType dtype, const uint8_t* bytes) {
  switch (dtype) {
#define SR_OPS_CASE(name, type, size) \
  case DataType::k##name: return ValueOf<type>(bytes);
    SR_OPS_ELEMENT_TYPES(SR_OPS_CASE)
#undef SR_OPS_CASE
  }
  return 0;
}

/// Whether `same` holds for all pairs of elements of equal places.
template <typename Same>
bool AllSame(const Problem& p, const GuardedBuffer& buffer, const std::vector<uint8_t>& expected,
             const Same& same) {
  if (buffer.bytes == expected) return true;
  const int64_t size = SizeOf(p.dtype);
  bool all = true;
  ForEach(DestinationShape(p), buffer.stride, [&](int64_t offset) {
    const size_t at = static_cast<size_t>(buffer.origin + offset * size);
    const uint8_t* a = &buffer.bytes[at];
    const uint8_t* b = &expected[at];
    if (std::memcmp(a, b, static_cast<size_t>(size)) == 0) return;
    all = all && same(Value(p.dtype, a), Value(p.dtype, b));
  });
  return all;
}

/// Equal bytes; any NaN equals any other.
bool SameBytes(const Problem& p, const GuardedBuffer& buffer,
               const std::vector<uint8_t>& expected) {
  return AllSame(p, buffer, expected,
                 [](double a, double b) { return std::isnan(a) && std::isnan(b); });
}

/// What is finite in both is closer than the tolerance.
bool SameValues(const Problem& p, const GuardedBuffer& buffer, const std::vector<uint8_t>& expected,
                double tolerance) {
  return AllSame(p, buffer, expected, [&](double a, double b) {
    return !std::isfinite(a) || !std::isfinite(b) || std::fabs(a - b) <= tolerance;
  });
}

/// The largest value in an image of MakeSource that is no arbitrary bits.
constexpr double kLargestValue = 330;

struct Source {
  Buffer buffer;
  ConstView view;
  bool any_bits;
};

// Values as images have them, or any bits at all; dense, in either order, or scattered.
Source MakeSource(FuzzBytes* bytes, const Problem& p) {
  const uint8_t kind = bytes->Take<uint8_t>();
  Random random(bytes->Take<uint8_t>());
  const Shape shape = SourceShape(p);
  const Layout layout = kind & 1 ? p.layout : static_cast<Layout>(1 - static_cast<int>(p.layout));
  Source source{DenseBuffer(random, shape, layout, p.dtype), {}, (kind & 6) == 0};
  if (source.any_bits) {
    for (uint8_t& byte : source.buffer.bytes) byte = static_cast<uint8_t>(random());
  }
  int64_t origin = 0;
  if ((kind & 24) == 0) {
    source.buffer = ScatteredCopy(random, shape, p.dtype, source.buffer, &origin);
  }
  source.view = ViewOf(source.buffer, origin * SizeOf(p.dtype));
  return source;
}

// ---- the computation ------------------------------------------------------------------------

/// How a problem's work is cut and run; none of it may change the result.
struct Way {
  enum Kind { kTilesOfCall, kThreads, kOwnTiles } kind = kTilesOfCall;
  int threads = 1;        // kTilesOfCall, kThreads
  int64_t tile_rows = 1;  // kOwnTiles
  bool stream = false;    // kOwnTiles: as only large outputs are written otherwise
};

Way TakeWay(FuzzBytes* bytes) {
  const uint8_t kind = bytes->Take<uint8_t>();
  Way way;
  way.kind = kind < 0x70 ? Way::kTilesOfCall : kind < 0xf8 ? Way::kOwnTiles : Way::kThreads;
  way.threads = 1 + kind % 4;
  way.tile_rows = 1 + bytes->Below(40);
  way.stream = kind % 2 == 0;
  return way;
}

// Last tile first: a tile must not lean on the one before it.
bool RunWay(const Problem& p, const Way& way, const ConstView& from, const View& to) {
  if (way.kind == Way::kThreads) return Apply(p, from, to, way.threads).ok();
  std::shared_ptr<const Plan> plan;
  if (!GetPlan(p, &plan).ok()) return false;
  if (way.kind == Way::kTilesOfCall) {
    Call call(*plan, from, to, way.threads);
    for (int64_t tile = call.tiles(); tile-- > 0;) call.Run(tile);
    return call.status().ok();
  }
  if (ElementCount(*plan) == 0) return true;
  for (int64_t plane = plan->planes(); plane-- > 0;) {
    for (int64_t begin = 0; begin < plan->height; begin += way.tile_rows) {
      const int64_t end = std::min(begin + way.tile_rows, plan->height);
      if (!plan->run_tile(*plan, from, to, {plane, begin, end, way.stream})) return false;
    }
  }
  return true;
}

const std::vector<std::string>& Targets() {
  static const std::vector<std::string> targets = AvailableTargets();
  return targets;
}

bool EveryEighth(const Problem& p) {
  return (p.in_height + p.in_width + p.out_height + p.out_width + p.channels) % 8 == 0;
}

void Compute(const Problem& problem, const Plan& plan, FuzzBytes* bytes) {
  const Source source = MakeSource(bytes, problem);
  const Way way = TakeWay(bytes);
  GuardedBuffer out = MakeGuarded(bytes, problem);
  std::vector<uint8_t> guards(out.bytes.size());
  FillWithGuards(&guards);
  out.bytes = guards;
  ComputeInTwoPasses(plan, source.view, out.view());
  const std::vector<uint8_t> expected = out.bytes;
  for (const std::string& name : Targets()) {
    const bool fused = name.rfind("SSE", 0) != 0;
    if (name == "SCALAR" && !EveryEighth(problem)) continue;  // by far the slowest
    if (!ChooseTarget(name)) Fail(problem, "cannot choose " + name);
    out.bytes = guards;
    if (!RunWay(problem, way, source.view, out.view())) Fail(problem, name + " did not compute");
    if (!UntouchedBetween(out, guards)) Fail(problem, name + " wrote beside its output");
    if (fused && !SameBytes(problem, out, expected)) {
      Fail(problem, name + " differs from the specification");
    }
    if (!fused && !source.any_bits &&
        !SameValues(problem, out, expected, UnfusedTolerance(plan, kLargestValue))) {
      Fail(problem, name + " is far from the specification");
    }
  }
}

// A window, from a crop in a buffer of exactly its size, has the whole's bits.
void ComputeWindow(Problem problem, FuzzBytes* bytes) {
  Random random(bytes->Take<uint16_t>());
  const Shape shape = SourceShape(problem), out_shape = DestinationShape(problem);
  const Buffer source = DenseBuffer(random, shape, problem.layout, problem.dtype);
  Buffer whole = DenseBuffer(random, out_shape, problem.layout, problem.dtype);
  const Status status = Apply(problem, ViewOf(source), ViewOf(&whole), 1);
  problem.window = RandomPart(random, problem.out_height, problem.out_width);
  Rectangle read;
  if (!status.ok() || !SourceRectangle(problem, &read).ok()) Fail(problem, "no window");
  problem.crop = RandomPartAround(random, read, problem.in_height, problem.in_width);
  const Buffer crop = PartOf(shape, problem.crop, problem.dtype, problem.layout, source);
  const Buffer expected = PartOf(out_shape, problem.window, problem.dtype, problem.layout, whole);
  Buffer out = DenseBuffer(random, DestinationShape(problem), problem.layout, problem.dtype);
  if (!Apply(problem, ViewOf(crop), ViewOf(&out), 1).ok()) Fail(problem, "window refused");
  if (out.bytes != expected.bytes) Fail(problem, "a window differs from the whole");
}

}  // namespace

void RunInput(const uint8_t* data, size_t size) {
  FuzzBytes bytes(data, size);
  Problem problem = TakeProblem(&bytes, 7);
  CheckPlan(problem);
  const int64_t most = bytes.Take<uint8_t>() < 0xfc ? kFewElements : kManyElements;
  if (!Reduce(&problem, most)) return;
  ChooseTarget(Targets().front());
  std::shared_ptr<const Plan> plan;
  if (!GetPlan(problem, &plan).ok()) return;
  Compute(problem, *plan, &bytes);
  if (problem.direction != Direction::kForward || bytes.Take<uint8_t>() % 4 != 0) return;
  ChooseTarget(Targets().front());
  ComputeWindow(problem, &bytes);
}

}  // namespace sr_ops::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sr_ops::test::RunInput(data, size);
  return 0;
}
