// How wide the panels of columns are that a tile is worked off in.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/cpu/column_table.h"

namespace sr_ops {

/// Output elements of a panel: five rows of this many float32 stay well inside a second-level
/// cache.
constexpr int64_t kPanelBytes = 32768;
/// A table that hardly repeats is read once a source row, from the second-level cache unless it
/// stays in the first beside the rows: then narrower panels are worth their edges.
constexpr int64_t kLargeTableBytes = 8192;
constexpr int64_t kNearBytes = 24576;
/// Of vectors of channels, whose horizontal pass costs nothing more in narrow panels: five rows
/// stay inside a first-level cache.
constexpr int64_t kChannelsPanelBytes = 8192;
/// The ring of source rows that come by the batch, which reads its table once for them all: as much
/// as a first-level cache holds.
constexpr int64_t kBatchRingBytes = 32768;

/// What a tile's panels depend on besides their table.
struct PanelUse {
  int64_t ring_rows;
  int64_t planes;
  bool batches;  // source rows come by the batch
  bool stream;   // output rows go past the caches
};

/// The most output elements of a panel.
template <typename A>
int64_t WidestPanel(const ColumnTable<A>& blocks, const PanelUse& use) {
  constexpr int64_t size = sizeof(A);
  if (blocks.method == ColumnMethod::kChannels) return kChannelsPanelBytes / size;
  if (use.batches) return kBatchRingBytes / use.ring_rows / size;
  const int64_t widest = kPanelBytes / use.planes / size;
  const int64_t table_bytes = static_cast<int64_t>(blocks.storage.size()) * size;
  // Past the caches, long pieces of rows are worth more than a near table.
  if (table_bytes < kLargeTableBytes || use.planes > 1 || use.stream) return widest;
  const int64_t ring_bytes = blocks.elements * use.ring_rows * size;
  return std::min(widest, blocks.elements * kNearBytes / (ring_bytes + table_bytes));
}

}  // namespace sr_ops
