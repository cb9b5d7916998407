// Axes that shrink, in the order of their sources: every output gets its own taps, in their order,
// and every axis that should be walked can be. Usage: sr_ops_walk_table_test [problems] [seed]
#include "core/cpu/walk_table.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/cpu/plan.h"
#include "core/resample.h"
#include "expect.h"
#include "problems.h"

namespace sr_ops::test {
namespace {

using Taps = std::vector<std::pair<int64_t, float>>;  // source and weight

Taps TapsOf(const RoundedAxis<float>& axis, int64_t o) {
  Taps taps;
  for (int32_t k = 0; k < axis.count[o]; ++k) {
    taps.emplace_back(std::clamp<int64_t>(axis.first[o] + k, 0, axis.in - 1),
                      axis.weights[static_cast<size_t>(o) * axis.taps + k]);
  }
  return taps;
}

// What a walk adds to the sum of output o.
Taps TapsOf(const WalkTable<float>& table, int64_t o) {
  Taps taps;
  for (int64_t s = table.first[o]; s < table.end[o]; ++s) {
    if ((table.active[s] >> o % kWalkSlots & 1) == 0) continue;
    taps.emplace_back(table.source[s], table.weights[s * kWalkSlots + o % kWalkSlots]);
  }
  return taps;
}

void TestTable(const RoundedAxis<float>& axis, const WalkTable<float>& table,
               const std::string& what) {
  Expect(!table.empty(), "cannot be walked: " + what);
  if (table.empty()) return;
  for (int64_t o = 0; o < axis.out; ++o) {
    Expect(TapsOf(table, o) == TapsOf(axis, o), "taps of " + std::to_string(o) + ", " + what);
    const bool slot_is_free = o < kWalkSlots || table.end[o - kWalkSlots] <= table.first[o];
    Expect(slot_is_free && (o == 0 || table.end[o - 1] <= table.end[o]), "order, " + what);
  }
  for (int64_t s = 0; s < static_cast<int64_t>(table.source.size()); ++s) {
    for (int32_t k = 1; k < table.alike[s]; ++k) {
      Expect(table.active[s + k] == table.active[s] && table.source[s + k] == table.source[s] + k &&
                 std::find(table.end.begin(), table.end.end(), s + k) == table.end.end(),
             "not alike, " + what);
    }
    // One more than of the next step, where that goes on: all of them, without a loop in a loop.
    const bool goes_on = s + 1 < static_cast<int64_t>(table.source.size()) &&
                         table.source[s + 1] == table.source[s] + 1;
    const bool all = table.active[s] == kAllSlots;
    Expect(table.straight[s] == (all ? 1 + (goes_on ? table.straight[s + 1] : 0) : 0),
           "straight, " + what);
  }
}

// Both axes shrink: exact fractions, whose windows meet at whole pixels, half of the time.
Problem Shrinking(Random& random) {
  Problem p = RandomProblem(random);
  p.batch = p.channels = 1;
  p.dtype = DataType::kFloat32;
  p.direction = Direction::kForward;
  const auto shrink = [&](int64_t* in, int64_t* out, double* scale) {
    *out = Between(random, 1, 200);
    const int64_t factor = Between(random, 2, 60);
    *in = Between(random, 0, 1) ? *out * factor : Between(random, *out, *out * factor);
    *scale = static_cast<double>(*out) / static_cast<double>(*in);
    if (Between(random, 0, 1)) *scale = static_cast<float>(*scale);
  };
  shrink(&p.in_height, &p.out_height, &p.scale_height);
  shrink(&p.in_width, &p.out_width, &p.scale_width);
  return p;
}

void TestShrinking(Random& random) {
  const Problem problem = Shrinking(random);
  std::shared_ptr<const Plan> plan;
  if (!GetPlan(problem, &plan).ok() || !plan->rows_first) return;  // a rounding too far
  const Tables<float>& tables = plan->float32;
  const bool few_taps = tables.rows.HasFourTaps() && tables.columns->axis.HasFourTaps();
  // Most source rows are skipped: not worth a walk, see Plan.
  const bool skips = tables.rows.in > 10 * tables.rows.out;
  if (few_taps && skips && plan->kernel.vector_bytes >= 64) {
    Expect(tables.walked_rows.empty(), "walked, but slower: " + Describe(problem));
    return;
  }
  TestTable(tables.rows, tables.walked_rows, "rows of " + Describe(problem));
  TestTable(tables.columns->axis, tables.columns->walked, "columns of " + Describe(problem));
}

// The adjoint of enlarging: four outputs read each source pixel.
void TestAdjoint(Random& random) {
  Problem problem = RandomProblem(random);
  problem.batch = problem.channels = 1;
  problem.dtype = DataType::kFloat32;
  problem.direction = Direction::kAdjoint;
  std::shared_ptr<const Plan> plan;
  if (!GetPlan(problem, &plan).ok() || problem.out_height <= problem.in_height ||
      problem.out_width <= problem.in_width) {
    return;
  }
  const Tables<float>& tables = plan->float32;
  if (!tables.walked_rows.empty()) {
    TestTable(tables.rows, tables.walked_rows, "rows of " + Describe(problem));
  }
  if (!tables.columns->walked.empty()) {
    TestTable(tables.columns->axis, tables.columns->walked, "columns of " + Describe(problem));
  }
}

}  // namespace

int Main(int argc, char** argv) {
  const int problems = argc > 1 ? std::atoi(argv[1]) : 2000;
  Random random(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  for (int i = 0; i < problems; ++i) {
    TestShrinking(random);
    TestAdjoint(random);
  }
  std::cout << problems << " axes: " << failures << " failures\n";
  return ExitStatus();
}

}  // namespace sr_ops::test

int main(int argc, char** argv) { return sr_ops::test::Main(argc, argv); }
