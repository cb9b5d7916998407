// One tile with Rounding::kPillow, once a target. Two passes over bytes.
//
// The vertical pass adds rows. So does the horizontal one, of strips of rows that lie as columns: a
// strip is transposed, resampled along its pixels, and transposed back. Pixels of many channels
// need no transposing: their channels are what a vector holds.
//
// Columns first: rows go through the horizontal pass into a window of rows that slides down the
// picture. Rows first: a strip of output rows is made, then resampled horizontally. Wide pictures
// are worked off in panels of columns, so that the working memory is bounded.
#include "core/cpu/highway_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/cpu/pillow_kernel.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once a target
//
#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

#include "core/cpu/buffers.h"
#include "core/cpu/pillow_sums-inl.h"
#include "core/cpu/scratch.h"

HWY_BEFORE_NAMESPACE();
namespace sr_ops {
namespace HWY_NAMESPACE {

#if HWY_TARGET != HWY_SCALAR

/// `to` = a row of n outputs from `count` rows, `stride` bytes apart; none is read or written
/// beyond its end.
void PillowRow(const uint8_t* HWY_RESTRICT rows, ptrdiff_t stride,
               const int32_t* HWY_RESTRICT pairs, int32_t count, int64_t n,
               uint8_t* HWY_RESTRICT to) {
  const PillowBytes bytes;
  if (n < kPillowLanes) {
    HWY_ALIGN uint8_t out[kPillowLanes];
    PillowSums sums;
    for (; count > 0; count -= 2, rows += 2 * stride, pairs += 2) {
      HWY_ALIGN uint8_t two[2][kPillowLanes] = {};
      std::memcpy(two[0], rows, static_cast<size_t>(n));
      if (count > 1) std::memcpy(two[1], rows + stride, static_cast<size_t>(n));
      sums.Add(hn::Load(bytes, two[0]), hn::Load(bytes, two[1]), pairs);
    }
    hn::Store(sums.Bytes(), bytes, out);
    std::memcpy(to, out, static_cast<size_t>(n));
    return;
  }
  for (int64_t i = 0; i < n; i += kPillowLanes) {
    i = std::min(i, n - kPillowLanes);  // the last vector overlaps the one before
    hn::StoreU(PillowVector(rows + i, stride, pairs, count), bytes, to + i);
  }
}

class PillowTile {
 public:
  PillowTile(const Plan& plan, const TileBuffers<uint8_t>& buffers, const TileArea& area)
      : rows_(plan.pillow->rows),
        columns_(plan.pillow->columns),
        buffers_(buffers),
        area_(area),
        channels_(plan.problem.layout == Layout::kChannelsLast ? plan.problem.channels : 1),
        by_columns_(channels_ < kPillowLanes),
        rows_first_(plan.rows_first || rows_.axis.identity || columns_.axis.identity),
        first_row_(rows_.axis.first[static_cast<size_t>(area.row_begin)]),
        end_row_(EndOf(rows_.axis, area.row_end - 1)) {}

  /// Whether the working memory can be had within its limit.
  bool Fits() {
    panel_ = columns_.axis.out;
    while (MeasurePanels() > kScratchLimit) {
      if (panel_ == 1) return false;
      panel_ = (panel_ + 1) / 2;
    }
    return true;
  }

  /// False where memory is out.
  bool Run() {
    uint8_t* at = static_cast<uint8_t*>(Scratch(std::max<size_t>(MeasurePanels(), 1)));
    if (at == nullptr) return false;
    for (auto& piece : pieces_) {
      piece.data = at;
      at += AlignedBytes(piece.bytes);
    }
    for (int64_t x = 0; x < columns_.axis.out; x += panel_) {
      SetPanel(x, std::min(x + panel_, columns_.axis.out));
      if (rows_first_) {
        RunRowsFirst();
      } else {
        RunColumnsFirst();
      }
    }
    return true;
  }

 private:
  struct Piece {
    size_t bytes = 0;
    uint8_t* data = nullptr;
  };
  enum { kSourceColumns, kResultColumns, kWindow, kStrip, kPieces };

  static int64_t EndOf(const PillowAxis& axis, int64_t o) {
    return axis.first[static_cast<size_t>(o)] + axis.count[static_cast<size_t>(o)];
  }

  /// Source columns of outputs [begin, end): their first and their end.
  std::pair<int64_t, int64_t> SourceOf(int64_t begin, int64_t end) const {
    const PillowAxis& axis = columns_.axis;
    return {axis.first[static_cast<size_t>(begin)], EndOf(axis, end - 1)};
  }

  /// Sets the sizes of the pieces for panels of panel_ columns. Returns the sum.
  size_t MeasurePanels() {
    int64_t most = 0;
    for (int64_t x = 0; x < columns_.axis.out; x += panel_) {
      const auto [first, end] = SourceOf(x, std::min(x + panel_, columns_.axis.out));
      most = std::max(most, end - first);
    }
    const int64_t in = most * channels_, out = panel_ * channels_;
    const bool columns = !columns_.axis.identity;
    const auto whole_blocks = [](int64_t n) {
      return (n + kPillowBlock - 1) / kPillowBlock * kPillowBlock * kPillowLanes;
    };
    const bool by_columns = by_columns_ && columns;
    pieces_[kSourceColumns].bytes = by_columns ? whole_blocks(in) : 0;
    pieces_[kResultColumns].bytes = by_columns ? whole_blocks(out) : 0;
    const bool window = !rows_first_ || !buffers_.dense;
    window_stride_ = rows_first_ ? in : out;
    // Twice what an output needs, so that rows are seldom moved; no more than there are.
    window_rows_ = std::min<int64_t>(2 * rows_.axis.taps + 2 * kPillowLanes,
                                     end_row_ - first_row_ + kPillowLanes);
    pieces_[kWindow].bytes = window ? static_cast<size_t>(window_rows_ * window_stride_) : 0;
    // Rows as the horizontal pass reads them, where they do not lie so already.
    const bool strip =
        columns && (rows_first_ ? !rows_.axis.identity || !buffers_.dense : !buffers_.dense);
    pieces_[kStrip].bytes = strip ? static_cast<size_t>(kPillowLanes * in) : 0;
    size_t sum = 0;
    for (const Piece& piece : pieces_) sum += AlignedBytes(piece.bytes);
    return sum;
  }

  void SetPanel(int64_t begin, int64_t end) {
    panel_begin_ = begin;
    panel_end_ = end;
    std::tie(source_begin_, source_end_) = SourceOf(begin, end);
    in_bytes_ = (source_end_ - source_begin_) * channels_;
    out_bytes_ = (end - begin) * channels_;
    window_first_ = window_end_ = first_row_;
  }

  uint8_t* DestinationRow(int64_t y) const {
    return buffers_.destination + y * buffers_.destination_row + panel_begin_ * channels_;
  }

  /// A source row's part of the panel; `copy` takes it where it is not dense.
  const uint8_t* SourceRow(int64_t row, uint8_t* copy) const {
    const uint8_t* from =
        buffers_.source + row * buffers_.source_row + source_begin_ * buffers_.source_pixel;
    if (buffers_.dense) return from;
    uint8_t* to = copy;
    for (int64_t x = source_begin_; x < source_end_; ++x, from += buffers_.source_pixel) {
      for (int64_t c = 0; c < channels_; ++c) *to++ = from[c * buffers_.source_channel];
    }
    return copy;
  }

  /// Rows through the horizontal pass: `count` of at most kPillowLanes.
  void Horizontal(const uint8_t* (&from)[kPillowLanes], uint8_t* (&to)[kPillowLanes],
                  int64_t count) {
    if (!by_columns_) {
      for (int64_t i = 0; i < count; ++i) HorizontalByPixels(from[i], to[i]);
      return;
    }
    for (int64_t i = count; i < kPillowLanes; ++i) from[i] = from[count - 1];
    uint8_t* const source = pieces_[kSourceColumns].data;
    uint8_t* result = pieces_[kResultColumns].data;
    RowsToColumns(from, in_bytes_, source);
    const ptrdiff_t pixel = channels_ * kPillowLanes;
    for (int64_t x = panel_begin_; x < panel_end_; ++x) {
      const int64_t first = columns_.axis.first[static_cast<size_t>(x)] - source_begin_;
      const int32_t taps = columns_.axis.count[static_cast<size_t>(x)];
      for (int64_t c = 0; c < channels_; ++c, result += kPillowLanes) {
        hn::Store(PillowVector(source + first * pixel + c * kPillowLanes, pixel,
                               columns_.PairsOf(x), taps),
                  PillowBytes(), result);
      }
    }
    ColumnsToRows(pieces_[kResultColumns].data, out_bytes_, to, count);
  }

  void HorizontalByPixels(const uint8_t* from, uint8_t* to) const {
    for (int64_t x = panel_begin_; x < panel_end_; ++x, to += channels_) {
      const int64_t first = columns_.axis.first[static_cast<size_t>(x)] - source_begin_;
      PillowRow(from + first * channels_, channels_, columns_.PairsOf(x),
                columns_.axis.count[static_cast<size_t>(x)], channels_, to);
    }
  }

  uint8_t* WindowRow(int64_t row) const {
    return pieces_[kWindow].data + (row - window_first_) * window_stride_;
  }

  /// Makes room in the window for kPillowLanes further rows; rows before `needed` may go.
  void MakeRoom(int64_t needed) {
    if (window_end_ - window_first_ + kPillowLanes <= window_rows_) return;
    needed = std::min(needed, window_end_);
    std::memmove(pieces_[kWindow].data, WindowRow(needed),
                 static_cast<size_t>((window_end_ - needed) * window_stride_));
    window_first_ = needed;
  }

  void RunColumnsFirst() {
    for (int64_t y = area_.row_begin; y < area_.row_end; ++y) {
      const int64_t first = rows_.axis.first[static_cast<size_t>(y)];
      while (window_end_ < EndOf(rows_.axis, y)) {
        MakeRoom(first);
        const uint8_t* from[kPillowLanes];
        uint8_t* to[kPillowLanes];
        const int64_t count = std::min(kPillowLanes, end_row_ - window_end_);
        for (int64_t i = 0; i < count; ++i) {
          from[i] = SourceRow(window_end_ + i, pieces_[kStrip].data + i * in_bytes_);
          to[i] = WindowRow(window_end_ + i);
        }
        Horizontal(from, to, count);
        window_end_ += count;
      }
      PillowRow(WindowRow(first), window_stride_, rows_.PairsOf(y),
                rows_.axis.count[static_cast<size_t>(y)], out_bytes_, DestinationRow(y));
    }
  }

  /// Output row y before the horizontal pass, in `to`.
  void Vertical(int64_t y, uint8_t* to) {
    const int64_t first = rows_.axis.first[static_cast<size_t>(y)];
    const int32_t taps = rows_.axis.count[static_cast<size_t>(y)];
    if (buffers_.dense) {
      PillowRow(SourceRow(first, nullptr), buffers_.source_row, rows_.PairsOf(y), taps, in_bytes_,
                to);
      return;
    }
    for (; window_end_ < first + taps; ++window_end_) {
      MakeRoom(first);
      SourceRow(window_end_, WindowRow(window_end_));
    }
    PillowRow(WindowRow(first), window_stride_, rows_.PairsOf(y), taps, in_bytes_, to);
  }

  void RunRowsFirst() {
    if (columns_.axis.identity) {
      for (int64_t y = area_.row_begin; y < area_.row_end; ++y) Vertical(y, DestinationRow(y));
      return;
    }
    for (int64_t y = area_.row_begin; y < area_.row_end; y += kPillowLanes) {
      const int64_t count = std::min(kPillowLanes, area_.row_end - y);
      const uint8_t* from[kPillowLanes];
      uint8_t* to[kPillowLanes];
      for (int64_t i = 0; i < count; ++i) {
        uint8_t* const row = pieces_[kStrip].data + i * in_bytes_;
        to[i] = DestinationRow(y + i);
        if (rows_.axis.identity) {
          from[i] = SourceRow(rows_.axis.first[static_cast<size_t>(y + i)], row);
        } else {
          Vertical(y + i, row);
          from[i] = row;
        }
      }
      Horizontal(from, to, count);
    }
  }

  const PillowPass& rows_;
  const PillowPass& columns_;
  const TileBuffers<uint8_t>& buffers_;
  const TileArea& area_;
  const int64_t channels_;   // interleaved
  const bool by_columns_;    // strips are transposed
  const bool rows_first_;    // also where only one pass is needed
  const int64_t first_row_;  // of the source, for the tile
  const int64_t end_row_;

  int64_t panel_ = 0;  // output columns
  Piece pieces_[kPieces];

  int64_t panel_begin_ = 0, panel_end_ = 0;    // output columns
  int64_t source_begin_ = 0, source_end_ = 0;  // source columns
  int64_t in_bytes_ = 0, out_bytes_ = 0;       // of a row of the panel

  int64_t window_rows_ = 0, window_stride_ = 0;
  int64_t window_first_ = 0, window_end_ = 0;  // source rows in it
};

bool RunPillowTile(const Plan& plan, const ConstView& source, const View& destination,
                   const TileArea& area) {
  const bool channels_last = plan.problem.layout == Layout::kChannelsLast;
  const TileBuffers<uint8_t> buffers(plan.problem, channels_last ? plan.problem.channels : 1,
                                     source, destination, area.plane);
  PillowTile tile(plan, buffers, area);
  // Only pictures that shrink a thousandfold do not fit.
  return tile.Fits() ? tile.Run() : RunPillowScalar(plan, source, destination, area);
}

#endif  // HWY_TARGET != HWY_SCALAR

}  // namespace HWY_NAMESPACE
}  // namespace sr_ops
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sr_ops {

RunTileFunction PillowVectorKernel(int64_t target) {
  switch (target) {
#if HWY_TARGETS & HWY_AVX3
    case HWY_AVX3: return N_AVX3::RunPillowTile;
#endif
#if HWY_TARGETS & HWY_AVX2
    case HWY_AVX2: return N_AVX2::RunPillowTile;
#endif
#if HWY_TARGETS & HWY_SSE4
    case HWY_SSE4: return N_SSE4::RunPillowTile;
#endif
#if HWY_TARGETS & HWY_NEON
    case HWY_NEON: return N_NEON::RunPillowTile;
#endif
#if defined(HWY_NEON_WITHOUT_AES) && (HWY_TARGETS & HWY_NEON_WITHOUT_AES)
    case HWY_NEON_WITHOUT_AES: return N_NEON_WITHOUT_AES::RunPillowTile;
#endif
#if HWY_TARGETS & HWY_WASM
    case HWY_WASM: return N_WASM::RunPillowTile;
#endif
    default: return nullptr;
  }
}

}  // namespace sr_ops
#endif  // HWY_ONCE
