// Fuzzing the core's description of a problem: sizes, scales, modes, strides, threads, tiles. The
// input's bytes are read as one problem, valid or not. A valid one is computed on every target into
// a buffer full of guard bytes, and must give the scalar kernel's bytes and touch no other.
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

#include "core/plan.h"
#include "core/resample.h"
#include "core/target.h"
#include "fuzz_problem.h"
#include "problems.h"

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
  View view;
};

uint8_t GuardByte(size_t position) { return static_cast<uint8_t>(0xa5 + 31 * position); }

GuardedBuffer MakeGuarded(FuzzBytes* bytes, const Problem& p) {
  const Shape shape = DestinationShape(p);
  const bool last = p.layout == Layout::kChannelsLast;
  const int64_t pixel = last ? shape.extent[1] : 1;
  int64_t stride[4] = {0, last ? 1 : 0, 0, pixel};
  int64_t length = shape.extent[3] * pixel;
  int64_t origin = 0;
  for (int axis : {2, 1, 0}) {  // rows, planes (unless they are interleaved), images
    if (axis == 1 && last) continue;
    const uint8_t choice = bytes->Take<uint8_t>();
    const int64_t step = length + (choice < 0x80 ? 0 : choice % 37);
    const int64_t reach = std::max<int64_t>(shape.extent[axis] - 1, 0) * step;
    const bool reversed = choice % 8 == 7;
    stride[axis] = reversed ? -step : step;
    if (reversed) origin += reach;
    length = std::max<int64_t>(length + reach, 1);
  }
  const int64_t size = SizeOf(p.dtype);
  const int64_t margin = 64 + bytes->Below(64);
  GuardedBuffer buffer;
  buffer.bytes.resize(static_cast<size_t>((length + margin + 64) * size));
  for (size_t i = 0; i < buffer.bytes.size(); ++i) buffer.bytes[i] = GuardByte(i);
  buffer.view.data = buffer.bytes.data() + (margin + origin) * size;
  std::copy_n(stride, 4, buffer.view.stride);
  return buffer;
}

/// The destination's elements in order; what lies between and around them must be untouched.
std::vector<uint8_t> TakeResult(const Problem& p, GuardedBuffer* buffer, const std::string& name) {
  const Shape shape = DestinationShape(p);
  const size_t size = static_cast<size_t>(SizeOf(p.dtype));
  const int64_t* e = shape.extent;
  const int64_t* stride = buffer->view.stride;
  uint8_t* const origin = static_cast<uint8_t*>(buffer->view.data);
  std::vector<uint8_t> elements;
  elements.reserve(static_cast<size_t>(shape.elements()) * size);
  for (int64_t n = 0; n < e[0]; ++n)
    for (int64_t c = 0; c < e[1]; ++c)
      for (int64_t y = 0; y < e[2]; ++y)
        for (int64_t x = 0; x < e[3]; ++x) {
          const int64_t at = n * stride[0] + c * stride[1] + y * stride[2] + x * stride[3];
          uint8_t* element = origin + at * static_cast<int64_t>(size);
          elements.insert(elements.end(), element, element + size);
          const size_t position = static_cast<size_t>(element - buffer->bytes.data());
          for (size_t i = 0; i < size; ++i) element[i] = GuardByte(position + i);
        }
  for (size_t i = 0; i < buffer->bytes.size(); ++i) {
    if (buffer->bytes[i] != GuardByte(i)) Fail(p, name + " wrote beside its output");
  }
  return elements;
}

bool IsNaN(const Problem& problem, const uint8_t* element) {
  float single;
  double wide;
  uint16_t half;
  switch (problem.dtype) {
    case DataType::kFloat32: std::memcpy(&single, element, 4); return std::isnan(single);
    case DataType::kFloat64: std::memcpy(&wide, element, 8); return std::isnan(wide);
    case DataType::kFloat16: std::memcpy(&half, element, 2); return (half & 0x7fff) > 0x7c00;
    case DataType::kBFloat16: std::memcpy(&half, element, 2); return (half & 0x7fff) > 0x7f80;
    default: return false;
  }
}

// Equal bytes; any NaN equals any other.
bool SameResult(const Problem& problem, const std::vector<uint8_t>& a,
                const std::vector<uint8_t>& b) {
  if (a == b) return true;
  const size_t size = static_cast<size_t>(SizeOf(problem.dtype));
  for (size_t i = 0; i < a.size(); i += size) {
    if (std::memcmp(&a[i], &b[i], size) == 0) continue;
    if (!IsNaN(problem, &a[i]) || !IsNaN(problem, &b[i])) return false;
  }
  return true;
}

struct Source {
  Buffer buffer;
  ConstView view;
};

// Values as images have them, or any bits at all; dense, in either order, or scattered.
Source MakeSource(FuzzBytes* bytes, const Problem& p) {
  const uint8_t kind = bytes->Take<uint8_t>();
  Random random(bytes->Take<uint8_t>());
  const Shape shape = SourceShape(p);
  const Layout layout = kind & 1 ? p.layout : static_cast<Layout>(1 - static_cast<int>(p.layout));
  Source source{DenseBuffer(random, shape, layout, p.dtype), {}};
  if ((kind & 6) == 0) {
    for (uint8_t& byte : source.buffer.bytes) byte = static_cast<uint8_t>(random());
  }
  int64_t origin = 0;
  if ((kind & 24) == 0) {
    source.buffer = ScatteredCopy(random, shape, p.dtype, source.buffer, &origin);
  }
  source.view.data = source.buffer.bytes.data() + origin * SizeOf(p.dtype);
  std::copy_n(source.buffer.stride, 4, source.view.stride);
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
  static const std::vector<std::string> targets = [] {
    std::vector<std::string> names = AvailableTargets();
    std::reverse(names.begin(), names.end());  // SCALAR, the specification, first
    return names;
  }();
  return targets;
}

void Compute(const Problem& problem, FuzzBytes* bytes) {
  const Source source = MakeSource(bytes, problem);
  const Way way = TakeWay(bytes);
  GuardedBuffer out = MakeGuarded(bytes, problem);
  std::vector<uint8_t> expected;
  for (const std::string& name : Targets()) {
    if (!ChooseTarget(name)) Fail(problem, "cannot choose " + name);
    const bool specification = name == "SCALAR";
    if (!RunWay(problem, specification ? Way() : way, source.view, out.view)) {
      Fail(problem, name + " did not compute");
    }
    std::vector<uint8_t> result = TakeResult(problem, &out, name);
    if (specification) {
      expected = std::move(result);
    } else if (name.rfind("SSE", 0) != 0 && !SameResult(problem, result, expected)) {
      Fail(problem, name + " differs from the scalar kernel");
    }
  }
}

}  // namespace

void RunInput(const uint8_t* data, size_t size) {
  FuzzBytes bytes(data, size);
  Problem problem = TakeProblem(&bytes);
  CheckPlan(problem);
  const int64_t most = bytes.Take<uint8_t>() < 0xfc ? kFewElements : kManyElements;
  if (!Reduce(&problem, most)) return;
  std::shared_ptr<const Plan> plan;
  if (GetPlan(problem, &plan).ok()) Compute(problem, &bytes);
}

}  // namespace sr_ops::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sr_ops::test::RunInput(data, size);
  return 0;
}
