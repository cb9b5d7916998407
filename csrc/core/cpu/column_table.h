// The horizontal axis, cut into vectors: which elements each vector of outputs loads, how they are
// permuted and weighted. Built once a plan for the vector length in use.
//
// A "row" here is what one pass over x touches: W elements (channels first) or W x C interleaved
// elements (channels last). Element e of an output row is pixel e / C, channel e % C.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/axis.h"
#include "core/cpu/aligned_vector.h"

namespace sr_ops {

/// The integer of an accumulator's width: lane indices travel as these.
template <typename Accumulator>
struct LaneIndex;
template <>
struct LaneIndex<float> {
  using type = int32_t;
};
template <>
struct LaneIndex<double> {
  using type = int64_t;
};

/// How a vector of outputs reaches its taps.
enum class ColumnMethod {
  /// Four taps; all of them lie in one vector's worth of source elements: one load, four permutes.
  /// Clamping at the edges is in the indices.
  kOneLoad,
  /// Four taps; each one lies in a vector's worth of source elements: four loads, four permutes.
  kLoadPerTap,
  /// Any number of taps, any spread. One index vector a block; tap k is the same gather k pixels
  /// further on. The source row is padded with copies of its edge pixels instead of clamping.
  kShifted,
  /// At least a vector of channels: no permutes, weights are broadcast. Any number of taps.
  kChannels,
};

/// One vector of outputs. Small, because the horizontal pass reads one for each vector it makes.
template <typename Accumulator>
struct ColumnBlock {
  int64_t first = 0;                  ///< source element of the (first) load; kShifted: may be
                                      ///< in the padding
  const Accumulator* data = nullptr;  ///< indices and weights; see ColumnTable::storage
};

/// What some methods need besides.
struct ColumnBlockDetails {
  int32_t tap_offset[4] = {0, 0, 0, 0};  ///< kLoadPerTap: of each tap's load, from `first`
  int32_t taps = 4;                      ///< the most of any lane
  int32_t common_taps = 4;               ///< the least: up to there no lane is masked
};

template <typename Accumulator>
struct ColumnTable {
  ColumnMethod method = ColumnMethod::kOneLoad;
  int64_t lanes = 0;
  int64_t channels = 1;         ///< interleaved ones: the distance of neighbouring pixels
  int64_t elements = 0;         ///< of an output row
  int64_t source_elements = 0;  ///< of a source row
  int64_t span = 0;             ///< kShifted: elements that a block's lanes span at most
  int32_t spread = 1;           ///< kShifted: `span` in vectors (1, 2 or 4); 0: too many, gather
  std::vector<ColumnBlock<Accumulator>> blocks;
  std::vector<ColumnBlockDetails> details;  ///< of each block
  /// Of the plain ones by kOneLoad, blocks [repeated_begin, repeated_end) share their data (integer
  /// scales that divide the vector length, most of all 2 and 4), so that it can stay in registers.
  int64_t repeated_begin = 0;
  int64_t repeated_end = 0;
  /// Blocks [plain_begin, plain_end) have no clamped taps. By kOneLoad, tap k's indices are tap 0's
  /// plus k pixels; by kLoadPerTap they are tap 0's, and the load is k pixels further on.
  int64_t plain_begin = 0;
  int64_t plain_end = 0;
  bool load_per_pair = false;  ///< kLoadPerTap: taps 0 and 2 of plain blocks reach to 1 and 3, too
  /// Block data, equal ones stored once. kOneLoad, kLoadPerTap: the index vector of tap 0, 4 weight
  /// vectors, then (unless plain) the index vectors of taps 1 to 3. kShifted: 1 index vector, 1
  /// vector of tap counts, then `taps` weight vectors.
  AlignedVector<Accumulator> storage;

  int64_t block_count() const { return (elements + lanes - 1) / lanes; }
  /// Whether enough of blocks [begin, end) share their data for what it takes to keep it.
  bool Repeats(int64_t begin = 0, int64_t end = INT64_MAX) const {
    return std::min(repeated_end, end) - std::max(repeated_begin, begin) >= 4;
  }
};

/// `channels` is 1 for channels-first rows. May throw std::bad_alloc.
template <typename Accumulator>
ColumnTable<Accumulator> MakeColumnTable(const RoundedAxis<Accumulator>& axis, int64_t channels,
                                         int64_t lanes);

/// Source elements [begin, end) that a run of blocks (kChannels: of output pixels) loads. May reach
/// beyond the row on either side: the caller copies the row and pads the copy.
struct ElementRange {
  int64_t begin;
  int64_t end;
};
template <typename Accumulator>
ElementRange SourceRange(const ColumnTable<Accumulator>& table,
                         const RoundedAxis<Accumulator>& axis, int64_t first_element,
                         int64_t last_element);

}  // namespace sr_ops
