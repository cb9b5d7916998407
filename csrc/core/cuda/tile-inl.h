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
  int64_t slot;   ///< of the part's first entry
  int64_t begin;  ///< destination index of the part's first entry
  int32_t count;  ///< of entries
};

/// Adds `taps` taps to a sum. `values` points at the first one's element, which is that of
/// source index `index` clamped into the image; values of neighbouring indices are `step` apart.
template <typename Value, typename Step, typename Accumulator>
SR_OPS_HOST_DEVICE Accumulator AddTaps(const Accumulator* weights, int64_t weight_step, int taps,
                                       int64_t index, int64_t last_source, const Value* values,
                                       Step step, Accumulator sum) {
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

template <typename T, TableHome kHome>
class Tile {
 public:
  using Accumulator = AccumulatorOf<T>;
  using Part = AxisPart<Accumulator>;

  SR_OPS_HOST_DEVICE Tile(const Arguments& a, int64_t index, char* shared)
      : a_(a), lane_offsets_(reinterpret_cast<LaneOffset*>(shared)) {
    const Division column = Divide(index, a.tile.column_tiles);
    const Division row = Divide(column.quotient, a.tile.row_tiles);
    first_lane_ = row.quotient * a.tile.lanes;
    lanes_ = static_cast<int32_t>(Least(a.tile.lanes, a.lanes - first_lane_));
    Part rows = PartOf(a.rows, row.remainder, a.tile.rows);
    Part columns = PartOf(a.columns, column.remainder, a.tile.columns);
    shared += a.tile.lanes * sizeof(LaneOffset);
    if constexpr (kHome == TableHome::kWorkspace) {
      rows.table = RowTable<Accumulator>(a);
      columns.table = ColumnTable<Accumulator>(a);
      rows.slot = rows.begin;
      columns.slot = columns.begin;
    } else {
      rows.table = {shared, a.tile.rows};
      shared += TableBytes<Accumulator>(a.rows.most_taps, a.tile.rows);
      columns.table = {shared, a.tile.columns};
      shared += TableBytes<Accumulator>(a.columns.most_taps, a.tile.columns);
    }
    first_pass_ = reinterpret_cast<Accumulator*>(shared);
    // By value: what is chosen by reference would have to lie in memory.
    first_ = a.rows_first ? rows : columns;
    second_ = a.rows_first ? columns : rows;
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
    if constexpr (kHome == TableHome::kBlock) {
      for (int entry = thread; entry < first_.count + second_.count; entry += kTileThreads) {
        const bool of_first = entry < first_.count;
        const int slot = of_first ? entry : entry - first_.count;
        const Part part = of_first ? first_ : second_;
        FillEntry(of_first == a_.rows_first ? a_.rows : a_.columns, part.begin + slot, slot,
                  part.table);
      }
    }
  }

  /// The source indices of the second pass that the tile reads, after Prepare.
  SR_OPS_HOST_DEVICE int64_t SecondBegin() const {
    return Clamp(second_.table.first(second_.slot), 0, SecondLast());
  }
  SR_OPS_HOST_DEVICE int64_t SecondEnd() const {
    const int64_t last = second_.table.end(second_.slot + second_.count - 1) - 1;
    return Clamp(last, -1, SecondLast()) + 1;
  }

  /// The first pass for source indices [begin, end) of the second.
  SR_OPS_HOST_DEVICE void FirstPass(int thread, int64_t begin, int64_t end) const {
    const int64_t along = a_.source.stride[a_.rows_first ? 2 : 3];
    const int64_t across = a_.source.stride[a_.rows_first ? 3 : 2];
    const T* source = static_cast<const T*>(a_.source.data) + begin * across;
    const Box box = FirstPassBox(static_cast<int>(end - begin));
    const int size = box.size();
    for (int i = thread; i < size; i += kTileThreads) {
      const Box::Place at = box.At(i);
      const int64_t slot = first_.slot + (a_.rows_first ? at.row : at.column);
      const int64_t index = first_.table.first(slot);
      const int taps = static_cast<int>(first_.table.end(slot) - index);
      const T* values = source + lane_offsets_[at.lane].source +
                        (a_.rows_first ? at.column : at.row) * across +
                        Clamp(index, 0, FirstLast()) * along;
      const Accumulator sum =
          AddTaps(first_.table.weights(slot), first_.table.weight_step(), taps, index, FirstLast(),
                  values, along, PartialSum<Accumulator>().sum);
      first_pass_[i] = taps > 0 ? sum : Accumulator{0};
    }
  }

  /// Adds the taps of the second pass within source indices [begin, end).
  SR_OPS_HOST_DEVICE void SecondPass(int thread, int64_t begin, int64_t end,
                                     PartialSum<Accumulator>* sums) const {
    const Box from = FirstPassBox(static_cast<int>(end - begin));
    const Box box = DestinationBox();
    const int size = box.size();
    SR_OPS_UNROLL
    for (int j = 0; j < kTileElementsPerThread; ++j) {
      const int i = thread + j * kTileThreads;
      if (i < size) AddSecondPass(from, begin, end, box.At(i), &sums[j]);
    }
  }

  SR_OPS_HOST_DEVICE void Store(int thread, const PartialSum<Accumulator>* sums) const {
    const Part& rows = a_.rows_first ? first_ : second_;
    const Part& columns = a_.rows_first ? second_ : first_;
    const int64_t* stride = a_.destination.stride;
    T* out =
        static_cast<T*>(a_.destination.data) + rows.begin * stride[2] + columns.begin * stride[3];
    const Box box = DestinationBox();
    const int size = box.size();
    SR_OPS_UNROLL
    for (int j = 0; j < kTileElementsPerThread; ++j) {
      const int i = thread + j * kTileThreads;
      if (i >= size) continue;
      const Box::Place at = box.At(i);
      FromAccumulator(
          sums[j].taps > 0 ? sums[j].sum : Accumulator{0},
          out + lane_offsets_[at.lane].destination + at.row * stride[2] + at.column * stride[3]);
    }
  }

 private:
  SR_OPS_HOST_DEVICE static Part PartOf(const AppliedAxis& axis, int64_t tile, int32_t entries) {
    Part part;
    part.slot = 0;
    part.begin = tile * entries;
    part.count = static_cast<int32_t>(Least(entries, axis.destination - part.begin));
    return part;
  }

  SR_OPS_HOST_DEVICE void AddSecondPass(const Box& from, int64_t begin, int64_t end,
                                        const Box::Place& at, PartialSum<Accumulator>* sum) const {
    const int64_t slot = second_.slot + (a_.rows_first ? at.column : at.row);
    const int64_t first = second_.table.first(slot);
    const int64_t entry_end = second_.table.end(slot);
    // Beyond the image's end, taps are clamped to its last index.
    const int64_t stop = end > SecondLast() ? entry_end : Least(entry_end, end);
    const int taps = static_cast<int>(stop - first) - sum->taps;
    if (taps <= 0) return;
    const int64_t index = first + sum->taps;
    const int along = a_.rows_first ? from.column_step() : from.row_step();
    const int across = a_.rows_first ? from.row_step() : from.column_step();
    const Accumulator* values = first_pass_ + at.lane * from.lane_step() +
                                (a_.rows_first ? at.row : at.column) * across +
                                static_cast<int>(Clamp(index, 0, SecondLast()) - begin) * along;
    sum->sum =
        AddTaps(second_.table.weights(slot) + sum->taps * second_.table.weight_step(),
                second_.table.weight_step(), taps, index, SecondLast(), values, along, sum->sum);
    sum->taps += taps;
  }

  /// The last source index of the axis that is passed first, and of the other one.
  SR_OPS_HOST_DEVICE int64_t FirstLast() const {
    return (a_.rows_first ? a_.rows.source : a_.columns.source) - 1;
  }
  SR_OPS_HOST_DEVICE int64_t SecondLast() const {
    return (a_.rows_first ? a_.columns.source : a_.rows.source) - 1;
  }
  SR_OPS_HOST_DEVICE Box DestinationBox() const {
    return a_.rows_first ? Box(first_.count, second_.count, lanes_, a_.channels_last)
                         : Box(second_.count, first_.count, lanes_, a_.channels_last);
  }
  SR_OPS_HOST_DEVICE Box FirstPassBox(int chunk) const {
    return a_.rows_first ? Box(first_.count, chunk, lanes_, a_.channels_last)
                         : Box(chunk, first_.count, lanes_, a_.channels_last);
  }

  const Arguments& a_;
  LaneOffset* lane_offsets_;  // in shared memory, like first_pass_
  Accumulator* first_pass_;
  int64_t first_lane_;
  int32_t lanes_;
  Part first_;   // of the axis that is passed first
  Part second_;  // of the other one
};

/// The kernel, for one of a.blocks blocks. `shared`: plan.shared_bytes.
template <typename T, TableHome kHome, typename Block>
SR_OPS_HOST_DEVICE void RunTile(const Arguments& a, const Block& block, char* shared) {
  using Sums = PartialSum<AccumulatorOf<T>>[kTileElementsPerThread];
  const Tile<T, kHome> tile(a, block.index(), shared);
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

}  // namespace sr_ops::cuda
