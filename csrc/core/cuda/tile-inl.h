// Any number of taps on both axes, either order of passes: shrinking, antialiasing, gradients. A
// block owns a box of the destination. It computes the first pass of a chunk of source rows or
// columns into shared memory, adds the chunk's share of the second pass to sums in registers, and
// goes on: bounded memory for any number of taps, and taps stay in the arithmetic's order.
#pragma once

#include <cstdint>

#include "core/convert.h"
#include "core/cuda/arguments.h"
#include "core/cuda/arithmetic.h"
#include "core/cuda/axis_entry-inl.h"
#include "core/cuda/block.h"

namespace sr_ops::cuda {

/// Rows x columns x lanes, numbered as they lie in memory.
class Box {
 public:
  struct Place {
    int row;
    int column;
    int lane;
  };

  SR_OPS_HOST_DEVICE Box(int rows, int columns, int lanes, bool lanes_innermost)
      : rows_(rows),
        columns_(columns),
        lanes_(lanes),
        lanes_innermost_(lanes_innermost),
        inner_(lanes_innermost ? lanes : columns),
        middle_(lanes_innermost ? columns : rows) {}

  SR_OPS_HOST_DEVICE int size() const { return rows_ * columns_ * lanes_; }
  SR_OPS_HOST_DEVICE int row_step() const {
    return lanes_innermost_ ? columns_ * lanes_ : columns_;
  }
  SR_OPS_HOST_DEVICE int column_step() const { return lanes_innermost_ ? lanes_ : 1; }
  SR_OPS_HOST_DEVICE int lane_step() const { return lanes_innermost_ ? 1 : rows_ * columns_; }

  SR_OPS_HOST_DEVICE Place At(int i) const {
    const int rest = inner_.Quotient(i);
    const int inner = inner_.Remainder(i, rest);
    const int outer = middle_.Quotient(rest);
    const int middle = middle_.Remainder(rest, outer);
    return lanes_innermost_ ? Place{outer, middle, inner} : Place{middle, inner, outer};
  }

 private:
  int rows_;
  int columns_;
  int lanes_;
  bool lanes_innermost_;
  SmallDivisor inner_;
  SmallDivisor middle_;
};

/// The part of one axis that a tile covers.
template <typename Accumulator>
struct AxisPart {
  AxisTableView<Accumulator> table;
  int64_t slot;         ///< of the part's first entry
  int64_t begin;        ///< destination index of the part's first entry
  int32_t count;        ///< of entries
  int64_t last_source;  ///< index
};

/// Adds taps [tap, end) to a sum. `values` points at the first one's element, which is that of
/// source index `index` clamped into the image; values of neighbouring indices are `step` apart.
template <typename Value, typename Accumulator>
SR_OPS_HOST_DEVICE Accumulator AddTaps(const Accumulator* weights, int64_t weight_step, int taps,
                                       int64_t index, int64_t last_source, const Value* values,
                                       int64_t step, Accumulator sum) {
  if (index >= 0 && index + taps - 1 <= last_source) {
    SR_OPS_UNROLL_4
    for (int k = 0; k < taps; ++k) {
      sum = Fma(weights[k * weight_step], Accumulator{ToAccumulator(values[k * step])}, sum);
    }
    return sum;
  }
  for (int k = 0; k < taps; ++k) {
    sum = Fma(weights[k * weight_step], Accumulator{ToAccumulator(*values)}, sum);
    if (index >= 0 && index < last_source) values += step;
    ++index;
  }
  return sum;
}

/// Where lanes begin, in elements.
struct LaneOffset {
  int64_t source;
  int64_t destination;
};

/// What a thread keeps of one destination element between chunks.
template <typename Accumulator>
struct PartialSum {
  /// Minus zero: fma(w, x, -0) is w * x, also where that is a zero of either sign.
  Accumulator sum = -Accumulator{0};
  int32_t taps = 0;  ///< that were added
};

template <typename T>
class Tile {
 public:
  using Accumulator = AccumulatorOf<T>;

  SR_OPS_HOST_DEVICE Tile(const Arguments& a, int64_t index, char* shared)
      : a_(a), lane_offsets_(reinterpret_cast<LaneOffset*>(shared)) {
    const Division column = Divide(index, a.tile.column_tiles);
    const Division row = Divide(column.quotient, a.tile.row_tiles);
    first_lane_ = row.quotient * a.tile.lanes;
    lanes_ = static_cast<int32_t>(Least(a.tile.lanes, a.lanes - first_lane_));
    shared += a.tile.lanes * sizeof(LaneOffset);
    rows_ = PartOf(a.rows, row.remainder, a.tile.rows);
    columns_ = PartOf(a.columns, column.remainder, a.tile.columns);
    if (a.tables != nullptr) {
      rows_.table = RowTable<Accumulator>(a);
      columns_.table = ColumnTable<Accumulator>(a);
      rows_.slot = rows_.begin;
      columns_.slot = columns_.begin;
    } else {
      rows_.table = TableAt<Accumulator>(shared, a.tile.rows);
      shared += TableBytes<Accumulator>(a.rows.most_taps, a.tile.rows);
      columns_.table = TableAt<Accumulator>(shared, a.tile.columns);
      shared += TableBytes<Accumulator>(a.columns.most_taps, a.tile.columns);
    }
    first_pass_ = reinterpret_cast<Accumulator*>(shared);
  }

  /// What all threads need: lanes' offsets and, unless they are in the workspace, the tables.
  SR_OPS_HOST_DEVICE void Prepare(int thread) const {
    for (int lane = thread; lane < lanes_; lane += kTileThreads) {
      const Division at = Divide(first_lane_ + lane, a_.channels);
      const int64_t* from = a_.source.stride;
      const int64_t* to = a_.destination.stride;
      lane_offsets_[lane] = {at.quotient * from[0] + at.remainder * from[1],
                             at.quotient * to[0] + at.remainder * to[1]};
    }
    if (a_.tables != nullptr) return;
    for (int entry = thread; entry < rows_.count + columns_.count; entry += kTileThreads) {
      if (entry < rows_.count) {
        FillEntry(a_.rows, rows_.begin + entry, entry, rows_.table);
      } else {
        const int column = entry - rows_.count;
        FillEntry(a_.columns, columns_.begin + column, column, columns_.table);
      }
    }
  }

  /// The source indices of the second pass that the tile reads, after Prepare.
  SR_OPS_HOST_DEVICE int64_t SecondBegin() const {
    const AxisPart<Accumulator>& axis = second();
    return Clamp(axis.table.first[axis.slot], 0, axis.last_source);
  }
  SR_OPS_HOST_DEVICE int64_t SecondEnd() const {
    const AxisPart<Accumulator>& axis = second();
    return Clamp(axis.table.end[axis.slot + axis.count - 1] - 1, -1, axis.last_source) + 1;
  }

  /// The first pass for source indices [begin, end) of the second.
  SR_OPS_HOST_DEVICE void FirstPass(int thread, int64_t begin, int64_t end) const {
    const AxisPart<Accumulator>& axis = first();
    const int64_t* stride = a_.source.stride;
    const int64_t along = stride[a_.rows_first ? 2 : 3];
    const int64_t across = stride[a_.rows_first ? 3 : 2];
    const T* source = static_cast<const T*>(a_.source.data) + begin * across;
    const Box box = FirstPassBox(static_cast<int>(end - begin));
    const int size = box.size();
    for (int i = thread; i < size; i += kTileThreads) {
      const Box::Place at = box.At(i);
      const int64_t slot = axis.slot + (a_.rows_first ? at.row : at.column);
      const int64_t index = axis.table.first[slot];
      const int taps = static_cast<int>(axis.table.end[slot] - index);
      const T* values = source + lane_offsets_[at.lane].source +
                        (a_.rows_first ? at.column : at.row) * across +
                        Clamp(index, 0, axis.last_source) * along;
      const Accumulator sum =
          AddTaps(axis.table.weights + slot, axis.table.stride, taps, index, axis.last_source,
                  values, along, PartialSum<Accumulator>().sum);
      first_pass_[i] = taps > 0 ? sum : Accumulator{0};
    }
  }

  /// Adds the taps of the second pass within source indices [begin, end).
  SR_OPS_HOST_DEVICE void SecondPass(int thread, int64_t begin, int64_t end,
                                     PartialSum<Accumulator>* sums) const {
    const AxisPart<Accumulator>& axis = second();
    const Box from = FirstPassBox(static_cast<int>(end - begin));
    const int along = a_.rows_first ? from.column_step() : from.row_step();
    const int across = a_.rows_first ? from.row_step() : from.column_step();
    const Box box = DestinationBox();
    const int size = box.size();
    for (int j = 0; j < kTileElementsPerThread; ++j) {
      const int i = thread + j * kTileThreads;
      if (i >= size) break;
      const Box::Place at = box.At(i);
      const int64_t slot = axis.slot + (a_.rows_first ? at.column : at.row);
      const int64_t first = axis.table.first[slot];
      const int64_t stop =
          end > axis.last_source ? axis.table.end[slot] : Least(axis.table.end[slot], end);
      const int taps = static_cast<int>(stop - first) - sums[j].taps;
      if (taps <= 0) continue;
      const int64_t index = first + sums[j].taps;
      const Accumulator* values =
          first_pass_ + at.lane * from.lane_step() + (a_.rows_first ? at.row : at.column) * across +
          static_cast<int>(Clamp(index, 0, axis.last_source) - begin) * along;
      sums[j].sum =
          AddTaps(axis.table.weights + slot + sums[j].taps * axis.table.stride, axis.table.stride,
                  taps, index, axis.last_source, values, along, sums[j].sum);
      sums[j].taps += taps;
    }
  }

  SR_OPS_HOST_DEVICE void Store(int thread, const PartialSum<Accumulator>* sums) const {
    const Box box = DestinationBox();
    const int size = box.size();
    const int64_t* stride = a_.destination.stride;
    T* out =
        static_cast<T*>(a_.destination.data) + rows_.begin * stride[2] + columns_.begin * stride[3];
    for (int j = 0; j < kTileElementsPerThread; ++j) {
      const int i = thread + j * kTileThreads;
      if (i >= size) break;
      const Box::Place at = box.At(i);
      FromAccumulator(
          sums[j].taps > 0 ? sums[j].sum : Accumulator{0},
          out + lane_offsets_[at.lane].destination + at.row * stride[2] + at.column * stride[3]);
    }
  }

 private:
  SR_OPS_HOST_DEVICE static AxisPart<Accumulator> PartOf(const AppliedAxis& axis, int64_t tile,
                                                         int32_t entries) {
    AxisPart<Accumulator> part;
    part.slot = 0;
    part.begin = tile * entries;
    part.count = static_cast<int32_t>(Least(entries, axis.destination - part.begin));
    part.last_source = axis.source - 1;
    return part;
  }

  SR_OPS_HOST_DEVICE const AxisPart<Accumulator>& first() const {
    return a_.rows_first ? rows_ : columns_;
  }
  SR_OPS_HOST_DEVICE const AxisPart<Accumulator>& second() const {
    return a_.rows_first ? columns_ : rows_;
  }
  SR_OPS_HOST_DEVICE Box DestinationBox() const {
    return Box(rows_.count, columns_.count, lanes_, a_.channels_last);
  }
  SR_OPS_HOST_DEVICE Box FirstPassBox(int chunk) const {
    return a_.rows_first ? Box(rows_.count, chunk, lanes_, a_.channels_last)
                         : Box(chunk, columns_.count, lanes_, a_.channels_last);
  }

  const Arguments& a_;
  LaneOffset* lane_offsets_;  // in shared memory, as what follows:
  Accumulator* first_pass_;
  int64_t first_lane_;
  int32_t lanes_;
  AxisPart<Accumulator> rows_;
  AxisPart<Accumulator> columns_;
};

/// The kernel.
template <typename T, typename Block>
SR_OPS_HOST_DEVICE void RunTiles(const Arguments& a, const Block& block, char* shared) {
  using Sums = PartialSum<AccumulatorOf<T>>[kTileElementsPerThread];
  for (int64_t b = block.index(); b < a.blocks; b += block.count()) {
    const Tile<T> tile(a, b, shared);
    Sums sums[Block::kThreadsHeld];
    block.ForEachThread([&](int thread, int) { tile.Prepare(thread); });
    const int64_t end = tile.SecondEnd();
    for (int64_t begin = tile.SecondBegin(); begin < end; begin += a.tile.chunk) {
      const int64_t stop = Least(begin + a.tile.chunk, end);
      block.ForEachThread([&](int thread, int) { tile.FirstPass(thread, begin, stop); });
      block.ForEachThread(
          [&](int thread, int held) { tile.SecondPass(thread, begin, stop, sums[held]); });
    }
    block.ForEachThread([&](int thread, int held) { tile.Store(thread, sums[held]); });
  }
}

}  // namespace sr_ops::cuda
