#include "core/cpu/scalar.h"

#include <algorithm>
#include <cmath>

#include "core/convert.h"

namespace sr_ops {
namespace {

/// w0 x0, then one fused multiply-add per further tap, in the order of the table.
template <typename Accumulator, typename ValueAt>
Accumulator Chain(const RoundedAxis<Accumulator>& axis, int64_t o, const ValueAt& value_at) {
  const Accumulator* weights = &axis.weights[static_cast<size_t>(o) * axis.taps];
  Accumulator sum = 0;
  for (int32_t k = 0; k < axis.count[o]; ++k) {
    const Accumulator value = value_at(std::clamp<int64_t>(axis.first[o] + k, 0, axis.in - 1));
    sum = k == 0 ? weights[0] * value : std::fma(weights[k], value, sum);
  }
  return sum;
}

template <typename T>
using AccumulatorOf = decltype(ToAccumulator(T()));

template <typename T>
AccumulatorOf<T> Element(const Plan& plan, const T* source, const int64_t* stride, int64_t y,
                         int64_t x) {
  const Tables<AccumulatorOf<T>>& axes = TablesOf<AccumulatorOf<T>>(plan);
  const auto load = [&](int64_t row, int64_t column) {
    return ToAccumulator(source[row * stride[2] + column * stride[3]]);
  };
  if (plan.rows_first) {
    return Chain(axes.columns, x, [&](int64_t column) {
      return Chain(axes.rows, y, [&](int64_t row) { return load(row, column); });
    });
  }
  return Chain(axes.rows, y, [&](int64_t row) {
    return Chain(axes.columns, x, [&](int64_t column) { return load(row, column); });
  });
}

template <typename T>
bool RunScalar(const Plan& plan, const ConstView& source, const View& destination,
               const TileArea& area) {
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
    for (int64_t y = area.row_begin; y < area.row_end; ++y) {
      for (int64_t x = 0; x < plan.width; ++x) {
        FromAccumulator(Element(plan, in, from, y, x), &out[y * to[2] + x * to[3]]);
      }
    }
  }
  return true;
}

}  // namespace

RunTileFunction ScalarKernel(DataType dtype) {
  switch (dtype) {
#define SR_OPS_CASE(name, type, bytes) \
  case DataType::k##name: return RunScalar<type>;
    SR_OPS_ELEMENT_TYPES(SR_OPS_CASE)
#undef SR_OPS_CASE
  }
  return nullptr;
}

}  // namespace sr_ops
