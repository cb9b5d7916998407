// One entry of an axis table at a time, forward or transposed, by any thread: the same doubles in
// the same order as MakeAxisTable and Transpose of axis.h, rounded once.
#pragma once

#include <cstdint>

#include "core/axis_geometry.h"
#include "core/cuda/arguments.h"
#include "core/cuda/arithmetic.h"

namespace sr_ops::cuda {

/// What the weights of one forward output are divided by.
SR_OPS_HOST_DEVICE inline double WeightSum(const AxisGeometry& axis, double centre,
                                           const TapRange& taps) {
  double sum = 0.0;
  for (int64_t index = taps.first; index <= taps.last; ++index) {
    sum += RawWeight(axis, centre, index);
  }
  return sum;
}

template <typename Accumulator>
SR_OPS_HOST_DEVICE void FillForwardEntry(const AxisGeometry& axis, int64_t output, int64_t slot,
                                         const AxisTableView<Accumulator>& table) {
  const double centre = SourceCoordinate(axis, output);
  const TapRange taps = TapsAt(axis, centre);
  const bool normalises = axis.normalises();
  const double sum = normalises ? WeightSum(axis, centre, taps) : 1.0;
  table.first(slot) = taps.first;
  table.end(slot) = taps.last + 1;
  for (int64_t index = taps.first; index <= taps.last; ++index) {
    double weight = RawWeight(axis, centre, index);
    if (normalises) weight /= sum;
    table.weights(slot)[(index - taps.first) * table.weight_step()] =
        static_cast<Accumulator>(weight);
  }
}

enum class RangeEdge { kFirst, kLast };

/// The least output whose range of taps, clamped into the image, reaches `index` with that edge;
/// `out` if none does. Edges never decrease, so this gallops from a guess, then halves.
template <RangeEdge kEdge>
SR_OPS_HOST_DEVICE int64_t LeastOutputReaching(const AxisGeometry& axis, int64_t index,
                                               int64_t guess) {
  const auto reaches = [&](int64_t output) {
    const TapRange taps = TapsAt(axis, SourceCoordinate(axis, output));
    const int64_t edge = kEdge == RangeEdge::kFirst ? taps.first : taps.last;
    return Clamp(edge, 0, axis.in - 1) >= index;
  };
  int64_t low = 0, high = axis.out;  // the answer is in [low, high]
  int64_t probe = Clamp(guess, 0, axis.out - 1);
  if (reaches(probe)) {
    high = probe;
    for (int64_t step = 1; high > low; step *= 2) {
      probe = Greatest(high - step, 0);
      if (!reaches(probe)) {
        low = probe + 1;
        break;
      }
      high = probe;
    }
  } else {
    low = probe + 1;
    for (int64_t step = 1; low < high; step *= 2) {
      probe = Least(low + step - 1, axis.out - 1);
      if (reaches(probe)) {
        high = probe;
        break;
      }
      low = probe + 1;
    }
  }
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (reaches(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

/// The weight with which forward output `output` reads source index `index`: the sum over the taps
/// that are clamped to it.
SR_OPS_HOST_DEVICE inline double TransposedWeight(const AxisGeometry& axis, int64_t output,
                                                  int64_t index) {
  const double centre = SourceCoordinate(axis, output);
  const TapRange taps = TapsAt(axis, centre);
  const bool normalises = axis.normalises();
  const double sum = normalises ? WeightSum(axis, centre, taps) : 1.0;
  const int64_t begin = index == 0 ? taps.first : Greatest(taps.first, index);
  const int64_t last = index == axis.in - 1 ? taps.last : Least(taps.last, index);
  double weight = 0.0;
  for (int64_t tap = begin; tap <= last; ++tap) {
    const double part = RawWeight(axis, centre, tap);
    weight += normalises ? part / sum : part;
  }
  return weight;
}

template <typename Accumulator>
SR_OPS_HOST_DEVICE void FillTransposedEntry(const AxisGeometry& axis, int64_t index, int64_t slot,
                                            const AxisTableView<Accumulator>& table) {
  const double outputs_per_source = static_cast<double>(axis.out) / static_cast<double>(axis.in);
  const int64_t guess = static_cast<int64_t>(static_cast<double>(index) * outputs_per_source);
  const int64_t first = LeastOutputReaching<RangeEdge::kLast>(axis, index, guess);
  const int64_t end = index == axis.in - 1
                          ? axis.out
                          : LeastOutputReaching<RangeEdge::kFirst>(axis, index + 1, guess);
  table.first(slot) = first;
  table.end(slot) = end;
  for (int64_t output = first; output < end; ++output) {
    table.weights(slot)[(output - first) * table.weight_step()] =
        static_cast<Accumulator>(TransposedWeight(axis, output, index));
  }
}

/// Writes entry `index` of the axis into the table's slot `slot`.
template <typename Accumulator>
SR_OPS_HOST_DEVICE void FillEntry(const AppliedAxis& axis, int64_t index, int64_t slot,
                                  const AxisTableView<Accumulator>& table) {
  if (axis.transposed) {
    FillTransposedEntry(axis.geometry, index, slot, table);
  } else {
    FillForwardEntry(axis.geometry, index, slot, table);
  }
}

/// Entry `entry` of both whole tables in the workspace: the rows', then the columns'.
template <typename Accumulator>
SR_OPS_HOST_DEVICE void FillWorkspaceEntry(const Arguments& a, int64_t entry) {
  if (entry < a.rows.destination) {
    FillEntry(a.rows, entry, entry, RowTable<Accumulator>(a));
  } else {
    const int64_t column = entry - a.rows.destination;
    FillEntry(a.columns, column, column, ColumnTable<Accumulator>(a));
  }
}

}  // namespace sr_ops::cuda
