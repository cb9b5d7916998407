#include "core/axis.h"

#include <algorithm>

#include "core/narrow.h"

namespace sr_ops {
namespace {

void Normalise(double* weights, int32_t count) {
  double sum = 0.0;
  for (int32_t k = 0; k < count; ++k) sum += weights[k];
  for (int32_t k = 0; k < count; ++k) weights[k] /= sum;
}

}  // namespace

AxisTable MakeAxisTable(const AxisGeometry& axis, const AxisPart& part) {
  AxisTable table;
  table.in = part.source_count;
  table.out = part.count;
  table.first.resize(part.count);
  table.count.resize(part.count);
  for (int64_t o = 0; o < part.count; ++o) {
    const TapRange taps = TapsAt(axis, SourceCoordinate(axis, part.first + o));
    table.first[o] = taps.first - part.source_first;
    table.count[o] = Narrow<int32_t>(taps.last - taps.first + 1);
    table.taps = std::max(table.taps, table.count[o]);
  }
  table.weights.assign(static_cast<size_t>(part.count) * table.taps, 0.0);
  for (int64_t o = 0; o < part.count; ++o) {
    const double centre = SourceCoordinate(axis, part.first + o);
    const int64_t first = TapsAt(axis, centre).first;
    double* weights = &table.weights[static_cast<size_t>(o) * table.taps];
    for (int32_t k = 0; k < table.count[o]; ++k) weights[k] = RawWeight(axis, centre, first + k);
    if (axis.normalises()) Normalise(weights, table.count[o]);
  }
  return table;
}

AxisTable Transpose(const AxisTable& forward) {
  AxisTable table;
  table.in = forward.out;
  table.out = forward.in;
  std::vector<int64_t> last(table.out, -1);
  table.first.assign(table.out, 0);
  table.count.assign(table.out, 0);
  const auto source = [&](int64_t o, int32_t k) {
    return std::clamp<int64_t>(forward.first[o] + k, 0, forward.in - 1);
  };
  // Source indices of a forward output are non-decreasing in o, so each source index is read by a
  // run of consecutive outputs; the run may have holes only in principle (their weight stays 0).
  for (int64_t o = 0; o < forward.out; ++o) {
    for (int32_t k = 0; k < forward.count[o]; ++k) {
      const int64_t s = source(o, k);
      if (last[s] < 0) table.first[s] = o;
      last[s] = o;
    }
  }
  for (int64_t s = 0; s < table.out; ++s) {
    if (last[s] < 0) continue;
    table.count[s] = Narrow<int32_t>(last[s] - table.first[s] + 1);
    table.taps = std::max(table.taps, table.count[s]);
  }
  table.weights.assign(static_cast<size_t>(table.out) * table.taps, 0.0);
  for (int64_t o = 0; o < forward.out; ++o) {
    for (int32_t k = 0; k < forward.count[o]; ++k) {
      const int64_t s = source(o, k);
      table.weights[static_cast<size_t>(s) * table.taps + (o - table.first[s])] +=
          forward.weights[static_cast<size_t>(o) * forward.taps + k];
    }
  }
  return table;
}

}  // namespace sr_ops
