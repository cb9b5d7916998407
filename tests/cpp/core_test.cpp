// The core on its own threads and exact heap buffers: bits, races, bad problems. Prints what
// failed; exit status 1 if anything did. Usage: sr_ops_core_test [number of random problems] [seed]
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/cpu/plan.h"
#include "core/cpu/target.h"
#include "core/resample.h"
#include "core/scale.h"
#include "expect.h"
#include "problems.h"

namespace sr_ops::test {
namespace {

/// Of all results, to be compared between machines (FNV-1a).
uint64_t digest = 14695981039346656037u;

void AddToDigest(const std::vector<uint8_t>& bytes) {
  for (uint8_t byte : bytes) digest = (digest ^ byte) * 1099511628211u;
}

std::vector<std::string> FusedTargets() {
  std::vector<std::string> names;
  for (const std::string& name : AvailableTargets()) {
    if (name.rfind("SSE", 0) != 0) names.push_back(name);
  }
  return names;
}

std::vector<uint8_t> Result(const Problem& problem, const Buffer& source, int64_t origin,
                            int threads) {
  const Shape shape = DestinationShape(problem);
  Random unused(0);
  Buffer out = DenseBuffer(unused, shape, problem.layout, problem.dtype);
  const ConstView from = ViewOf(source, origin * SizeOf(problem.dtype));
  const View to = ViewOf(&out);
  const Status status = Apply(problem, from, to, threads);
  Expect(status.ok(), status.message + " for " + Describe(problem));
  return InOrder(shape, problem.dtype, out);
}

using MakeProblem = Problem (*)(Random&);

void TestBits(Random& random, int problems, MakeProblem make) {
  for (int i = 0; i < problems; ++i) {
    const Problem problem = make(random);
    const Shape shape = SourceShape(problem);
    const Buffer source = DenseBuffer(random, shape, problem.layout, problem.dtype);
    int64_t origin = 0;
    const Buffer scattered = ScatteredCopy(random, shape, problem.dtype, source, &origin);
    ChooseTarget("SCALAR");
    const std::vector<uint8_t> expected = Result(problem, source, 0, 1);
    AddToDigest(expected);
    for (const std::string& name : FusedTargets()) {
      Expect(ChooseTarget(name) && ChosenTarget() == name, "choosing " + name);
      Expect(Result(problem, source, 0, 1 + i % 4) == expected, name + ", " + Describe(problem));
      Expect(Result(problem, scattered, origin, 1) == expected,
             name + ", scattered source, " + Describe(problem));
    }
  }
}

/// A problem's source, and its whole result.
struct Answered {
  Shape shape, out_shape;
  Buffer source, whole;
};

void CheckWindow(const Problem& part, const Answered& of, int threads, const std::string& name) {
  const Buffer crop = PartOf(of.shape, part.crop, part.dtype, part.layout, of.source);
  const Buffer expected = PartOf(of.out_shape, part.window, part.dtype, part.layout, of.whole);
  Expect(Result(part, crop, 0, threads) == InOrder(DestinationShape(part), part.dtype, expected),
         name + ", window of " + Describe(part));
}

// Any window, then one of other rows of the same columns, whose plan shares the horizontal axis.
void CheckWindows(Random& random, Problem part, const Answered& of, int threads,
                  const std::string& name) {
  part.layout = static_cast<Layout>(Between(random, 0, 1));
  part.window = RandomPart(random, part.out_height, part.out_width);
  Rectangle read;
  Expect(SourceRectangle(part, &read).ok(), Describe(part));
  part.crop = RandomPartAround(random, read, part.in_height, part.in_width);
  CheckWindow(part, of, threads, name);
  Problem other = part;
  const Rectangle rows = RandomPart(random, part.out_height, part.out_width);
  other.window.top = rows.top;
  other.window.height = rows.height;
  Expect(SourceRectangle(other, &read).ok(), Describe(other));
  const Rectangle around = RandomPartAround(random, read, part.in_height, part.in_width);
  other.crop.top = around.top;
  other.crop.height = around.height;
  CheckWindow(other, of, threads, name + ", other rows");
  std::shared_ptr<const Plan> plan, other_plan;
  Expect(GetPlan(part, &plan).ok() && GetPlan(other, &other_plan).ok(), Describe(other));
  if (plan->float32.rows.HasFourTaps() == other_plan->float32.rows.HasFourTaps() &&
      plan->float64.rows.HasFourTaps() == other_plan->float64.rows.HasFourTaps()) {
    Expect(plan->float32.columns == other_plan->float32.columns &&
               plan->float64.columns == other_plan->float64.columns,
           "the same columns: " + Describe(other));
  }
}

// A part of the result has the bits that it has in the whole, from any part of the source that
// holds what it reads: its buffer is exactly that part.
void TestWindows(Random& random, int problems, MakeProblem make) {
  for (int i = 0; i < problems; ++i) {
    Problem problem = make(random);
    problem.direction = Direction::kForward;
    const Shape shape = SourceShape(problem), out_shape = DestinationShape(problem);
    Answered of{shape, out_shape, DenseBuffer(random, shape, problem.layout, problem.dtype),
                DenseBuffer(random, out_shape, problem.layout, problem.dtype)};
    ChooseTarget(AvailableTargets().front());
    Expect(Apply(problem, ViewOf(of.source), ViewOf(&of.whole), 1).ok(), Describe(problem));
    for (const std::string& name : FusedTargets()) {
      ChooseTarget(name);
      CheckWindows(random, problem, of, 1 + i % 3, name);
    }
  }
}

// Every crop that lacks a row or a column of what is read is refused; the rectangle is the
// smallest.
void TestCropsThatAreTooSmall(Random& random, int problems) {
  int refused = 0;
  for (int i = 0; i < problems; ++i) {
    Problem p = RandomProblem(random);
    p.direction = Direction::kForward;
    p.window = RandomPart(random, p.out_height, p.out_width);
    Rectangle read;
    Expect(SourceRectangle(p, &read).ok(), Describe(p));
    p.crop = read;
    Expect(Validate(p).ok(), Describe(p));
    const int side = static_cast<int>(Between(random, 0, 3));
    int64_t& extent = side < 2 ? p.crop.height : p.crop.width;
    if (--extent == 0) continue;
    if (side == 0) ++p.crop.top;
    if (side == 2) ++p.crop.left;
    const Status status = Validate(p);
    Expect(status.message.find("crop: got") == 0, "a crop too small: " + Describe(p));
    ++refused;
  }
  Expect(refused > problems / 4, "crops were refused");
}

// Many callers at once, more different problems than the cache of plans holds.
void TestConcurrentCalls(Random& random) {
  struct Known {
    Problem problem;
    Buffer source;
    std::vector<uint8_t> expected;
  };
  std::vector<Known> known;
  while (known.size() < 48) {
    Known entry{RandomProblem(random), {}, {}};
    entry.source =
        DenseBuffer(random, SourceShape(entry.problem), entry.problem.layout, entry.problem.dtype);
    entry.expected = Result(entry.problem, entry.source, 0, 1);
    known.push_back(std::move(entry));
  }
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 6; ++caller) {
    callers.emplace_back([&, caller] {
      Random own(static_cast<uint64_t>(caller));
      for (int i = 0; i < 60; ++i) {
        const Known& entry = known[static_cast<size_t>(Between(own, 0, 47))];
        wrong += Result(entry.problem, entry.source, 0, 2) != entry.expected;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  Expect(wrong == 0, std::to_string(wrong) + " wrong results in concurrent calls");
}

Problem Ordinary() {
  Problem p;
  p.batch = p.channels = 1;
  p.in_height = p.in_width = 4;
  p.out_height = p.out_width = 8;
  p.scale_height = p.scale_width = 2;
  return p;
}

void ExpectInvalid(const Problem& problem, const std::string& fragment) {
  std::shared_ptr<const Plan> plan;
  const Status status = GetPlan(problem, &plan);
  Expect(status.code == StatusCode::kInvalidArgument, "valid: " + Describe(problem));
  Expect(status.message.find(fragment) != std::string::npos, "message: " + status.message);
  Expect(plan == nullptr, "a plan for " + Describe(problem));
}

void TestBadProblems() {
  const int64_t most = std::numeric_limits<int64_t>::max();
  for (int64_t extent : {int64_t{0}, int64_t{-1}, std::numeric_limits<int64_t>::min()}) {
    for (int64_t Problem::*field : {&Problem::in_height, &Problem::in_width}) {
      Problem p = Ordinary();
      p.*field = extent;
      ExpectInvalid(p, "height and width must be > 0");
    }
    for (int64_t Problem::*field : {&Problem::out_height, &Problem::out_width}) {
      Problem p = Ordinary();
      p.*field = extent;
      ExpectInvalid(p, "at least one pixel");
    }
  }
  for (int64_t Problem::*field : {&Problem::batch, &Problem::channels}) {
    Problem p = Ordinary();
    p.*field = -1;
    ExpectInvalid(p, "must be >= 0");
  }
  for (int64_t Problem::*field : {&Problem::batch, &Problem::channels, &Problem::in_height,
                                  &Problem::in_width, &Problem::out_height, &Problem::out_width}) {
    for (int64_t extent : {most, int64_t{1} << 41}) {
      Problem p = Ordinary();
      p.*field = extent;
      ExpectInvalid(p, "2^40");
    }
  }
  for (double scale : {0.0, -1.0, std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    for (double Problem::*field : {&Problem::scale_height, &Problem::scale_width}) {
      Problem p = Ordinary();
      p.*field = scale;
      ExpectInvalid(p, "finite number > 0");
    }
  }
  for (double scale : {1e-300, 1e-9, 1.2, 2.9, 1e300}) {
    for (double Problem::*field : {&Problem::scale_height, &Problem::scale_width}) {
      Problem p = Ordinary();
      p.*field = scale;
      ExpectInvalid(p, "does not make 4 pixels into 8");
    }
  }
  for (double scale : {1e-122, 1e-9, 0.1, 0.7}) {  // a single output pixel hides nothing
    Problem p = Ordinary();
    p.out_width = 1;
    p.scale_width = scale;
    ExpectInvalid(p, "does not make 4 pixels into 1");
  }
  for (float a : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
    Problem p = Ordinary();
    p.attributes.cubic_coeff_a = a;
    ExpectInvalid(p, "cubic_coeff_a");
  }
}

void TestNothingToDo() {
  for (int64_t Problem::*field : {&Problem::batch, &Problem::channels}) {
    Problem p = Ordinary();
    p.*field = 0;
    std::shared_ptr<const Plan> plan;
    Expect(GetPlan(p, &plan).ok(), "an empty tensor is a valid one");
    Call call(*plan, {}, {}, 4);
    Expect(call.tiles() == 0 && ElementCount(*plan) == 0, "no tiles for an empty tensor");
  }
}

void TestScales() {
  Expect(OutputSize(45, 1.4f) == 63, "45 x 1.4");
  Expect(OutputSize(3, 0.3f) == 0, "3 x 0.3");
  Expect(OutputSize(1 << 20, 3e38f) == -1, "beyond int64");
  Expect(OutputSize(1 << 20, -3e38f) == -1, "negative, beyond int64");
  float height = 0, width = 0;
  const float four[] = {1, 1, 2.5f, 3};
  Expect(ParseScales(four, 4, 4, &height, &width).ok() && height == 2.5f && width == 3, "of four");
  Expect(ParseScales(four + 2, 2, 4, &height, &width).ok() && height == 2.5f, "of two");
  Expect(ParseScales(four + 3, 1, 4, &height, &width).ok() && height == 3 && width == 3, "of one");
  Expect(!ParseScales(four, 3, 4, &height, &width).ok(), "of three");
  Expect(!ParseScales(four, 0, 4, &height, &width).ok(), "of none");
  Expect(ParseScales(four + 2, 2, 2, &height, &width).ok() && width == 3, "of a matrix");
  for (float bad : {0.0f, -1.0f, std::nanf(""), HUGE_VALF}) {
    const float pair[] = {2, bad};
    Expect(!ParseScales(pair, 2, 4, &height, &width).ok(), "a bad width factor");
    Expect(!ParseScales(&bad, 1, 4, &height, &width).ok(), "a bad factor");
  }
  const int64_t shape[] = {2, 3, 4, 5}, sizes[] = {2, 3, 8, 9}, other[] = {1, 3, 8, 9};
  int64_t out_height = 0, out_width = 0;
  Expect(ParseSizes(sizes, 4, shape, 4, &out_height, &out_width).ok() && out_height == 8, "sizes");
  Expect(!ParseSizes(other, 4, shape, 4, &out_height, &out_width).ok(), "another batch");
  Expect(!ParseSizes(sizes, 3, shape, 4, &out_height, &out_width).ok(), "three sizes");
}

}  // namespace

int Main(int argc, char** argv) {
  const int problems = argc > 1 ? std::atoi(argv[1]) : 400;
  Random random(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  TestBadProblems();
  TestNothingToDo();
  TestScales();
  TestBits(random, problems, RandomProblem);
  TestBits(random, problems / 4, HalvedProblem);
  TestConcurrentCalls(random);
  TestWindows(random, problems, RandomProblem);
  TestWindows(random, problems / 4, HalvedProblem);
  TestCropsThatAreTooSmall(random, problems);
  std::cout << problems << " random problems on";
  for (const std::string& name : FusedTargets()) std::cout << " " << name;
  std::cout << ": " << failures << " failures, digest " << std::hex << digest << std::dec << "\n";
  return ExitStatus();
}

}  // namespace sr_ops::test

int main(int argc, char** argv) { return sr_ops::test::Main(argc, argv); }
