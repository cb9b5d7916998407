#include "two_passes.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/convert.h"
#include "core/cpu/pillow_tables.h"

namespace sr_ops::test {
namespace {

template <typename Accumulator>
struct Plane {
  Plane(int64_t height, int64_t width)
      : width(width), values(static_cast<size_t>(height * width)) {}
  Accumulator* row(int64_t y) { return &values[static_cast<size_t>(y * width)]; }
  int64_t width;
  std::vector<Accumulator> values;
};

/// One pass over lines of elements: to[o][i] from from[first + k][i].
template <typename Accumulator>
void Pass(const RoundedAxis<Accumulator>& axis, Plane<Accumulator>* from, Plane<Accumulator>* to) {
  for (int64_t o = 0; o < axis.out; ++o) {
    Accumulator* sums = to->row(o);
    std::fill_n(sums, to->width, Accumulator(0));
    for (int32_t k = 0; k < axis.count[static_cast<size_t>(o)]; ++k) {
      const int64_t index = axis.first[static_cast<size_t>(o)] + k;
      const Accumulator* values = from->row(std::clamp<int64_t>(index, 0, axis.in - 1));
      const Accumulator weight = axis.weights[static_cast<size_t>(o * axis.taps + k)];
      for (int64_t i = 0; i < to->width; ++i) {
        sums[i] = k == 0 ? weight * values[i] : std::fma(weight, values[i], sums[i]);
      }
    }
  }
}

template <typename Accumulator>
Plane<Accumulator> Transposed(Plane<Accumulator>* from, int64_t height) {
  Plane<Accumulator> to(from->width, height);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < from->width; ++x) to.row(x)[y] = from->row(y)[x];
  return to;
}

/// The horizontal pass of rows, as a vertical one of columns.
template <typename Accumulator>
Plane<Accumulator> PassAlongRows(const RoundedAxis<Accumulator>& axis, Plane<Accumulator>* from,
                                 int64_t height) {
  Plane<Accumulator> columns = Transposed(from, height);
  Plane<Accumulator> to(axis.out, height);
  Pass(axis, &columns, &to);
  return Transposed(&to, axis.out);
}

template <typename T>
void ComputePlane(const Plan& plan, const T* source, const int64_t* from, T* destination,
                  const int64_t* to) {
  using Accumulator = decltype(ToAccumulator(T()));
  const Tables<Accumulator>& axes = TablesOf<Accumulator>(plan);
  Plane<Accumulator> x(plan.source_height, plan.source_width);
  for (int64_t y = 0; y < plan.source_height; ++y)
    for (int64_t i = 0; i < plan.source_width; ++i)
      x.row(y)[i] = ToAccumulator(source[y * from[2] + i * from[3]]);
  if (!plan.rows_first) x = PassAlongRows(axes.columns->axis, &x, plan.source_height);
  Plane<Accumulator> y(plan.height, x.width);
  Pass(axes.rows, &x, &y);
  if (plan.rows_first) y = PassAlongRows(axes.columns->axis, &y, plan.height);
  for (int64_t row = 0; row < plan.height; ++row)
    for (int64_t i = 0; i < plan.width; ++i)
      FromAccumulator(y.row(row)[i], &destination[row * to[2] + i * to[3]]);
}

template <typename T>
void Compute(const Plan& plan, const ConstView& source, const View& destination) {
  const int64_t* from = source.stride;
  const int64_t* to = destination.stride;
  for (int64_t n = 0; n < plan.problem.batch; ++n)
    for (int64_t c = 0; c < plan.problem.channels; ++c)
      ComputePlane(plan, static_cast<const T*>(source.data) + n * from[0] + c * from[1], from,
                   static_cast<T*>(destination.data) + n * to[0] + c * to[1], to);
}

/// The most that a pass can enlarge a value.
template <typename Accumulator>
double Gain(const RoundedAxis<Accumulator>& axis) {
  double largest = 0;
  for (int64_t o = 0; o < axis.out; ++o) {
    double sum = 0;
    for (int32_t k = 0; k < axis.taps; ++k) {
      sum += std::fabs(static_cast<double>(axis.weights[static_cast<size_t>(o * axis.taps + k)]));
    }
    largest = std::max(largest, sum);
  }
  return largest;
}

template <typename Accumulator>
double Tolerance(const Tables<Accumulator>& axes, double largest, double element_rounding) {
  if (axes.columns == nullptr) return 0;  // Pillow's rounding: integers throughout
  const double bound = Gain(axes.rows) * Gain(axes.columns->axis) * largest;
  const double roundings = 2.0 * (axes.rows.taps + axes.columns->axis.taps);
  return bound * (roundings * std::numeric_limits<Accumulator>::epsilon() + element_rounding);
}

}  // namespace

void ComputeInTwoPasses(const Plan& plan, const ConstView& source, const View& destination) {
  if (plan.pillow) {
    for (int64_t plane = 0; plane < plan.planes(); ++plane) {
      RunPillowScalar(plan, source, destination, {plane, 0, plan.height, false});
    }
    return;
  }
  switch (plan.problem.dtype) {
#define SR_OPS_CASE(name, type, bytes) \
  case DataType::k##name: return Compute<type>(plan, source, destination);
    SR_OPS_ELEMENT_TYPES(SR_OPS_CASE)
#undef SR_OPS_CASE
  }
}

double UnfusedTolerance(const Plan& plan, double largest) {
  if (plan.pillow) return 0;  // integers
  switch (plan.problem.dtype) {
    case DataType::kFloat32: return Tolerance(plan.float32, largest, 0);
    case DataType::kFloat64: return Tolerance(plan.float64, largest, 0);
    case DataType::kFloat16: return Tolerance(plan.float32, largest, 0x1p-10) + 0x1p-24;
    case DataType::kBFloat16: return Tolerance(plan.float32, largest, 0x1p-7);
    case DataType::kUInt8:
    case DataType::kInt8: return Tolerance(plan.float32, largest, 0) + 1;
    case DataType::kUInt16: return Tolerance(plan.float32, 256 * largest, 0) + 1;
  }
  return 0;
}

}  // namespace sr_ops::test
