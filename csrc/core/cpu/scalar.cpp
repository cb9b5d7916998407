#include "core/cpu/scalar.h"

#include <algorithm>
#include <cmath>

#include "core/convert.h"
#include "core/cpu/each_element.h"

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

template <typename T, typename Load>
AccumulatorOf<T> Element(const Plan& plan, const Load& load, int64_t y, int64_t x) {
  const Tables<AccumulatorOf<T>>& axes = TablesOf<AccumulatorOf<T>>(plan);
  const auto widened = [&](int64_t row, int64_t column) {
    return ToAccumulator(load(row, column));
  };
  if (plan.rows_first) {
    return Chain(axes.columns->axis, x, [&](int64_t column) {
      return Chain(axes.rows, y, [&](int64_t row) { return widened(row, column); });
    });
  }
  return Chain(axes.rows, y, [&](int64_t row) {
    return Chain(axes.columns->axis, x, [&](int64_t column) { return widened(row, column); });
  });
}

template <typename T>
bool RunScalar(const Plan& plan, const ConstView& source, const View& destination,
               const TileArea& area) {
  EachElement<T>(plan, source, destination, area,
                 [&](const auto& load, int64_t y, int64_t x, T* out) {
                   FromAccumulator(Element<T>(plan, load, y, x), out);
                 });
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
