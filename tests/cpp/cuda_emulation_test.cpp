// The GPU's kernels on the host (cuda_emulation.h) against the CPU's, bit for bit. Every problem
// runs with every kernel that fits it, with tables of its own and with tables in a workspace; from
// dense and from scattered memory; tensors, tables and shared memory lie beside pages that nobody
// may touch. Prints what failed; exit status 1 if anything did. Usage: sr_ops_cuda_emulation_test
// [number of random problems] [seed]
#include "cuda_emulation.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "core/axis.h"
#include "core/cuda/axis_entry-inl.h"
#include "core/cuda/launch_plan.h"
#include "core/resample.h"
#include "core/scale.h"
#include "expect.h"
#include "problems.h"

#ifndef _WIN32
#include <sys/mman.h>
#endif

namespace sr_ops::test {
namespace {

std::string NameOf(const cuda::LaunchPlan& plan) {
  return std::string(plan.kind == cuda::KernelKind::kStrip ? "strips" : "tiles") +
         (plan.workspace_bytes > 0 ? ", workspace" : ", own tables");
}

// How often each kernel was right: a kernel that no problem reaches is not tested.
std::map<std::string, int> tested;

// A buffer's bytes where touching what lies before or behind them ends the process.
class GuardedBuffer {
 public:
  GuardedBuffer(const Buffer& buffer, int64_t origin, DataType dtype, Random& random)
      : memory_(static_cast<int64_t>(buffer.bytes.size()), EitherGuard(random), SizeOf(dtype)),
        origin_(origin * SizeOf(dtype)),
        stride_(buffer.stride) {
    std::copy(buffer.bytes.begin(), buffer.bytes.end(), memory_.data());
  }

  template <typename AnyView>
  AnyView As() const {
    AnyView view{memory_.data() + origin_, {}};
    std::copy_n(stride_, 4, view.stride);
    return view;
  }
  GuardedMemory& memory() { return memory_; }

 private:
  GuardedMemory memory_;
  int64_t origin_;  // bytes
  const int64_t* stride_;
};

// Which elements of a destination blocks have written. Each must be written once, by one block: two
// that write the same value race all the same. Elements that are given the poison's value by right
// (255, -1, a NaN) look unwritten, and are not watched.
class Ownership {
 public:
  // `out` is poisoned and stays so: what blocks write is moved away.
  Ownership(GuardedMemory* out, int64_t element_size)
      : out_(out), size_(element_size), moved_(out->data(), out->data() + out->bytes()) {}

  void AfterBlock() {
    char* const bytes = out_->data();
    for (int64_t i = 0; i < out_->bytes(); i += size_) {
      if (IsPoison(bytes + i)) continue;
      shared_ |= !IsPoison(&moved_[i]);
      std::copy_n(bytes + i, size_, &moved_[i]);
      std::fill_n(bytes + i, size_, kPoison);
    }
  }
  // Puts everything back; whether no element had two writers.
  bool Finish() {
    std::copy(moved_.begin(), moved_.end(), out_->data());
    return !shared_;
  }

 private:
  bool IsPoison(const char* element) const {
    return std::all_of(element, element + size_, [](char byte) { return byte == kPoison; });
  }

  GuardedMemory* out_;
  int64_t size_;
  std::vector<char> moved_;
  bool shared_ = false;
};

// More would take too long to look at after each block.
constexpr int64_t kMostWatched = int64_t{1} << 22;

// Whether the bytes of a destination are `expected`, those between its elements included.
bool HoldsExactly(const GuardedMemory& memory, const Buffer& expected) {
  return memory.intact() && std::equal(expected.bytes.begin(), expected.bytes.end(),
                                       reinterpret_cast<const uint8_t*>(memory.data()));
}

// `expected`: the destination as it must be in the end, poison between its elements.
void CompareKernels(const Problem& problem, const ConstView& source, const Buffer& expected,
                    int64_t origin, Random& random) {
  const int64_t size = SizeOf(problem.dtype);
  for (cuda::KernelKind kind : {cuda::KernelKind::kStrip, cuda::KernelKind::kTile}) {
    for (bool workspace : {false, true}) {
      GuardedBuffer out(expected, origin, problem.dtype, random);
      out.memory().Poison();
      cuda::LaunchPlan plan;
      const Status status = cuda::MakePlan(problem, source, out.As<View>(), &plan);
      Expect(status.ok(), status.message);
      if (!cuda::Configure(kind, workspace, &plan)) continue;
      const std::string name = NameOf(plan) + ": " + Describe(problem);
      DescribeFaultsAs(name);
      Ownership ownership(&out.memory(), size);
      Emulation emulation;
      const bool watched = out.memory().bytes() * plan.arguments.blocks <= kMostWatched;
      if (watched) emulation.after_block = [&] { ownership.AfterBlock(); };
      Expect(Emulate(plan, random, emulation), name + ": writes beside shared memory or tables");
      if (watched) Expect(ownership.Finish(), name + ": two blocks write the same element");
      const bool equal = HoldsExactly(out.memory(), expected);
      Expect(equal, name);
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
    const ConstView view = ViewOf(source);
    Random unused(0);
    Buffer expected = DenseBuffer(unused, to, problem.layout, problem.dtype);
    const View destination = ViewOf(&expected);
    const Status status = Apply(problem, view, destination, 1);
    Expect(status.ok(), status.message);
    const GuardedBuffer dense(source, 0, problem.dtype, random);
    CompareKernels(problem, dense.As<ConstView>(), expected, 0, random);

    int64_t origin = 0, expected_origin = 0;
    const Buffer scattered = ScatteredCopy(random, from, problem.dtype, source, &origin);
    const GuardedBuffer guarded(scattered, origin, problem.dtype, random);
    const Buffer scattered_result =
        ScatteredCopy(random, to, problem.dtype, expected, &expected_origin);
    CompareKernels(problem, guarded.As<ConstView>(), scattered_result, expected_origin, random);
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
    cuda::LaunchPlan plan;
    Expect(cuda::MakePlan(p, {}, {}, &plan).ok(), Describe(p));
    const cuda::AppliedAxis& axis = plan.arguments.columns;
    AxisTable expected = MakeAxisTable({p.in_width, p.out_width, p.scale_width, p.attributes});
    if (axis.transposed) expected = Transpose(expected);
    const GuardedMemory memory(cuda::TableBytes<double>(axis.most_taps, axis.destination),
                               EitherGuard(random), cuda::kTableAlignment);
    DescribeFaultsAs("table of the columns, " + Describe(p));
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
    Expect(equal && memory.intact(), "table of the columns, " + Describe(p));
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

// A grid's sides are 32-bit numbers, blocks have 48 KiB of shared memory without asking for more,
// and a thread has a place for so many sums.
bool IsLaunchable(const cuda::LaunchPlan& plan) {
  const cuda::Arguments& a = plan.arguments;
  if (a.blocks < 1 || a.blocks > cuda::kMostBlocksInRow * 65535) return false;
  if (plan.workspace_bytes < 0 || plan.shared_bytes < 0) return false;
  if (plan.kind == cuda::KernelKind::kStrip) {
    const int64_t covered = a.strip.strips * a.strip.rows;
    return a.strip.rows >= 1 && a.strip.rows <= cuda::kMostStripRows &&
           covered >= a.rows.destination && covered - a.rows.destination < a.strip.rows;
  }
  const cuda::TileGrid& tile = a.tile;
  return tile.rows >= 1 && tile.columns >= 1 && tile.lanes >= 1 && tile.chunk >= 1 &&
         int64_t{tile.rows} * tile.columns * tile.lanes <= cuda::kMostTileElements &&
         plan.shared_bytes <= 48 << 10;
}

// The largest problems that there are, and those of the most lopsided shapes: plans alone.
void TestLimits() {
  constexpr int64_t kMost = int64_t{1} << 40;
  const int64_t shapes[][4] = {
      {kMost / 4, 1, 1, 1},
      {1, kMost / 4, 1, 1},
      {1, 1, kMost / 4, 1},
      {1, 1, 1, kMost / 4},
      {1, 1, 1 << 19, 1 << 19},
      {1 << 19, 1 << 19, 1, 1},
      {1 << 10, 1 << 10, 1 << 9, 1 << 9},
      {1, 1, 1, 1},
      {3, 5, 7, 11},
  };
  for (const auto& s : shapes) {
    for (int bits = 0; bits < 64; ++bits) {
      Problem p;
      p.batch = s[0];
      p.channels = s[1];
      p.in_height = s[2];
      p.in_width = s[3];
      p.out_height = bits & 1 ? std::max<int64_t>(s[2] / 3, 1) : s[2] * 2;
      p.out_width = bits & 2 ? std::max<int64_t>(s[3] / 3, 1) : s[3] * 2;
      p.scale_height = static_cast<double>(p.out_height) / static_cast<double>(p.in_height);
      p.scale_width = static_cast<double>(p.out_width) / static_cast<double>(p.in_width);
      p.layout = bits & 4 ? Layout::kChannelsLast : Layout::kChannelsFirst;
      p.direction = bits & 8 ? Direction::kAdjoint : Direction::kForward;
      p.attributes.antialias = bits & 16;
      p.dtype = bits & 32 ? DataType::kFloat64 : DataType::kFloat32;
      cuda::LaunchPlan plan;
      const Status status = cuda::MakePlan(p, {}, {}, &plan);
      Expect(status.ok(), status.message + " " + Describe(p));
      Expect(IsLaunchable(plan), "launchable: " + Describe(p));
      for (cuda::KernelKind kind : {cuda::KernelKind::kStrip, cuda::KernelKind::kTile}) {
        for (bool workspace : {false, true}) {
          if (!cuda::Configure(kind, workspace, &plan)) continue;
          Expect(IsLaunchable(plan), NameOf(plan) + ", launchable: " + Describe(p));
        }
      }
    }
  }
}

// Small images take one launch, large ones of the usual kind the tables' launch and another.
void TestLaunches() {
  for (int64_t channels : {1, 3}) {
    for (double scale : {0.25, 0.5, 2.0, 2.7, 3.0}) {
      for (int bits = 0; bits < 8; ++bits) {
        Problem p;
        p.batch = 1;
        p.channels = channels;
        p.scale_height = p.scale_width = static_cast<float>(scale);
        p.layout = bits & 1 ? Layout::kChannelsLast : Layout::kChannelsFirst;
        p.direction = bits & 2 ? Direction::kAdjoint : Direction::kForward;
        p.attributes.antialias = bits & 4;
        for (int64_t extent : {16, 256, 4096}) {
          p.in_height = p.in_width = extent;
          p.out_height = p.out_width = OutputSize(extent, static_cast<float>(scale));
          cuda::LaunchPlan plan;
          Expect(cuda::MakePlan(p, {}, {}, &plan).ok(), Describe(p));
          const bool one_launch = plan.workspace_bytes == 0;
          if (extent <= 256) Expect(one_launch, "one launch: " + Describe(p));
          if (extent == 4096 && scale >= 2) Expect(!one_launch, "two launches: " + Describe(p));
        }
      }
    }
  }
}

#ifndef _WIN32
// Zeros that take memory only where they are written.
class SparseMemory {
 public:
  explicit SparseMemory(int64_t bytes) : bytes_(static_cast<size_t>(bytes)) {
    data_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data_ == MAP_FAILED) throw std::bad_alloc();
  }
  ~SparseMemory() { munmap(data_, bytes_); }
  SparseMemory(const SparseMemory&) = delete;
  SparseMemory& operator=(const SparseMemory&) = delete;
  uint8_t* data() const { return static_cast<uint8_t*>(data_); }

 private:
  void* data_;
  size_t bytes_;
};

constexpr int64_t kCorner = 64;

Problem SquareProblem(int64_t in, int64_t out) {
  Problem p;
  p.batch = p.channels = 1;
  p.in_height = p.in_width = in;
  p.out_height = p.out_width = out;
  p.scale_height = p.scale_width = static_cast<double>(out) / static_cast<double>(in);
  p.dtype = DataType::kUInt8;
  return p;
}

// The last corner of an image whose offsets take more than 32 bits is that of a small image.
void TestFarCorner(int64_t in, int64_t out, cuda::KernelKind kind, Random& random) {
  const Problem large = SquareProblem(in, out);
  const Problem small = SquareProblem(kCorner, kCorner * out / in);
  const Buffer corner = DenseBuffer(random, SourceShape(small), small.layout, small.dtype);
  Buffer right = DenseBuffer(random, DestinationShape(small), small.layout, small.dtype);
  const ConstView from = ViewOf(corner);
  const View to = ViewOf(&right);
  Expect(Apply(small, from, to, 1).ok(), "the corner");

  const SparseMemory source(in * in), destination(out * out);
  for (int64_t y = 0; y < kCorner; ++y) {
    std::copy_n(&corner.bytes[static_cast<size_t>(y * kCorner)], kCorner,
                source.data() + (in - kCorner + y) * in + in - kCorner);
  }
  cuda::LaunchPlan plan;
  const Status status = cuda::MakePlan(large, {source.data(), {in * in, in * in, in, 1}},
                                       {destination.data(), {out * out, out * out, out, 1}}, &plan);
  Expect(status.ok(), status.message);
  Expect(cuda::Configure(kind, true, &plan), "a large image");
  DescribeFaultsAs("far corner, " + NameOf(plan));
  Emulation emulation;
  emulation.last_blocks = 2;
  Expect(Emulate(plan, random, emulation), "far corner, writes beside shared memory or tables");
  bool equal = true;
  // What the last two blocks surely own, far enough from the small image's other edges.
  for (int64_t y = 1; y <= 16; ++y) {
    for (int64_t x = 1; x <= 16; ++x) {
      const uint8_t expected = right.bytes[static_cast<size_t>(
          (small.out_height - y) * small.out_width + small.out_width - x)];
      equal = equal && destination.data()[(out - y) * out + out - x] == expected;
    }
  }
  Expect(equal, "far corner, " + NameOf(plan) + ": " + Describe(large));
}
#endif

}  // namespace

int Main(int argc, char** argv) {
  const int problems = argc > 1 ? std::atoi(argv[1]) : 200;
  Random random(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  TestSmallDivisor();
  TestLimits();
  TestLaunches();
#ifndef _WIN32
  TestFarCorner(50016, 100032, cuda::KernelKind::kStrip, random);
  TestFarCorner(50016, 100032, cuda::KernelKind::kTile, random);
  TestFarCorner(100032, 50016, cuda::KernelKind::kTile, random);
#endif
  TestTables(random, problems);
  TestRandomProblems(random, problems);
  for (const auto& [name, count] : tested) std::cout << name << ": " << count << " equal\n";
  std::cout << failures << " failures\n";
  return ExitStatus();
}

}  // namespace sr_ops::test

int main(int argc, char** argv) { return sr_ops::test::Main(argc, argv); }
