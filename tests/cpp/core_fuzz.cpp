// Fuzzing the core's description of a problem: sizes, scales, modes, strides, threads. The input's
// bytes are read as one problem, valid or not. A valid one is computed on exact heap buffers, on
// every target, and must give the scalar kernel's bytes.
//
// Built with Clang this is a libFuzzer target. With other compilers a driver of its own runs the
// files given on the command line, or random inputs: sr_ops_core_fuzz -runs=100000 -seed=1
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

#include "core/resample.h"
#include "core/target.h"
#include "problems.h"

namespace sr_ops::test {
namespace {

constexpr int64_t kMostElements = 1 << 16;  // computed: more only takes longer

// Reads values from the front of the input; zeros once it is used up.
class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  template <typename T>
  T Take() {
    T value{};
    const size_t count = std::min(sizeof value, size_);
    if (count > 0) std::memcpy(&value, data_, count);
    data_ += count;
    size_ -= count;
    return value;
  }

 private:
  const uint8_t* data_;
  size_t size_;
};

// Mostly small; now and then any 64 bits.
int64_t TakeExtent(Bytes* bytes) {
  const uint8_t small = bytes->Take<uint8_t>();
  if (small < 0xf0) return small % 80;
  if (small < 0xf8) return bytes->Take<uint16_t>() % 4096;
  return bytes->Take<int64_t>();
}

double TakeScale(Bytes* bytes, int64_t in, int64_t out) {
  const uint8_t kind = bytes->Take<uint8_t>();
  const double exact = static_cast<double>(out) / static_cast<double>(in);
  if (kind < 0x80) return exact;
  if (kind < 0xf8) {  // at most two pixels off, in float32 like a scale from a graph
    return static_cast<float>(exact + (kind - 0xb8) / 32.0 / static_cast<double>(in));
  }
  return bytes->Take<double>();
}

Problem TakeProblem(Bytes* bytes) {
  Problem p;
  p.batch = TakeExtent(bytes);
  p.channels = TakeExtent(bytes);
  p.in_height = TakeExtent(bytes);
  p.in_width = TakeExtent(bytes);
  p.out_height = TakeExtent(bytes);
  p.out_width = TakeExtent(bytes);
  p.scale_height = TakeScale(bytes, p.in_height, p.out_height);
  p.scale_width = TakeScale(bytes, p.in_width, p.out_width);
  p.dtype = static_cast<DataType>(bytes->Take<uint8_t>() % 6);
  p.layout = static_cast<Layout>(bytes->Take<uint8_t>() % 2);
  const bool floating = p.dtype != DataType::kUInt8 && p.dtype != DataType::kInt8;
  p.direction = static_cast<Direction>(floating ? bytes->Take<uint8_t>() % 2 : 0);
  p.attributes.coordinate_transformation_mode =
      static_cast<CoordinateMode>(bytes->Take<uint8_t>() % 5);
  p.attributes.antialias = bytes->Take<uint8_t>() % 2;
  p.attributes.exclude_outside = bytes->Take<uint8_t>() % 2;
  const uint8_t a = bytes->Take<uint8_t>();
  p.attributes.cubic_coeff_a = a < 0xc0 ? -0.75f : bytes->Take<float>();
  return p;
}

// What takes reasonable time and memory to compute, tables included.
bool IsModest(const Problem& p) {
  const auto within = [](int64_t extent, int64_t limit) { return extent >= 0 && extent <= limit; };
  if (!within(p.batch, 80) || !within(p.channels, 80)) return false;
  for (int64_t extent : {p.in_height, p.in_width, p.out_height, p.out_width}) {
    if (!within(extent, 4096)) return false;
  }
  const int64_t planes = p.batch * p.channels;
  return planes * p.in_height * p.in_width <= kMostElements &&
         planes * p.out_height * p.out_width <= kMostElements;
}

// A problem far outside of what IsModest allows must be refused without allocating much: only
// those that the core cannot accept are given to it.
bool IsSurelyInvalid(const Problem& p) {
  for (int64_t extent : {p.batch, p.channels, p.in_height, p.in_width, p.out_height, p.out_width}) {
    if (extent < 0 || extent > (int64_t{1} << 40)) return true;
  }
  return p.in_height == 0 || p.in_width == 0 || p.out_height == 0 || p.out_width == 0;
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
  const size_t size = static_cast<size_t>(SizeOf(problem.dtype));
  for (size_t i = 0; i < a.size(); i += size) {
    if (std::memcmp(&a[i], &b[i], size) == 0) continue;
    if (!IsNaN(problem, &a[i]) || !IsNaN(problem, &b[i])) return false;
  }
  return true;
}

[[noreturn]] void Fail(const Problem& problem, const std::string& what) {
  std::cerr << "FAILED: " << what << ": " << Describe(problem) << "\n";
  std::abort();  // what fuzzers take for a finding
}

void Compute(const Problem& problem, uint64_t seed, int threads) {
  Random random(seed);
  const Shape shape = SourceShape(problem), out_shape = DestinationShape(problem);
  const Buffer dense = DenseBuffer(random, shape, problem.layout, problem.dtype);
  int64_t origin = 0;
  const Buffer source =
      seed % 2 ? ScatteredCopy(random, shape, problem.dtype, dense, &origin) : dense;
  ConstView from{source.bytes.data() + origin * SizeOf(problem.dtype), {}};
  std::copy_n(source.stride, 4, from.stride);
  std::vector<uint8_t> expected;
  std::vector<std::string> names = AvailableTargets();
  std::reverse(names.begin(), names.end());  // SCALAR, the specification, first
  for (const std::string& name : names) {
    if (!ChooseTarget(name)) Fail(problem, "cannot choose " + name);
    Buffer out = DenseBuffer(random, out_shape, problem.layout, problem.dtype);
    View to{out.bytes.data(), {}};
    std::copy_n(out.stride, 4, to.stride);
    const Status status = Apply(problem, from, to, threads);
    if (!status.ok()) {
      if (status.code == StatusCode::kInvalidArgument && status.message.empty()) {
        Fail(problem, "an error without a message");
      }
      return;
    }
    const std::vector<uint8_t> result = InOrder(out_shape, problem.dtype, out);
    if (expected.empty()) expected = result;
    if (name.rfind("SSE", 0) != 0 && !SameResult(problem, result, expected)) Fail(problem, name);
  }
}

}  // namespace

void RunInput(const uint8_t* data, size_t size) {
  Bytes bytes(data, size);
  const Problem problem = TakeProblem(&bytes);
  const uint64_t seed = bytes.Take<uint8_t>();
  const int threads = 1 + bytes.Take<uint8_t>() % 3;
  if (IsSurelyInvalid(problem)) {
    std::shared_ptr<const Plan> plan;
    const Status status = GetPlan(problem, &plan);
    if (status.ok() || status.message.empty()) Fail(problem, "accepted");
  } else if (IsModest(problem)) {
    Compute(problem, seed, threads);
  }
}

}  // namespace sr_ops::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sr_ops::test::RunInput(data, size);
  return 0;
}
