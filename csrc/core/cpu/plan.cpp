#include "core/cpu/plan.h"

#include <cmath>
#include <utility>

#include "core/cpu/pillow_tables.h"
#include "core/cpu/scalar.h"

namespace sr_ops {
namespace {

AxisTable TableOf(const Problem& p, const AxisGeometry& axis, const AxisPart& part) {
  AxisTable forward = MakeAxisTable(axis, part);
  return p.direction == Direction::kForward ? std::move(forward) : Transpose(forward);
}

// Pictures, enlarged: taking three or four channels of bytes apart and putting them together again
// costs less than permutes that reach across pixels. (Wider elements would not gain; kernels of
// shorter vectors are without it, for the library's size.)
bool WorksOnPlanes(const Problem& p, int64_t vector_bytes) {
  return vector_bytes >= 32 && p.layout == Layout::kChannelsLast &&
         (p.channels == 3 || p.channels == 4) && p.dtype == DataType::kUInt8 &&
         p.direction == Direction::kForward && p.out_height >= p.in_height;
}

template <typename Accumulator>
Tables<Accumulator> MakeTables(const Problem& p, int64_t vector_bytes) {
  Tables<Accumulator> tables;
  const AxisGeometry rows(p.in_height, p.out_height, p.scale_height, p.attributes);
  const AxisGeometry columns(p.in_width, p.out_width, p.scale_width, p.attributes);
  tables.rows = RoundedAxis<Accumulator>(TableOf(p, rows, RowsOf(p)));
  tables.columns = RoundedAxis<Accumulator>(TableOf(p, columns, ColumnsOf(p)));
  if (vector_bytes == 0) return tables;
  const int64_t lanes = vector_bytes / static_cast<int64_t>(sizeof(Accumulator));
  const bool planes =
      WorksOnPlanes(p, vector_bytes) && tables.rows.HasFourTaps() && tables.columns.HasFourTaps();
  if (planes) tables.planes = p.channels;
  const int64_t interleaved = p.layout == Layout::kChannelsLast && !planes ? p.channels : 1;
  tables.blocks = MakeColumnTable(tables.columns, interleaved, lanes);
  return tables;
}

// Vector kernels round integers through int32, or by adding 1.5 * 2^23 in float32: results must
// stay well inside 2^22. Only an absurd cubic_coeff_a leads beyond.
constexpr float kLargestInteger = 1 << 21;

float LargestElement(DataType dtype) { return dtype == DataType::kUInt16 ? 65535.0f : 255.0f; }

// The most that one pass can enlarge a value; NaN where weights are.
float Gain(const RoundedAxis<float>& axis) {
  float largest = 0;
  for (int64_t o = 0; o < axis.out; ++o) {
    float sum = 0;
    for (int32_t k = 0; k < axis.taps; ++k) sum += std::fabs(axis.weights[o * axis.taps + k]);
    if (!(sum <= largest)) largest = sum;
    if (sum != sum) break;
  }
  return largest;
}

}  // namespace

Plan::Plan(const Problem& p, const Kernel& chosen)
    : problem(p), kernel(chosen), run_tile(chosen.run_tile) {
  const bool forward = p.direction == Direction::kForward;
  const AxisPart rows = RowsOf(p), columns = ColumnsOf(p);
  source_height = forward ? rows.source_count : rows.count;
  source_width = forward ? columns.source_count : columns.count;
  height = forward ? rows.count : rows.source_count;
  width = forward ? columns.count : columns.source_count;
  // By the whole's extents: a window has the whole's bits.
  rows_first = forward ? p.out_height < p.in_height : p.in_height < p.out_height;
  if (p.attributes.rounding == Rounding::kPillow) rows_first = PillowRowsFirst(p);
  if (p.batch * p.channels == 0) return;  // nothing will be computed
  if (p.attributes.rounding == Rounding::kPillow) {
    pillow = std::make_shared<const PillowTables>(MakePillowTables(p));
    return;
  }
  if (p.dtype == DataType::kFloat64) {
    float64 = MakeTables<double>(p, kernel.vector_bytes);
  } else {
    float32 = MakeTables<float>(p, kernel.vector_bytes);
    // Measured: with four taps on both axes, 64-byte vectors are faster by columns.
    const bool few_taps = float32.rows.HasFourTaps() && float32.columns.HasFourTaps();
    if (rows_first && kernel.vector_bytes > 0 && !(few_taps && kernel.vector_bytes >= 64)) {
      float32.walked_rows = MakeWalkTable(float32.rows, IsInteger(p.dtype));
      float32.walked_columns = MakeWalkTable(float32.columns, IsInteger(p.dtype));
    }
  }
  if (IsInteger(p.dtype) &&
      !(Gain(float32.rows) * Gain(float32.columns) * LargestElement(p.dtype) < kLargestInteger)) {
    run_tile = ScalarKernel(p.dtype);
  }
}

}  // namespace sr_ops
