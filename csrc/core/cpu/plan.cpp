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
  return vector_bytes >= kPlanesVectorBytes && p.layout == Layout::kChannelsLast &&
         (p.channels == 3 || p.channels == 4) && p.dtype == DataType::kUInt8 &&
         p.direction == Direction::kForward && p.out_height >= p.in_height;
}

// Where rows shrink: whether source elements are walked. Measured, with four taps on both axes and
// vectors of 64 bytes: columns take less time where most source rows are skipped, and with elements
// of two bytes unless they are halved.
bool Walks(const Problem& p, int64_t vector_bytes, const RoundedAxis<float>& rows, bool four_taps,
           bool halves) {
  if (!four_taps || vector_bytes < 64) return true;
  const bool narrow = SizeOf(p.dtype) == 1 || halves;
  const int64_t most = p.dtype == DataType::kFloat32 ? 10 : narrow ? 3 : 0;
  return rows.in <= most * rows.out;
}

// Whether rows of so many elements, `interleaved` ones a pixel, may be halved.
bool MayHalve(const Problem& p, int64_t vector_bytes, int64_t interleaved, int64_t elements) {
  // A vector of every second pixel comes from two vectors of 64 bytes; of shorter ones, from three.
  const bool pixels = vector_bytes >= 64 && (interleaved == 3 || interleaved == 4);
  if (interleaved != 1 && !pixels) return false;
  // AVX2's sums of bytes are put in order when they are transposed: see BytesApart.
  if (p.dtype == DataType::kUInt8 && vector_bytes == 32) return false;
  return elements >= (p.dtype == DataType::kFloat32 ? kFewestHalvedFloats : kFewestHalved);
}

// Everything horizontal, and with it which way is taken; `tables` has its rows already.
template <typename Accumulator>
void MakeColumns(const Problem& p, const Kernel& kernel, bool rows_first,
                 Tables<Accumulator>* tables) {
  const AxisGeometry axis(p.in_width, p.out_width, p.scale_width, p.attributes);
  const auto columns = std::make_shared<Columns<Accumulator>>();
  columns->axis = RoundedAxis<Accumulator>(TableOf(p, axis, ColumnsOf(p)));
  tables->columns = columns;
  if (kernel.vector_bytes == 0) return;
  const bool four_taps = tables->rows.HasFourTaps() && columns->axis.HasFourTaps();
  const bool planes = four_taps && WorksOnPlanes(p, kernel.vector_bytes);
  if (planes) tables->planes = p.channels;
  const int64_t interleaved = p.layout == Layout::kChannelsLast && !planes ? p.channels : 1;
  const int64_t lanes = kernel.vector_bytes / static_cast<int64_t>(sizeof(Accumulator));
  columns->blocks = MakeColumnTable(columns->axis, interleaved, lanes);
  if constexpr (std::is_same_v<Accumulator, float>) {
    const int64_t elements = columns->axis.out * interleaved;
    if (rows_first && MayHalve(p, kernel.vector_bytes, interleaved, elements)) {
      columns->halved = FindHalved(columns->axis);
    }
    const bool halves = !columns->halved.empty();
    tables->walks = rows_first && Walks(p, kernel.vector_bytes, tables->rows, four_taps, halves);
    if (tables->walks) columns->walked = MakeWalkTable(columns->axis, IsInteger(p.dtype));
  }
}

template <typename Accumulator>
Tables<Accumulator> MakeTables(const Problem& p, const Kernel& kernel, bool rows_first,
                               const Tables<Accumulator>* alike) {
  Tables<Accumulator> tables;
  const AxisGeometry axis(p.in_height, p.out_height, p.scale_height, p.attributes);
  tables.rows = RoundedAxis<Accumulator>(TableOf(p, axis, RowsOf(p)));
  // All that the choices in MakeColumns ask of the rows.
  if (alike != nullptr && alike->columns != nullptr &&
      alike->rows.HasFourTaps() == tables.rows.HasFourTaps()) {
    tables.columns = alike->columns;
    tables.planes = alike->planes;
    tables.walks = alike->walks;
  } else {
    MakeColumns(p, kernel, rows_first, &tables);
  }
  if constexpr (std::is_same_v<Accumulator, float>) {
    if (tables.walks) tables.walked_rows = MakeWalkTable(tables.rows, IsInteger(p.dtype));
  }
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

template <typename... Elements>
int64_t BytesIn(const Elements&... vectors) {
  return static_cast<int64_t>((0 + ... + (vectors.size() * sizeof(vectors[0]))));
}

template <typename Accumulator>
int64_t BytesOf(const RoundedAxis<Accumulator>& axis) {
  return BytesIn(axis.first, axis.count, axis.weights);
}

template <typename Accumulator>
int64_t BytesOf(const WalkTable<Accumulator>& table) {
  return BytesIn(table.weights, table.source, table.alike, table.active, table.straight,
                 table.first, table.end);
}

template <typename Accumulator>
int64_t BytesOf(const Tables<Accumulator>& tables) {
  int64_t bytes = BytesOf(tables.rows) + BytesOf(tables.walked_rows);
  if (const Columns<Accumulator>* columns = tables.columns.get()) {
    bytes += BytesOf(columns->axis) + BytesOf(columns->walked);
    bytes += BytesIn(columns->blocks.blocks, columns->blocks.details, columns->blocks.storage);
  }
  return bytes;
}

int64_t BytesOf(const PillowPass& pass) {
  return BytesIn(pass.axis.first, pass.axis.count, pass.axis.weights, pass.pair_weights, pass.begin,
                 pass.pair_count);
}

}  // namespace

bool SameColumns(const Problem& a, const Problem& b) {
  return a.channels == b.channels && a.in_height == b.in_height && a.in_width == b.in_width &&
         a.out_height == b.out_height && a.out_width == b.out_width &&
         a.scale_height == b.scale_height && a.scale_width == b.scale_width && a.dtype == b.dtype &&
         a.layout == b.layout && a.direction == b.direction && a.window.left == b.window.left &&
         a.window.width == b.window.width && a.crop.left == b.crop.left &&
         a.crop.width == b.crop.width && a.attributes == b.attributes;
}

Plan::Plan(const Problem& p, const Kernel& chosen, const Plan* alike)
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
    float64 = MakeTables<double>(p, kernel, rows_first, alike ? &alike->float64 : nullptr);
  } else {
    float32 = MakeTables<float>(p, kernel, rows_first, alike ? &alike->float32 : nullptr);
  }
  if (IsInteger(p.dtype) &&
      !(Gain(float32.rows) * Gain(float32.columns->axis) * LargestElement(p.dtype) <
        kLargestInteger)) {
    run_tile = ScalarKernel(p.dtype);
  }
}

int64_t Plan::bytes() const {
  int64_t bytes = BytesOf(float32) + BytesOf(float64);
  if (pillow != nullptr) bytes += BytesOf(pillow->rows) + BytesOf(pillow->columns);
  return bytes;
}

}  // namespace sr_ops
