// What a kernel needs to know, as plain data: the launch passes it by value.
#pragma once

#include <cstdint>

#include "core/axis_geometry.h"
#include "core/types.h"

namespace sr_ops::cuda {

/// One axis as it is applied: the forward operator's matrix, or its transpose.
struct AppliedAxis {
  AxisGeometry geometry;  ///< of the forward operator
  bool transposed = false;
  int64_t source = 0;       ///< extent that is read
  int64_t destination = 0;  ///< extent that is written
  int64_t most_taps = 0;    ///< no entry has more
};

/// An axis table in device memory, or the part that a block needs in its shared memory. Entries lie
/// side by side (weight k of slot i at weights[k * stride + i]), so that neighbouring threads read
/// neighbouring weights.
template <typename Accumulator>
struct AxisTableView {
  int64_t* first = nullptr;  ///< may lie outside of the source; never decreases
  int64_t* end = nullptr;    ///< one past the last tap; first or less where nothing is read
  Accumulator* weights = nullptr;
  int64_t stride = 0;
};

/// Rows of all planes as one long row of elements, cut into strips of few rows.
struct StripGrid {
  int64_t strips = 0;  ///< of each plane
  int64_t rows = 0;    ///< of each strip, at most kMostStripRows
  int64_t planes = 0;
  int64_t row_elements = 0;  ///< of one plane's row: a channels-last row interleaves its channels
};

/// Boxes of rows x columns x lanes, one for each block. A lane is one channel of one image.
struct TileGrid {
  int32_t rows = 0;
  int32_t columns = 0;
  int32_t lanes = 0;
  int32_t chunk = 0;  ///< source indices of the second pass whose first pass is done at a time
  int64_t row_tiles = 0;
  int64_t column_tiles = 0;
};

struct Arguments {
  ConstView source;
  View destination;
  int64_t channels = 0;
  int64_t lanes = 0;  ///< batch * channels
  AppliedAxis rows;
  AppliedAxis columns;
  bool rows_first = false;  ///< the order of the passes, as the CPU has it
  bool channels_last = false;
  /// Where the tables of whole axes lie, filled by a launch of their own; null: each block fills
  /// what it needs.
  void* tables = nullptr;
  int64_t blocks = 0;
  StripGrid strip;
  TileGrid tile;
};

constexpr int kStripThreads = 128;
constexpr int kMostStripRows = 32;
constexpr int kTileThreads = 256;
constexpr int kTileElementsPerThread = 4;
constexpr int kMostTileElements = kTileThreads * kTileElementsPerThread;

constexpr int64_t kTableAlignment = 256;  // bytes

SR_OPS_HOST_DEVICE inline int64_t Aligned(int64_t bytes) {
  return (bytes + kTableAlignment - 1) / kTableAlignment * kTableAlignment;
}

/// Bytes of the table of `entries` entries of an axis.
template <typename Accumulator>
SR_OPS_HOST_DEVICE int64_t TableBytes(int64_t most_taps, int64_t entries) {
  return Aligned(entries * (2 * static_cast<int64_t>(sizeof(int64_t)) +
                            most_taps * static_cast<int64_t>(sizeof(Accumulator))));
}

/// Lays a table out in memory aligned for int64_t.
template <typename Accumulator>
SR_OPS_HOST_DEVICE AxisTableView<Accumulator> TableAt(void* memory, int64_t entries) {
  AxisTableView<Accumulator> table;
  table.first = static_cast<int64_t*>(memory);
  table.end = table.first + entries;
  table.weights = reinterpret_cast<Accumulator*>(table.end + entries);
  table.stride = entries;
  return table;
}

/// The tables of both whole axes in the workspace: rows, then columns.
template <typename Accumulator>
SR_OPS_HOST_DEVICE AxisTableView<Accumulator> RowTable(const Arguments& a) {
  return TableAt<Accumulator>(a.tables, a.rows.destination);
}
template <typename Accumulator>
SR_OPS_HOST_DEVICE AxisTableView<Accumulator> ColumnTable(const Arguments& a) {
  char* memory = static_cast<char*>(a.tables);
  return TableAt<Accumulator>(
      memory + TableBytes<Accumulator>(a.rows.most_taps, a.rows.destination),
      a.columns.destination);
}

}  // namespace sr_ops::cuda
