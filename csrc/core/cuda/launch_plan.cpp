#include "core/cuda/launch_plan.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "core/limits.h"
#include "core/resample.h"

namespace sr_ops::cuda {
namespace {

// Below this many destination elements, blocks compute the tables they need, instead of a second
// launch. Chosen on paper, for chips that are fast in double.
constexpr int64_t kOneLaunchElements = int64_t{1} << 21;

// About this many threads fill the largest chips; more rows in a strip share more source rows.
constexpr int64_t kEnoughThreads = int64_t{1} << 19;
constexpr int64_t kFewestStripRows = 4;

// Shared memory of a tile: more of it, and fewer blocks run at a time.
constexpr int64_t kFirstPassBytes = int64_t{24} << 10;
constexpr int64_t kSharedTableBytes = int64_t{16} << 10;
constexpr int64_t kMostTileLanes = 256;
// What a launch may ask for on every GPU without cudaFuncSetAttribute.
constexpr int64_t kMostSharedBytes = int64_t{48} << 10;
static_assert(kFirstPassBytes + kSharedTableBytes + kMostTileLanes * 2 * sizeof(int64_t) <=
              kMostSharedBytes);

constexpr int64_t kMostInt32 = std::numeric_limits<int32_t>::max();

int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

AppliedAxis MakeAxis(const Problem& p, int64_t in, int64_t out, double scale) {
  AppliedAxis axis;
  axis.geometry = AxisGeometry(in, out, scale, p.attributes);
  axis.transposed = p.direction == Direction::kAdjoint;
  axis.source = axis.transposed ? out : in;
  axis.destination = axis.transposed ? in : out;
  axis.most_taps = MostTaps(axis.geometry, axis.transposed);
  return axis;
}

int64_t AccumulatorSize(DataType dtype) {
  return dtype == DataType::kFloat64 ? sizeof(double) : sizeof(float);
}

int64_t TableBytesOf(DataType dtype, int64_t most_taps, int64_t entries) {
  return dtype == DataType::kFloat64 ? TableBytes<double>(most_taps, entries)
                                     : TableBytes<float>(most_taps, entries);
}

int64_t WorkspaceBytes(const LaunchPlan& plan) {
  const Arguments& a = plan.arguments;
  return TableBytesOf(plan.dtype, a.rows.most_taps, a.rows.destination) +
         TableBytesOf(plan.dtype, a.columns.most_taps, a.columns.destination);
}

int64_t DestinationElements(const Arguments& a) {
  return a.lanes * a.rows.destination * a.columns.destination;
}

bool HasFourTaps(const AppliedAxis& axis) { return !axis.transposed && !axis.geometry.stretched; }

// The strip kernel counts rows, and elements within a row, in 32 bits.
bool FitsStrips(const Arguments& a) {
  const int64_t column_stride = std::abs(a.source.stride[3]);
  return !a.rows_first && HasFourTaps(a.rows) && HasFourTaps(a.columns) &&
         a.rows.source < kMostInt32 / 2 &&
         (column_stride == 0 || a.columns.source - 1 <= kMostInt32 / column_stride);
}

void ConfigureStrips(LaunchPlan* plan) {
  Arguments& a = plan->arguments;
  StripGrid& strip = a.strip;
  const int64_t images = a.lanes / std::max<int64_t>(a.channels, 1);
  strip.planes = a.channels_last ? images : a.lanes;
  strip.row_elements = a.columns.destination * (a.channels_last ? a.channels : 1);
  strip.rows = std::clamp<int64_t>(DestinationElements(a) / kEnoughThreads, kFewestStripRows,
                                   kMostStripRows);
  strip.strips = CeilDivide(a.rows.destination, strip.rows);
  a.blocks = strip.strips * CeilDivide(strip.planes * strip.row_elements, kStripThreads);
  plan->shared_bytes = 0;  // a fixed amount, of the kernel's own
}

// Square where that is possible: neighbouring tiles read each other's margins.
void ChooseBox(const Arguments& a, TileGrid* tile) {
  const bool large = DestinationElements(a) >= (int64_t{1} << 20);
  const int64_t elements = large ? kMostTileElements : kTileThreads;
  // Eight interleaved channels are a whole memory sector in float32.
  int64_t lanes = a.channels_last ? std::clamp<int64_t>(a.channels, 1, 8) : 1;
  const int64_t side = static_cast<int64_t>(std::sqrt(static_cast<double>(elements / lanes)));
  const int64_t columns = std::min(a.columns.destination, side);
  const int64_t rows = std::min(a.rows.destination, elements / (lanes * columns));
  lanes = std::min({std::max<int64_t>(a.lanes, 1), elements / (rows * columns), kMostTileLanes});
  tile->rows = static_cast<int32_t>(rows);
  tile->columns = static_cast<int32_t>(columns);
  tile->lanes = static_cast<int32_t>(lanes);
  tile->row_tiles = CeilDivide(a.rows.destination, rows);
  tile->column_tiles = CeilDivide(a.columns.destination, columns);
}

// The tile's whole source where the first pass of it fits, equal parts otherwise.
int32_t ChooseChunk(const LaunchPlan& plan) {
  const Arguments& a = plan.arguments;
  const AppliedAxis& second = a.rows_first ? a.columns : a.rows;
  const int64_t first_entries = a.rows_first ? a.tile.rows : a.tile.columns;
  const int64_t second_entries = a.rows_first ? a.tile.columns : a.tile.rows;
  const int64_t most =
      kFirstPassBytes / (AccumulatorSize(plan.dtype) * a.tile.lanes * first_entries);
  const double per_entry =
      static_cast<double>(second.source) / static_cast<double>(second.destination);
  const double margins = static_cast<double>(second.most_taps) + 2.0;
  const double span = std::ceil(static_cast<double>(second_entries) * per_entry) + margins;
  const int64_t wanted = static_cast<int64_t>(std::min(span, static_cast<double>(second.source)));
  return static_cast<int32_t>(CeilDivide(wanted, CeilDivide(wanted, most)));
}

bool ConfigureTiles(bool workspace, LaunchPlan* plan) {
  Arguments& a = plan->arguments;
  ChooseBox(a, &a.tile);
  a.tile.chunk = ChooseChunk(*plan);
  a.blocks = a.tile.row_tiles * a.tile.column_tiles * CeilDivide(a.lanes, a.tile.lanes);
  const int64_t first_entries = a.rows_first ? a.tile.rows : a.tile.columns;
  plan->shared_bytes = a.tile.lanes * static_cast<int64_t>(2 * sizeof(int64_t)) +
                       a.tile.lanes * first_entries * a.tile.chunk * AccumulatorSize(plan->dtype);
  if (workspace) return true;
  const int64_t most_taps = std::max(a.rows.most_taps, a.columns.most_taps);
  if (most_taps > kSharedTableBytes) return false;  // before the products below overflow
  const int64_t tables = TableBytesOf(plan->dtype, a.rows.most_taps, a.tile.rows) +
                         TableBytesOf(plan->dtype, a.columns.most_taps, a.tile.columns);
  plan->shared_bytes += tables;
  return tables <= kSharedTableBytes;
}

}  // namespace

bool Configure(KernelKind kind, bool workspace, LaunchPlan* plan) {
  plan->kind = kind;
  plan->workspace_bytes = workspace ? WorkspaceBytes(*plan) : 0;
  if (kind == KernelKind::kTile) return ConfigureTiles(workspace, plan);
  if (!FitsStrips(plan->arguments)) return false;
  ConfigureStrips(plan);
  return true;
}

Status MakePlan(const Problem& p, const ConstView& source, const View& destination,
                LaunchPlan* plan) {
  Status status = Validate(p);
  if (!status.ok()) return status;
  if (!p.window.empty() || !p.crop.empty()) {
    return Status::InvalidArgument("window: on GPUs the result is computed as a whole");
  }
  if (p.attributes.rounding != Rounding::kExact) {
    return Status::InvalidArgument(
        "rounding: \"pillow\" is computed on the CPU alone; move x there, or use \"exact\"");
  }
  *plan = LaunchPlan();
  plan->dtype = p.dtype;
  Arguments& a = plan->arguments;
  a.source = source;
  a.destination = destination;
  a.channels = p.channels;
  a.lanes = p.batch * p.channels;
  a.rows = MakeAxis(p, p.in_height, p.out_height, p.scale_height);
  a.columns = MakeAxis(p, p.in_width, p.out_width, p.scale_width);
  a.rows_first = a.rows.destination < a.rows.source;
  a.channels_last = p.layout == Layout::kChannelsLast;
  if (a.lanes == 0) return {};  // no blocks
  // Narrow images leave most of a strip's threads without work.
  const int64_t row_elements = a.lanes * a.columns.destination;
  const KernelKind kind =
      FitsStrips(a) && row_elements >= kStripThreads ? KernelKind::kStrip : KernelKind::kTile;
  const bool small = DestinationElements(a) <= kOneLaunchElements;
  if (!small || !Configure(kind, /*workspace=*/false, plan)) {
    Configure(kind, /*workspace=*/true, plan);
  }
  return {};
}

}  // namespace sr_ops::cuda
