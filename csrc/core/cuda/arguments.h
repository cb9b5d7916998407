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
/// side by side, so that neighbouring threads read neighbouring elements.
template <typename Accumulator>
class AxisTableView {
 public:
  AxisTableView() = default;

  /// A table of `entries` entries in memory aligned for int64_t.
  SR_OPS_HOST_DEVICE AxisTableView(void* memory, int64_t entries)
      : first_(static_cast<int64_t*>(memory)), entries_(entries) {}

  /// The first source index that an entry reads. May lie outside; never decreases with the entry.
  SR_OPS_HOST_DEVICE int64_t& first(int64_t entry) const { return first_[entry]; }
  /// One past the last one; first or less where the entry reads nothing.
  SR_OPS_HOST_DEVICE int64_t& end(int64_t entry) const { return first_[entries_ + entry]; }
  /// The weight of an entry's first tap; those of further ones follow weight_step() apart.
  SR_OPS_HOST_DEVICE Accumulator* weights(int64_t entry) const {
    return reinterpret_cast<Accumulator*>(first_ + 2 * entries_) + entry;
  }
  SR_OPS_HOST_DEVICE int64_t weight_step() const { return entries_; }

 private:
  int64_t* first_ = nullptr;
  int64_t entries_ = 0;
};

/// kWorkspace: tables of whole axes lie in device memory, filled by a launch of their own. kBlock:
/// each block computes the entries that it needs.
enum class TableHome { kBlock, kWorkspace };

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
  void* tables = nullptr;  ///< the workspace, if there is one
  int64_t blocks = 0;
  StripGrid strip;
  TileGrid tile;
};

constexpr int kStripThreads = 128;
constexpr int kMostStripRows = 32;
constexpr int kTileThreads = 256;
constexpr int kTileElementsPerThread = 4;
constexpr int kMostTileElements = kTileThreads * kTileElementsPerThread;

// A grid is at most 2^31 - 1 blocks wide and 65535 high: enough for 2^40 elements in such rows.
constexpr int64_t kMostBlocksInRow = int64_t{1} << 30;

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

/// The tables of both whole axes in the workspace: rows, then columns.
template <typename Accumulator>
SR_OPS_HOST_DEVICE AxisTableView<Accumulator> RowTable(const Arguments& a) {
  return {a.tables, a.rows.destination};
}
template <typename Accumulator>
SR_OPS_HOST_DEVICE AxisTableView<Accumulator> ColumnTable(const Arguments& a) {
  // As a number: kernels that make their tables themselves have a null pointer here.
  const uintptr_t memory = reinterpret_cast<uintptr_t>(a.tables);
  const int64_t rows = TableBytes<Accumulator>(a.rows.most_taps, a.rows.destination);
  return {reinterpret_cast<void*>(memory + static_cast<uintptr_t>(rows)), a.columns.destination};
}

}  // namespace sr_ops::cuda
