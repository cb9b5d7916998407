#include "core/axis.h"

#include <algorithm>

#include "core/axis_geometry.h"

namespace sr_ops {
namespace {

void Normalise(double* weights, int32_t count) {
  double sum = 0.0;
  for (int32_t k = 0; k < count; ++k) sum += weights[k];
  for (int32_t k = 0; k < count; ++k) weights[k] /= sum;
}

}  // namespace

AxisTable MakeAxisTable(int64_t in, int64_t out, double scale, const Attributes& attributes) {
  const AxisGeometry geometry(in, out, scale, attributes);
  AxisTable table;
  table.in = in;
  table.out = out;
  table.first.resize(out);
  table.count.resize(out);
  for (int64_t o = 0; o < out; ++o) {
    const Window window = WindowAt(geometry, SourceCoordinate(geometry, o));
    table.first[o] = window.first;
    table.count[o] = static_cast<int32_t>(window.last - window.first + 1);
    table.taps = std::max(table.taps, table.count[o]);
  }
  table.weights.assign(static_cast<size_t>(out) * table.taps, 0.0);
  for (int64_t o = 0; o < out; ++o) {
    const double centre = SourceCoordinate(geometry, o);
    double* weights = &table.weights[static_cast<size_t>(o) * table.taps];
    for (int32_t k = 0; k < table.count[o]; ++k) {
      weights[k] = RawWeight(geometry, centre, table.first[o] + k);
    }
    if (geometry.normalises()) Normalise(weights, table.count[o]);
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
    table.count[s] = static_cast<int32_t>(last[s] - table.first[s] + 1);
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
