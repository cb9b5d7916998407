// The elements of a tile one by one, for the kernels that are specifications.
#pragma once

#include <cstdint>

#include "core/cpu/plan.h"
#include "core/types.h"

namespace sr_ops {

/// Calls `compute(load, y, x, out)` for each element of a tile's destination: `load(row, column)`
/// gives an element of the same channel of the source.
template <typename T, class Compute>
void EachElement(const Plan& plan, const ConstView& source, const View& destination,
                 const TileArea& area, const Compute& compute) {
  const bool channels_last = plan.problem.layout == Layout::kChannelsLast;
  const int64_t channels = plan.problem.channels;
  const int64_t n = channels_last ? area.plane : area.plane / channels;
  const int64_t channel_begin = channels_last ? 0 : area.plane % channels;
  const int64_t channel_end = channels_last ? channels : channel_begin + 1;
  const int64_t* from = source.stride;
  const int64_t* to = destination.stride;
  for (int64_t c = channel_begin; c < channel_end; ++c) {
    const T* in = static_cast<const T*>(source.data) + n * from[0] + c * from[1];
    T* out = static_cast<T*>(destination.data) + n * to[0] + c * to[1];
    const auto load = [=](int64_t row, int64_t column) {
      return in[row * from[2] + column * from[3]];
    };
    for (int64_t y = area.row_begin; y < area.row_end; ++y) {
      for (int64_t x = 0; x < plan.width; ++x) compute(load, y, x, &out[y * to[2] + x * to[3]]);
    }
  }
}

}  // namespace sr_ops
