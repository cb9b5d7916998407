// The GPU's kernels on the host: the code that nvcc compiles, block after block, thread after
// thread, against the CPU's kernels, bit for bit. Every problem runs with every kernel that fits
// it, with tables of its own and with tables in a workspace. Prints what failed; exit status 1 if
// anything did. Usage: sr_ops_cuda_emulation_test [number of random problems] [seed]
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/axis.h"
#include "core/cuda/plan.h"
#include "core/cuda/strip-inl.h"
#include "core/cuda/tile-inl.h"
#include "core/resample.h"
#include "problems.h"

namespace sr_ops::test {
namespace {

int failures = 0;

void Expect(bool condition, const std::string& what) {
  if (condition) return;
  ++failures;
  std::cerr << "FAILED: " << what << "\n";
}

// Memory of exactly that many bytes, aligned for every element type, where sanitizers watch it.
class Memory {
 public:
  explicit Memory(int64_t bytes) : data_(static_cast<char*>(std::malloc(bytes))) {
    std::fill_n(data_.get(), bytes,
                '\x7f');  // NaN or huge: what is read before it is written shows
  }
  char* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(char* data) const { std::free(data); }
  };
  std::unique_ptr<char, Free> data_;
};

template <typename T, cuda::TableHome kHome>
void Emulate(const cuda::Arguments& a, const cuda::Plan& plan) {
  for (int64_t b = 0; b < a.blocks; ++b) {
    if (plan.kind == cuda::KernelKind::kStrip) {
      std::vector<cuda::FourTaps<cuda::AccumulatorOf<T>>> rows(cuda::kMostStripRows);
      const cuda::EmulatedBlock<cuda::kStripThreads> block(b);
      cuda::RunStrip<T, kHome>(a, block, rows.data());
    } else {
      const Memory shared(plan.shared_bytes);
      const cuda::EmulatedBlock<cuda::kTileThreads> block(b);
      cuda::RunTile<T, kHome>(a, block, shared.data());
    }
  }
}

template <typename T>
void Emulate(const cuda::Plan& plan) {
  using Accumulator = cuda::AccumulatorOf<T>;
  cuda::Arguments a = plan.arguments;
  if (plan.workspace_bytes == 0) {
    return Emulate<T, cuda::TableHome::kBlock>(a, plan);
  }
  const Memory workspace(plan.workspace_bytes);
  a.tables = workspace.data();
  const int64_t entries = a.rows.destination + a.columns.destination;
  for (int64_t i = 0; i < entries; ++i) cuda::FillWorkspaceEntry<Accumulator>(a, i);
  Emulate<T, cuda::TableHome::kWorkspace>(a, plan);
}

void Emulate(const cuda::Plan& plan) {
  switch (plan.dtype) {
    case DataType::kFloat32: return Emulate<float>(plan);
    case DataType::kFloat64: return Emulate<double>(plan);
    case DataType::kFloat16: return Emulate<Float16>(plan);
    case DataType::kBFloat16: return Emulate<BFloat16>(plan);
    case DataType::kUInt8: return Emulate<uint8_t>(plan);
    case DataType::kInt8: return Emulate<int8_t>(plan);
  }
}

std::string NameOf(const cuda::Plan& plan) {
  return std::string(plan.kind == cuda::KernelKind::kStrip ? "strips" : "tiles") +
         (plan.workspace_bytes > 0 ? ", workspace" : ", own tables");
}

// How often each kernel was right: a kernel that no problem reaches is not tested.
std::map<std::string, int> tested;

// `random`: where to scatter the destination's elements; null: they lie dense.
void CompareKernels(const Problem& problem, const ConstView& source, Random* random,
                    const std::vector<uint8_t>& expected) {
  const Shape shape = DestinationShape(problem);
  for (cuda::KernelKind kind : {cuda::KernelKind::kStrip, cuda::KernelKind::kTile}) {
    for (bool workspace : {false, true}) {
      Random unused(0);
      Buffer out = DenseBuffer(unused, shape, problem.layout, problem.dtype);
      int64_t origin = 0;
      if (random != nullptr) out = ScatteredCopy(*random, shape, problem.dtype, out, &origin);
      View destination{out.bytes.data() + origin * SizeOf(problem.dtype), {}};
      std::copy_n(out.stride, 4, destination.stride);
      cuda::Plan plan;
      const Status status = cuda::MakePlan(problem, source, destination, &plan);
      Expect(status.ok(), status.message);
      if (!cuda::Configure(kind, workspace, &plan)) continue;
      Emulate(plan);
      const bool equal = InOrder(shape, problem.dtype, out, origin) == expected;
      Expect(equal, NameOf(plan) + ": " + Describe(problem));
      tested[NameOf(plan)] += equal;
    }
  }
}

void TestRandomProblems(Random& random, int problems) {
  for (int i = 0; i < problems; ++i) {
    const Problem problem = RandomProblem(random);
    const Shape from = SourceShape(problem);
    const Shape to = DestinationShape(problem);
    const Buffer source = DenseBuffer(random, from, problem.layout, problem.dtype);
    ConstView view{source.bytes.data(), {}};
    std::copy_n(source.stride, 4, view.stride);
    Random unused(0);
    Buffer out = DenseBuffer(unused, to, problem.layout, problem.dtype);
    View destination{out.bytes.data(), {}};
    std::copy_n(out.stride, 4, destination.stride);
    const Status status = Apply(problem, view, destination, 1);
    Expect(status.ok(), status.message);
    const std::vector<uint8_t> expected = InOrder(to, problem.dtype, out);
    CompareKernels(problem, view, nullptr, expected);

    int64_t origin = 0;
    const Buffer scattered = ScatteredCopy(random, from, problem.dtype, source, &origin);
    view.data = scattered.bytes.data() + origin * SizeOf(problem.dtype);
    std::copy_n(scattered.stride, 4, view.stride);
    CompareKernels(problem, view, &random, expected);
  }
  for (const char* name :
       {"strips, own tables", "strips, workspace", "tiles, own tables", "tiles, workspace"}) {
    Expect(tested[name] > 0, std::string("no problem ran with ") + name);
  }
}

// Tables without pixels: larger axes than the problems above have.
void TestTables(Random& random, int problems) {
  for (int i = 0; i < problems; ++i) {
    Problem p = RandomProblem(random);
    p.batch = p.channels = 1;
    p.in_width = Between(random, 1, 5000);
    p.out_width = Between(random, 1, 5000);
    p.scale_width = static_cast<double>(p.out_width) / static_cast<double>(p.in_width);
    cuda::Plan plan;
    Expect(cuda::MakePlan(p, {}, {}, &plan).ok(), Describe(p));
    const cuda::AppliedAxis& axis = plan.arguments.columns;
    AxisTable expected = MakeAxisTable(p.in_width, p.out_width, p.scale_width, p.attributes);
    if (axis.transposed) expected = Transpose(expected);
    const Memory memory(cuda::TableBytes<double>(axis.most_taps, axis.destination));
    const cuda::AxisTableView<double> table(memory.data(), axis.destination);
    bool equal = expected.taps <= axis.most_taps;
    for (int64_t o = 0; o < axis.destination && equal; ++o) {
      cuda::FillEntry(axis, o, o, table);
      const int64_t count = expected.count[o];
      equal = std::max<int64_t>(table.end(o) - table.first(o), 0) == count &&
              (count == 0 || table.first(o) == expected.first[o]);
      for (int64_t k = 0; k < count && equal; ++k) {
        equal =
            table.weights(o)[k * table.weight_step()] == expected.weights[o * expected.taps + k];
      }
    }
    Expect(equal, "table of the columns, " + Describe(p));
  }
}

void TestSmallDivisor() {
  for (int divisor = 1; divisor <= 4096; divisor += divisor < 64 ? 1 : 61) {
    const cuda::SmallDivisor by(divisor);
    bool right = true;
    for (int i = 0; i <= 1 << 20; i += i < 8192 ? 1 : 127) {
      const int quotient = by.Quotient(i);
      right = right && quotient == i / divisor && by.Remainder(i, quotient) == i % divisor;
    }
    const int multiple = (1 << 20) / divisor * divisor;
    right = right && by.Quotient(multiple) == multiple / divisor &&
            by.Quotient(multiple - 1) == (multiple - 1) / divisor;
    Expect(right, "division by " + std::to_string(divisor));
  }
}

}  // namespace

int Main(int argc, char** argv) {
  const int problems = argc > 1 ? std::atoi(argv[1]) : 200;
  Random random(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  TestSmallDivisor();
  TestTables(random, problems);
  TestRandomProblems(random, problems);
  for (const auto& [name, count] : tested) std::cout << name << ": " << count << " equal\n";
  std::cout << failures << " failures\n";
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace sr_ops::test

int main(int argc, char** argv) { return sr_ops::test::Main(argc, argv); }
