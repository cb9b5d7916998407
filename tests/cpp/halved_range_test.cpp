// Axes that are halved: found where they are, whatever the mode, and only there.
// Usage: sr_ops_halved_range_test [problems] [seed]
#include "core/cpu/halved_range.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "core/cpu/plan.h"
#include "core/resample.h"
#include "expect.h"
#include "problems.h"

namespace sr_ops::test {
namespace {

void TestRange(const RoundedAxis<float>& axis, const HalvedRange& range, const std::string& what) {
  const int32_t taps = axis.count[range.begin];
  Expect(taps == 4 || taps == 8, "taps, " + what);
  for (int64_t o = range.begin; o < range.end; ++o) {
    const int64_t first = axis.first[range.begin] + 2 * (o - range.begin);
    const float* const weights = &axis.weights[o * axis.taps];
    Expect(axis.first[o] == first && axis.count[o] == taps && first >= 0 &&
               first + taps <= axis.in &&
               std::equal(weights, weights + taps, &axis.weights[range.begin * axis.taps]),
           "output " + std::to_string(o) + ", " + what);
  }
  Expect(axis.out - (range.end - range.begin) <= kMostHalvedEdges, "edges, " + what);
  for (const auto& [begin, end] : {std::pair(int64_t{0}, range.begin), {range.end, axis.out}}) {
    int64_t low = axis.in, high = 0;
    for (int64_t o = begin; o < end; ++o) {
      const int64_t last = axis.first[o] + axis.count[o] - 1;
      low = std::min(low, std::clamp<int64_t>(axis.first[o], 0, axis.in - 1));
      high = std::max(high, std::clamp<int64_t>(last, 0, axis.in - 1) + 1);
    }
    if (begin == end) continue;
    const ElementRange sources = SourcesOf(axis, begin, end);
    Expect(sources.begin == low && sources.end == high && high - low <= kMostHalvedSources,
           "sources of an edge, " + what);
  }
}

// Number of taps, or 0 where none was found.
int32_t TestProblem(const Problem& problem, bool expected) {
  std::shared_ptr<const Plan> plan;
  if (!GetPlan(problem, &plan).ok() || !plan->rows_first) return 0;
  const auto& columns = *plan->float32.columns;
  Expect(columns.halved.empty() != expected, "found or not: " + Describe(problem));
  if (columns.halved.empty()) return 0;
  TestRange(columns.axis, columns.halved, Describe(problem));
  return columns.axis.count[columns.halved.begin];
}

// Outputs are two sources apart but for aligned corners. Without half a pixel's offset a window of
// eight spacings begins and ends at a source: there is no kernel for so many taps.
bool IsHalved(const Problem& p) {
  const CoordinateMode mode = p.attributes.coordinate_transformation_mode;
  if (mode == CoordinateMode::kAlignCorners) return false;
  if (mode == CoordinateMode::kAsymmetric && p.attributes.antialias) return false;
  return std::min(p.out_width, p.in_width) >= kFewestHalvedFloats;
}

}  // namespace

int Main(int argc, char** argv) {
  const int problems = argc > 1 ? std::atoi(argv[1]) : 2000;
  Random random(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  std::set<int32_t> found;
  for (int i = 0; i < problems; ++i) {
    Problem problem = HalvedProblem(random);
    problem.dtype = DataType::kFloat32;
    problem.layout = Layout::kChannelsFirst;
    if (!IsHalved(problem)) continue;
    found.insert(TestProblem(problem, true));
    if (problem.direction == Direction::kAdjoint) continue;
    ++problem.in_width;  // no longer
    problem.scale_width = static_cast<double>(problem.out_width) / problem.in_width;
    TestProblem(problem, false);
  }
  Expect(found.count(4) == 1 && found.count(8) == 1, "both numbers of taps were found");
  std::cout << problems << " problems: " << failures << " failures\n";
  return ExitStatus();
}

}  // namespace sr_ops::test

int main(int argc, char** argv) { return sr_ops::test::Main(argc, argv); }
