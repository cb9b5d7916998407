// Where a tile's rows lie: strides and pointers of one plane.
#pragma once

#include <cstdint>

#include "core/convert.h"
#include "core/cpu/column_table.h"
#include "core/cpu/plan.h"
#include "core/types.h"

namespace sr_ops {

/// Strides in elements.
template <typename Element>
struct TileBuffers {
  const Element* source;
  int64_t source_row;
  int64_t source_pixel;
  int64_t source_channel;  ///< 0 where rows are a single channel's
  bool dense;  ///< a source row's elements are consecutive, in the order of the output's
  Element* destination;
  int64_t destination_row;

  /// Of plane `plane`, whose rows interleave `interleaved` channels.
  TileBuffers(const Problem& problem, int64_t interleaved, const ConstView& from, const View& to,
              int64_t plane) {
    const bool channels_last = problem.layout == Layout::kChannelsLast;
    const int64_t n = channels_last ? plane : plane / problem.channels;
    const int64_t c = channels_last ? 0 : plane % problem.channels;
    source = static_cast<const Element*>(from.data) + n * from.stride[0] + c * from.stride[1];
    source_row = from.stride[2];
    source_pixel = from.stride[3];
    source_channel = channels_last ? from.stride[1] : 0;
    dense = source_pixel == interleaved && (interleaved == 1 || source_channel == 1);
    destination = static_cast<Element*>(to.data) + n * to.stride[0] + c * to.stride[1];
    destination_row = to.stride[2];
  }
};

/// Elements `range` of a row, which interleaves `channels`, whose neighbours are any distance
/// apart: as accumulators, one behind the other.
template <typename Element, typename Accumulator>
void GatherRow(const TileBuffers<Element>& buffers, int64_t channels, const Element* row,
               const ElementRange& range, Accumulator* to) {
  int64_t pixel = range.begin / channels;
  int64_t channel = range.begin % channels;
  for (int64_t e = range.begin; e < range.end; ++e) {
    *to++ = ToAccumulator(row[pixel * buffers.source_pixel + channel * buffers.source_channel]);
    if (++channel == channels) {
      channel = 0;
      ++pixel;
    }
  }
}

}  // namespace sr_ops
