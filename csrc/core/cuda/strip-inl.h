// Four taps on both axes, columns (horizontal) first: enlarging. A thread owns one element of the
// destination's rows and marches down a strip. It keeps the horizontal results of the four source
// rows that its output row reads in registers, so each goes once through the horizontal pass, and
// fetches the row below ahead of its use.
#pragma once

#include <cstdint>

#include "core/convert.h"
#include "core/cuda/arguments.h"
#include "core/cuda/arithmetic.h"
#include "core/cuda/axis_entry-inl.h"
#include "core/cuda/block.h"

namespace sr_ops::cuda {

/// The arithmetic's order: one product, then fused multiply-adds.
template <typename Accumulator>
SR_OPS_HOST_DEVICE Accumulator Chain4(const Accumulator* weights, const Accumulator* values) {
  Accumulator sum = weights[0] * values[0];
  sum = Fma(weights[1], values[1], sum);
  sum = Fma(weights[2], values[2], sum);
  return Fma(weights[3], values[3], sum);
}

template <typename Accumulator>
struct alignas(16) WeightedTaps {
  Accumulator weights[4];
  int64_t first;
};

/// FillForwardEntry for four taps, in registers.
template <typename Accumulator>
SR_OPS_HOST_DEVICE WeightedTaps<Accumulator> ForwardTaps(const AxisGeometry& axis, int64_t output) {
  const double centre = SourceCoordinate(axis, output);
  WeightedTaps<Accumulator> taps;
  taps.first = TapsAt(axis, centre).first;
  double weights[4];
  double sum = 0.0;
  for (int k = 0; k < 4; ++k) {
    weights[k] = RawWeight(axis, centre, taps.first + k);
    sum += weights[k];
  }
  for (int k = 0; k < 4; ++k) {
    taps.weights[k] = static_cast<Accumulator>(axis.normalises() ? weights[k] / sum : weights[k]);
  }
  return taps;
}

/// Entry `index` of an axis of four taps: from its table in the workspace, or computed here.
template <TableHome kHome, typename Accumulator>
SR_OPS_HOST_DEVICE WeightedTaps<Accumulator> WeightedTapsOf(
    const AppliedAxis& axis, int64_t index, const AxisTableView<Accumulator>& table) {
  WeightedTaps<Accumulator> taps;
  if constexpr (kHome == TableHome::kWorkspace) {
    taps.first = table.first(index);
    for (int k = 0; k < 4; ++k) taps.weights[k] = table.weights(index)[k * table.weight_step()];
  } else {
    taps = ForwardTaps<Accumulator>(axis.geometry, index);
  }
  return taps;
}

/// Source rows from a first one downwards, rows beyond the image being the edge's; of each, the
/// horizontal result of one column.
template <typename T>
class ColumnReader {
 public:
  using Accumulator = AccumulatorOf<T>;

  SR_OPS_HOST_DEVICE ColumnReader(const Arguments& a, const T* plane,
                                  const WeightedTaps<Accumulator>& column, int32_t first_row)
      : next_(first_row),
        last_(static_cast<int32_t>(a.rows.source - 1)),
        row_stride_(a.source.stride[2]),
        row_(plane + Clamp(first_row, 0, a.rows.source - 1) * row_stride_) {
    for (int k = 0; k < 4; ++k) {
      weights_[k] = column.weights[k];
      const int64_t x = Clamp(column.first + k, 0, a.columns.source - 1);
      offset_[k] = static_cast<int32_t>(x * a.source.stride[3]);
    }
  }

  /// Starts to load the next row, of which Finish() gives the result.
  SR_OPS_HOST_DEVICE void Fetch() {
    for (int k = 0; k < 4; ++k) fetched_[k] = row_[offset_[k]];
    if (next_ >= 0 && next_ < last_) row_ += row_stride_;
    ++next_;
  }

  SR_OPS_HOST_DEVICE Accumulator Finish() const {
    const Accumulator values[4] = {ToAccumulator(fetched_[0]), ToAccumulator(fetched_[1]),
                                   ToAccumulator(fetched_[2]), ToAccumulator(fetched_[3])};
    return Chain4(weights_, values);
  }

 private:
  int32_t next_;  // the row that is fetched next; may lie outside
  int32_t last_;
  int64_t row_stride_;
  const T* row_;
  Accumulator weights_[4];
  int32_t offset_[4];  // elements from the start of the row
  T fetched_[4];
};

struct ElementPosition {
  int64_t image;
  int64_t channel;
  int64_t column;
};

/// Where element `element` of the planes' rows, one after the other, stands.
SR_OPS_HOST_DEVICE inline ElementPosition PositionOf(const Arguments& a, int64_t element) {
  const Division plane = Divide(element, a.strip.row_elements);
  if (a.channels_last) {
    const Division column = Divide(plane.remainder, a.channels);
    return {plane.quotient, column.remainder, column.quotient};
  }
  const Division image = Divide(plane.quotient, a.channels);
  return {image.quotient, image.remainder, plane.remainder};
}

/// One element of `count` destination rows, the first of which is `first_row`.
template <typename T, TableHome kHome>
SR_OPS_HOST_DEVICE void March(const Arguments& a, const WeightedTaps<AccumulatorOf<T>>* rows,
                              int64_t first_row, int count, int64_t element) {
  using Accumulator = AccumulatorOf<T>;
  const ElementPosition at = PositionOf(a, element);
  const int64_t* from = a.source.stride;
  const int64_t* to = a.destination.stride;
  const T* plane = static_cast<const T*>(a.source.data) + at.image * from[0] + at.channel * from[1];
  T* out = static_cast<T*>(a.destination.data) + at.image * to[0] + at.channel * to[1] +
           first_row * to[2] + at.column * to[3];

  const WeightedTaps<Accumulator> column =
      WeightedTapsOf<kHome>(a.columns, at.column, ColumnTable<Accumulator>(a));
  const int32_t first_top = static_cast<int32_t>(rows[0].first);
  const int32_t last_top = static_cast<int32_t>(rows[count - 1].first);
  ColumnReader<T> reader(a, plane, column, first_top);
  reader.Fetch();
  Accumulator ring[4] = {0, 0, 0, 0};
  int32_t top = first_top - 4;  // the source row of ring[0], which is full four rows later
  for (int row = 0; row < count; ++row) {
    while (top < static_cast<int32_t>(rows[row].first)) {
      for (int k = 0; k < 3; ++k) ring[k] = ring[k + 1];
      ring[3] = reader.Finish();
      if (++top < last_top) reader.Fetch();
    }
    FromAccumulator(Chain4(rows[row].weights, ring), out);
    out += to[2];
  }
}

/// The kernel, for one of a.blocks blocks. `rows` is its shared memory, for kMostStripRows.
template <typename T, TableHome kHome, typename Block>
SR_OPS_HOST_DEVICE void RunStrip(const Arguments& a, const Block& block,
                                 WeightedTaps<AccumulatorOf<T>>* rows) {
  using Accumulator = AccumulatorOf<T>;
  // Strips of the same columns one after the other: they share source rows, in the L2 cache.
  const Division strip = Divide(block.index(), a.strip.strips);
  const int64_t first_row = strip.remainder * a.strip.rows;
  const int count = static_cast<int>(Least(a.strip.rows, a.rows.destination - first_row));
  block.ForEachThread([&](int thread, int) {
    if (thread >= count) return;
    rows[thread] = WeightedTapsOf<kHome>(a.rows, first_row + thread, RowTable<Accumulator>(a));
  });
  block.ForEachThread([&](int thread, int) {
    const int64_t element = strip.quotient * kStripThreads + thread;
    if (element >= a.strip.planes * a.strip.row_elements) return;
    March<T, kHome>(a, rows, first_row, count, element);
  });
}

}  // namespace sr_ops::cuda
