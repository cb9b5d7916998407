// One tile with Rounding::kPillow, once a target. Two passes over bytes.
//
// The vertical pass adds rows. So does the horizontal one, of strips of rows that lie as columns: a
// strip is transposed, resampled along its pixels, and transposed back, a piece at a time that the
// nearest cache holds. Pixels of many channels need no transposing: their channels are what a
// vector holds.
//
// Columns first: rows go through the horizontal pass into a window of rows that slides down the
// picture, two rows byte beside byte. Rows first: a strip of output rows is made, then resampled
// horizontally. Wide pictures are worked off in panels of columns, so that the working memory is
// bounded.
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
#include "core/cpu/pillow_strips-inl.h"
#include "core/cpu/pillow_sums-inl.h"
#include "core/cpu/scratch.h"

HWY_BEFORE_NAMESPACE();
namespace sr_ops {
namespace HWY_NAMESPACE {

#if HWY_TARGET != HWY_SCALAR

/// Output row o, of n bytes, from rows that lie as pictures do.
void PillowPlainRow(const PlainRows& rows, const PillowPass& pass, int64_t o, int64_t n,
                    uint8_t* HWY_RESTRICT to) {
  if (n < kPillowLanes) {
    PillowRow(NarrowRows{rows, n}, pass.PairsOf(o), pass.PairCount(o), n, to);
  } else {
    PillowRow(rows, pass.PairsOf(o), pass.PairCount(o), n, to);
  }
}

class PillowTile {
 public:
  PillowTile(const Plan& plan, const TileBuffers<uint8_t>& buffers, const TileArea& area)
      : rows_(plan.pillow->rows),
        columns_(plan.pillow->columns),
        buffers_(buffers),
        area_(area),
        tables_(*plan.pillow),
        channels_(plan.problem.layout == Layout::kChannelsLast ? plan.problem.channels : 1),
        rows_first_(plan.rows_first || rows_.axis.identity || columns_.axis.identity),
        first_row_(rows_.Begin(area.row_begin)),
        end_row_(rows_.End(area.row_end - 1)) {}

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
  enum { kSourcePairs, kResultColumns, kWindow, kStrip, kPieces };

  /// Source columns that outputs [begin, end) need: their first and their end.
  std::pair<int64_t, int64_t> SourceOf(int64_t begin, int64_t end) const {
    const PillowAxis& axis = columns_.axis;
    const size_t last = static_cast<size_t>(end - 1);
    return {axis.first[static_cast<size_t>(begin)], axis.first[last] + axis.count[last]};
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
    const bool by_strips = tables_.strips && columns;
    const auto bytes_of = [](bool needed, int64_t bytes) {
      return needed ? static_cast<size_t>(bytes) : 0;
    };
    // Room for an output's pairs and a block of further ones, of which less may be left over.
    room_ =
        std::max(kPackedLanes / kPillowRows / channels_, 2 * columns_.pairs) + kPillowBlockPairs;
    room_ = std::min(room_, most / 2 + kPillowBlockPairs);
    pieces_[kSourcePairs].bytes = bytes_of(by_strips, room_ * channels_ * kPillowRows * 4);
    pieces_[kResultColumns].bytes =
        bytes_of(by_strips, (kPackedResults + kPillowLanes) * kPillowRows);
    const bool window = !rows_first_ || !buffers_.dense;
    // A vector more, for whole blocks of columns.
    window_stride_ = rows_first_ ? in : out + kPillowLanes;
    // Twice what an output needs, so that rows are seldom moved; no more than there are.
    window_rows_ =
        std::min<int64_t>(4 * rows_.pairs + 2 * kPillowRows, end_row_ - first_row_ + kPillowRows);
    pieces_[kWindow].bytes = bytes_of(window, window_rows_ * window_stride_);
    // Rows as the horizontal pass reads them, where they do not lie so already.
    pieces_[kStrip].bytes = bytes_of(columns, kPillowRows * in);
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

  /// A source row's part of the panel; `copy` takes it where it is not dense. A neighbour stands
  /// for a row outside.
  const uint8_t* SourceRow(int64_t row, uint8_t* copy) const {
    row = std::clamp<int64_t>(row, 0, rows_.axis.in - 1);
    const uint8_t* from =
        buffers_.source + row * buffers_.source_row + source_begin_ * buffers_.source_pixel;
    if (buffers_.dense) return from;
    uint8_t* to = copy;
    for (int64_t x = source_begin_; x < source_end_; ++x, from += buffers_.source_pixel) {
      for (int64_t c = 0; c < channels_; ++c) *to++ = from[c * buffers_.source_channel];
    }
    return copy;
  }

  uint8_t* StripRow(int64_t i) const { return pieces_[kStrip].data + i * in_bytes_; }

  /// Rows through the horizontal pass. flush(columns, n, begin) takes n columns of results, from
  /// byte `begin` of the panel on.
  template <typename Flush>
  void Horizontal(StripRows from, const Flush& flush) const {
    int32_t* const source = reinterpret_cast<int32_t*>(pieces_[kSourcePairs].data);
    uint8_t* const results = pieces_[kResultColumns].data;
    const int64_t lanes = channels_ * kPillowRows;  // of a pair of pixels
    const int64_t begin = columns_.Begin(panel_begin_);
    PackedPairs packed{source, channels_, begin, begin, StripPrefetch(from, 0, 0, 1)};
    for (int64_t x = panel_begin_; x < panel_end_;) {
      if (columns_.End(x) > packed.end) {
        const int64_t needed = std::min(columns_.Begin(x), packed.end);
        const int64_t kept = (packed.end - needed) / 2;
        std::memmove(source, source + (needed - packed.first) / 2 * lanes,
                     static_cast<size_t>(kept * lanes) * sizeof *source);
        packed.first = needed;
        packed.end += 2 * RowsToPairs(from, (packed.end - source_begin_) * channels_, in_bytes_,
                                      channels_, room_ - kept, source + kept * lanes);
        packed.ahead = NextPiece(from, packed);
      }
      int64_t end = x;
      const int64_t most = std::min(x + kPackedResults / channels_, panel_end_);
      while (end < most && columns_.End(end) <= packed.end) ++end;
      switch (channels_) {
        case 1: PillowPixels<1>(columns_, x, end, packed, results); break;
        case 3: PillowPixels<3>(columns_, x, end, packed, results); break;
        default: PillowPixels<0>(columns_, x, end, packed, results); break;
      }
      flush(results, (end - x) * channels_, (x - panel_begin_) * channels_);
      x = end;
    }
  }

  /// The piece to be packed after this one, or the next strip's first.
  StripPrefetch NextPiece(StripRows from, const PackedPairs& packed) const {
    const int64_t at = (packed.end - source_begin_) * channels_, n = 2 * room_ * channels_;
    const int64_t steps =
        (packed.end - packed.first) * columns_.axis.out / columns_.axis.in;  // outputs meanwhile
    if (at >= in_bytes_) return {from, kPillowRows * from.stride, n, steps};
    return {from, at, std::min(n, in_bytes_ - at), steps};
  }

  /// Into rows that lie as pictures do; the first `count` of the strip.
  void HorizontalToRows(StripRows from, uint8_t* const* to, int64_t count) const {
    if (!tables_.strips) {
      for (int64_t i = 0; i < count; ++i) HorizontalByPixels(from[i], to[i]);
      return;
    }
    Horizontal(from, [&](const uint8_t* columns, int64_t n, int64_t begin)
                         HWY_ATTR { ColumnsToRows(columns, n, to, begin, count); });
  }

  void HorizontalByPixels(const uint8_t* from, uint8_t* to) const {
    for (int64_t x = panel_begin_; x < panel_end_; ++x, to += channels_) {
      const int64_t begin = columns_.Begin(x);
      PillowPlainRow({from + (begin - source_begin_) * channels_, channels_, source_end_ - begin},
                     columns_, x, channels_, to);
    }
  }

  uint8_t* WindowRow(int64_t row) const {
    return pieces_[kWindow].data + (row - window_first_) * window_stride_;
  }

  /// Makes room in the window for kPillowRows further rows; rows before `needed` may go.
  void MakeRoom(int64_t needed) {
    if (window_end_ - window_first_ + kPillowRows <= window_rows_) return;
    needed = std::min(needed, window_end_);
    std::memmove(pieces_[kWindow].data, WindowRow(needed),
                 static_cast<size_t>((window_end_ - needed) * window_stride_));
    window_first_ = needed;
  }

  /// Source rows from `row` on, which may lie outside: in place, or copied.
  StripRows SourceStrip(int64_t row) {
    if (buffers_.dense && row >= 0 && row + kPillowRows <= rows_.axis.in) {
      return {SourceRow(row, nullptr), buffers_.source_row};
    }
    for (int64_t i = 0; i < kPillowRows; ++i) {
      const uint8_t* const from = SourceRow(row + i, StripRow(i));
      if (from != StripRow(i)) std::memcpy(StripRow(i), from, static_cast<size_t>(in_bytes_));
    }
    return {StripRow(0), in_bytes_};
  }

  /// The next strip of source rows into the window.
  void FillWindow() {
    const int64_t count = std::min(kPillowRows, end_row_ - window_end_);
    const StripRows from = SourceStrip(window_end_);
    uint8_t* const to = WindowRow(window_end_);
    if (tables_.paired_rows) {
      Horizontal(from, [&](const uint8_t* columns, int64_t n, int64_t begin) HWY_ATTR {
        ColumnsToRowPairs(columns, n, to + 2 * begin, 2 * window_stride_);
      });
    } else {
      uint8_t* rows[kPillowRows];
      for (int64_t i = 0; i < count; ++i) rows[i] = to + i * window_stride_;
      HorizontalToRows(from, rows, count);
    }
    window_end_ += count;
  }

  /// Whether the window lacks rows of output row y. (The end of its pairs may lie one beyond the
  /// rows that are needed.)
  bool Lacks(int64_t y) const { return window_end_ < std::min(rows_.End(y), end_row_); }

  PlainRows PlainWindow(int64_t y) const {
    return {WindowRow(rows_.Begin(y)), window_stride_, window_end_ - rows_.Begin(y)};
  }

  void RunColumnsFirst() {
    for (int64_t y = area_.row_begin; y < area_.row_end; ++y) {
      while (Lacks(y)) {
        MakeRoom(rows_.Begin(y));
        FillWindow();
      }
      if (tables_.paired_rows) {
        // Two rows byte beside byte.
        PillowRow(PairedRows{WindowRow(rows_.Begin(y)), 2 * window_stride_}, rows_.PairsOf(y),
                  rows_.PairCount(y), out_bytes_, DestinationRow(y));
      } else {
        PillowPlainRow(PlainWindow(y), rows_, y, out_bytes_, DestinationRow(y));
      }
    }
  }

  /// Output row y before the horizontal pass, in `to`.
  void Vertical(int64_t y, uint8_t* to) {
    const int64_t first = rows_.Begin(y);
    if (buffers_.dense) {
      PillowPlainRow({SourceRow(first, nullptr), buffers_.source_row, rows_.axis.in - first}, rows_,
                     y, in_bytes_, to);
      return;
    }
    for (; Lacks(y); ++window_end_) {
      MakeRoom(first);
      SourceRow(window_end_, WindowRow(window_end_));
    }
    PillowPlainRow(PlainWindow(y), rows_, y, in_bytes_, to);
  }

  void RunRowsFirst() {
    if (columns_.axis.identity) {
      for (int64_t y = area_.row_begin; y < area_.row_end; ++y) Vertical(y, DestinationRow(y));
      return;
    }
    for (int64_t y = area_.row_begin; y < area_.row_end; y += kPillowRows) {
      const int64_t count = std::min(kPillowRows, area_.row_end - y);
      uint8_t* to[kPillowRows];
      for (int64_t i = 0; i < count; ++i) to[i] = DestinationRow(y + i);
      if (rows_.axis.identity) {
        HorizontalToRows(SourceStrip(rows_.axis.first[static_cast<size_t>(y)]), to, count);
        continue;
      }
      // The rows after `count` are whatever was there before. So are the results, which nobody
      // takes.
      for (int64_t i = 0; i < count; ++i) Vertical(y + i, StripRow(i));
      HorizontalToRows({StripRow(0), in_bytes_}, to, count);
    }
  }

  /// What is packed, and computed, before the strip's results are transposed.
  static constexpr int64_t kPackedLanes = 3 << 10;
  static constexpr int64_t kPackedResults = 384;  // columns, of 1 to 4 channels

  const PillowPass& rows_;
  const PillowPass& columns_;
  const TileBuffers<uint8_t>& buffers_;
  const TileArea& area_;
  const PillowTables& tables_;
  const int64_t channels_;   // interleaved
  const bool rows_first_;    // also where only one pass is needed
  const int64_t first_row_;  // of the source, for the tile
  const int64_t end_row_;

  int64_t panel_ = 0;  // output columns
  int64_t room_ = 0;   // for pairs of source columns
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
