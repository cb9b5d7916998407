// One tile where both axes shrink. Rows first, in strips: eight output rows or more at a time are
// combined from the source rows, each of which is loaded once for all that need it, and stored as
// columns; then the same walk goes along the pixels, with rows for lanes. Where columns are halved,
// the rows stay rows. Included once a target.
#if defined(SR_OPS_SHRINK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SR_OPS_SHRINK_INL_H_
#undef SR_OPS_SHRINK_INL_H_
#else
#define SR_OPS_SHRINK_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "core/cpu/buffers.h"
#include "core/cpu/bytes-inl.h"
#include "core/cpu/halve-inl.h"
#include "core/cpu/plan.h"
#include "core/cpu/processor.h"
#include "core/cpu/rows-inl.h"
#include "core/cpu/scratch.h"
#include "core/cpu/transpose-inl.h"
#include "core/cpu/walk-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sr_ops {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR

/// What a panel's columns may take: they are read again from the second-level cache.
constexpr int64_t kShrinkBytes = 400000;
/// Rows that shrink at least so much are walked along rather than down where elements are wide, and
/// so many source rows at once are more than the processor follows.
constexpr int64_t kAlongRowsTimes = 4;
/// Of rows that shrink more, fewer are made by one walk: what it reads is to stay near.
constexpr int64_t kManyRowsTimes = 3;

template <typename Element>
class Shrinker {
 public:
  Shrinker(const Plan& plan, const TileBuffers<Element>& buffers, const TileArea& area)
      : rows_(plan.float32.walked_rows),
        columns_(plan.float32.columns->walked),
        axis_(plan.float32.columns->axis),
        halved_(plan.float32.columns->halved),
        buffers_(buffers),
        area_(area),
        along_rows_(kWide && !FollowsManyRows() &&
                    plan.source_height >= kAlongRowsTimes * plan.height),
        asks_(kLanes == 16 && !FetchesForStores()),
        channels_(plan.float32.columns->blocks.channels),
        width_(plan.width),
        halves_(!along_rows_ && !halved_.empty()),
        strip_rows_(plan.source_height <= kManyRowsTimes * plan.height &&
                            (!kWide || FollowsManyRows())
                        ? kMostStripRows
                        : kStripRows) {}

  /// Whether this tile's case is one of those: otherwise nothing has been done.
  bool Prepare() {
    if (rows_.empty() || columns_.empty() || !buffers_.dense) return false;
    first_row_ = area_.row_begin / kWalkSlots * kWalkSlots;
    if (halves_) {
      block_rows_ = strip_rows_;
    } else {
      const int64_t groups = channels_ > 1 ? 1 : kGroups;
      const int64_t blocks = (area_.row_end - first_row_ + kBaseRows - 1) / kBaseRows;
      block_rows_ = kBaseRows * std::min(groups, blocks);
    }
    panel_ = width_;
    while (MeasureMemory() > kShrinkBytes) {
      if (panel_ <= kWalkSlots) return false;
      panel_ = (panel_ / 2 + kWalkSlots - 1) / kWalkSlots * kWalkSlots;
    }
    return narrowest_ >= kLanes;
  }

  /// False where scratch memory is out.
  bool Run() {
    char* const memory = static_cast<char*>(Scratch(static_cast<size_t>(MeasureMemory())));
    if (!memory) return false;
    columns_of_rows_ = reinterpret_cast<float*>(memory);
    pixels_ = columns_of_rows_ + columns_size_;
    open_ = pixels_ + pixels_size_;
    edges_ = open_ + open_size_;
    lines_ = edges_ + edges_size_;
    for (int64_t begin = 0; begin < width_; begin += panel_) {
      SetPanel(begin);
      if (halves_) ClearBehindLines();
      bool resume = false;
      for (int64_t y = first_row_; y < area_.row_end; y += block_rows_, resume = true) {
        if constexpr (kMayHalve) {
          if (halves_) {
            HalvedBlock(y, resume);
            continue;
          }
        }
        Block(y, resume);
      }
    }
    return true;
  }

 private:
  static constexpr int64_t kLanes = HWY_LANES(float);
  /// Rows of a pixel's vectors, and how many times as many for a single channel.
  static constexpr int64_t kBaseRows = kLanes > kStripRows ? kLanes : kStripRows;
  static constexpr bool kWide = sizeof(Element) == sizeof(float);
  static constexpr int64_t kMostStripRows = sizeof(Element) == 1 || kWide ? kBaseRows : kStripRows;
  static constexpr int64_t kGroups = kRegisters == 16 ? 3 : 2;
  static constexpr int64_t kWidest = kStripWidth<Element, kWalkVectors>;

#if HWY_TARGET == HWY_AVX2
  using Operands = std::conditional_t<std::is_same_v<Element, uint8_t>, BytesApart,
                                      Neighbours<Element, kWalkVectors>>;
#else
  using Operands = Neighbours<Element, kWalkVectors>;
#endif
  /// Sums of bytes that lie apart are put in order when they are transposed.
  static constexpr bool kMayHalve = std::is_same_v<Operands, Neighbours<Element, kWalkVectors>>;

  static int64_t Up(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

  // In floats; whole cache lines.
  static int64_t Size(int64_t floats) {
    return static_cast<int64_t>(AlignedBytes(floats * sizeof(float)) / sizeof(float));
  }

  void SetPanel(int64_t begin) {
    begin_ = begin;
    end_ = std::min(begin + panel_, width_);
    const ElementRange sources = SourcesOf(axis_, begin_, end_);
    source_begin_ = sources.begin;
    source_end_ = sources.end;
    inside_.begin = std::clamp(halved_.begin, begin_, end_);
    inside_.end = std::clamp(halved_.end, begin_, end_);
  }

  // Scratch memory in bytes for the present panel width.
  int64_t MeasureMemory() {
    int64_t widest = 0;
    narrowest_ = INT64_MAX;
    for (int64_t begin = 0; begin < width_; begin += panel_) {
      SetPanel(begin);
      const int64_t elements = (source_end_ - source_begin_) * channels_;
      widest = std::max(widest, elements);
      narrowest_ = std::min(narrowest_, elements);
    }
    const int64_t outputs = (Up(panel_, kWalkSlots) + 1 + kWalkSlots) * channels_;
    open_size_ = Size((widest / kLanes + kWalkVectors) * kLanes * kWalkSlots);
    if (halves_) {
      // No lines of neighbouring rows in the same set of a cache, however wide they are.
      line_pitch_ = Up(widest + HalveRoom(channels_), 128) + 5 * kCacheLine / sizeof(float);
      columns_size_ = Size((kMostHalvedSources * channels_ + 3) * block_rows_);
      edges_size_ = Size(kMostHalvedEdges * channels_ * block_rows_);
      pixels_size_ = Size(outputs + kLanes);
      lines_size_ = line_pitch_ * (kWalkSlots + block_rows_);
    } else {
      line_pitch_ = Size(std::max(outputs, along_rows_ ? widest : 0) + kLanes);
      columns_size_ = Size(widest * block_rows_);
      edges_size_ = 0;
      pixels_size_ = Size(outputs * block_rows_);
      lines_size_ = line_pitch_ * kStripRows;
    }
    const int64_t floats = columns_size_ + pixels_size_ + open_size_ + lines_size_ + edges_size_;
    return floats * static_cast<int64_t>(sizeof(float));
  }

  // Output rows [y, y + block_rows_), as far as they are this tile's.
  void Block(int64_t y, bool resume) {
    const int64_t strips = std::min(block_rows_, Up(area_.row_end - y, strip_rows_));
    for (int64_t r = 0; r < strips; r += strip_rows_) Rows(y + r, r, resume || r > 0);
    // What is left of the last block: finite, whatever it is.
    for (int64_t r = strips; r < Up(strips, kLanes); r += kStripRows) RepeatRows(r);
    Columns(strips);
    for (int64_t r = 0; r < strips; r += kTransposedRows) Store(y + r, r);
  }

  // ---- rows ---------------------------------------------------------------------------------

  // Output rows [y, y + 8) of the panel, as rows [r, r + 8) of the columns.
  void Rows(int64_t y, int64_t r, bool resume) {
    const int64_t elements = (source_end_ - source_begin_) * channels_;
    if (elements < kWidest) {
      Strips<Neighbours<Element, 1>>(y, r, resume, elements);
    } else if (resume && along_rows_) {
      AlongRows(y, r, elements);
    } else {
      Strips<Operands>(y, r, resume, elements);
    }
  }

  // The last strip overlaps the one before.
  template <class Operands>
  void Strips(int64_t y, int64_t r, bool resume, int64_t elements) {
    constexpr int64_t kWidth = kStripWidth<Element, Operands::kCount>;
    const Element* const from = buffers_.source + source_begin_ * channels_;
    float* open = open_;
    HWY_ALIGN float strip[(kWalkSlots + kMostStripRows) * kWidth];
    for (int64_t e = 0; e < elements; e += kWidth, open += kWalkSlots * kWidth) {
      const int64_t at = std::min(e, elements - kWidth);
      const int64_t n = kMostStripRows == kStripRows ? kStripRows : strip_rows_;
      WalkRows<Operands>(rows_, from + at, buffers_.source_row, y, n, resume, open, strip, kWidth);
      const float* const rows = strip + kWalkSlots * kWidth;
      float* const to = columns_of_rows_ + at * block_rows_ + r;
#if HWY_TARGET == HWY_AVX2
      if constexpr (std::is_same_v<Operands, BytesApart>) {
        ApartRowsToColumns(rows, kWidth, n, to, block_rows_);
        continue;
      }
#endif
      RowsToColumns(rows, kWidth, n, kWidth, to, block_rows_);
    }
  }

  void AlongRows(int64_t y, int64_t r, int64_t elements) {
    for (int64_t i = 0; i < kStripRows; i += kWalkSlots) {
      AlongRow<0>(y + i, i, elements);
      AlongRow<1>(y + i + 1, i + 1, elements);
      AlongRow<2>(y + i + 2, i + 2, elements);
      AlongRow<3>(y + i + 3, i + 3, elements);
    }
    const int64_t quads = elements / 4 * 4;
    float* const to = columns_of_rows_ + r;
    RowsToColumns(lines_, line_pitch_, kStripRows, quads, to, block_rows_);
    for (int64_t e = quads; e < elements; ++e) {
      for (int64_t i = 0; i < kStripRows; ++i)
        to[e * block_rows_ + i] = lines_[i * line_pitch_ + e];
    }
  }

  template <int kSlot>
  void AlongRow(int64_t o, int64_t line, int64_t elements) {
    WalkRow<Element, kWalkVectors, kSlot>(rows_, buffers_.source + source_begin_ * channels_,
                                          buffers_.source_row, elements, o, open_,
                                          lines_ + line * line_pitch_);
  }

  void RepeatRows(int64_t r) {
    const int64_t elements = (source_end_ - source_begin_) * channels_;
    for (int64_t e = 0; e < elements; ++e) {
      float* const column = columns_of_rows_ + e * block_rows_;
      std::copy_n(column + r - kStripRows, kStripRows, column + r);
    }
  }

  // ---- columns ------------------------------------------------------------------------------

  // Of a single channel, only the vectors that hold rows.
  void Columns(int64_t rows) {
    const int64_t vectors = channels_ * block_rows_ / kLanes;
    const int64_t used = channels_ > 1 ? vectors : Up(rows, kLanes) / kLanes;
    constexpr int kMost = kRegisters == 32 ? 4 : 3;
    for (int64_t v = 0; v < used;) {
      const int64_t left = used - v;
      if (kMost == 4 && left >= 4) {
        v += Pixels<kMost>(v);
      } else if (left == 3 || left > 4) {
        v += Pixels<3>(v);
      } else {
        v += left >= 2 ? Pixels<2>(v) : Pixels<1>(v);
      }
    }
  }

  template <int kVectors>
  int64_t Pixels(int64_t v) {
    const int64_t pixel = channels_ * block_rows_;
    WalkPixels<float, kVectors>(columns_, columns_of_rows_ - source_begin_ * pixel + v * kLanes,
                                pixel, begin_, begin_ + Up(end_ - begin_, kWalkSlots),
                                pixels_ + v * kLanes);
    return kVectors;
  }

  // ---- rows that are halved -----------------------------------------------------------------

  // The last vectors of a line load what lies behind it. No denormals left by another call:
  // multiply-adds take a hundred cycles with one.
  void ClearBehindLines() {
    float* const behind = lines_ + (source_end_ - source_begin_) * channels_;
    for (int64_t i = kWalkSlots; i < kWalkSlots + block_rows_; ++i) {
      std::fill_n(behind + i * line_pitch_, HalveRoom(channels_), 0.0f);
    }
  }

  void HalvedBlock(int64_t y, bool resume) {
    const int64_t elements = (source_end_ - source_begin_) * channels_;
    if (elements < kWidest) {
      Lines<Neighbours<Element, 1>>(y, resume, elements);
    } else {
      Lines<Operands>(y, resume, elements);
    }
    const HalvedLines lines = {Line(0), line_pitch_, block_rows_, source_begin_, channels_};
    float* const right = edges_ + (inside_.begin - begin_) * channels_ * block_rows_;
    HalvedEdge(QuadsTag(), axis_, lines, begin_, inside_.begin, columns_of_rows_, edges_);
    HalvedEdge(QuadsTag(), axis_, lines, inside_.end, end_, columns_of_rows_, right);
    const int64_t end = std::min(y + block_rows_, area_.row_end);
    for (int64_t o = std::max(y, area_.row_begin); o < end; ++o) StoreHalved(o, o - y);
  }

  // Output rows [y, y + block_rows_) of the panel as lines, after scrap. The last strip overlaps
  // the one before.
  template <class Operands>
  void Lines(int64_t y, bool resume, int64_t elements) {
    constexpr int64_t kWidth = kStripWidth<Element, Operands::kCount>;
    const Element* const from = buffers_.source + source_begin_ * channels_;
    float* open = open_;
    for (int64_t e = 0; e < elements; e += kWidth, open += kWalkSlots * kWidth) {
      const int64_t at = std::min(e, elements - kWidth);
      WalkRows<Operands>(rows_, from + at, buffers_.source_row, y, block_rows_, resume, open,
                         lines_ + at, line_pitch_);
    }
  }

  const float* Line(int64_t i) const { return lines_ + (kWalkSlots + i) * line_pitch_; }

  void StoreHalved(int64_t y, int64_t i) {
    Element* const to = buffers_.destination + y * buffers_.destination_row + begin_ * channels_;
    if constexpr (std::is_same_v<Element, float>) {
      HalveLine(i, to);
    } else {
      HalveLine(i, pixels_);
      StoreRow<Element>(pixels_, (end_ - begin_) * channels_, to);
    }
  }

  void HalveLine(int64_t i, float* to) const {
    const int64_t begin = (inside_.begin - begin_) * channels_;
    const int64_t end = (inside_.end - begin_) * channels_;
    const int64_t elements = (end_ - begin_) * channels_;
    const float* edge = edges_ + i;
    for (int64_t e = 0; e < begin; ++e, edge += block_rows_) to[e] = *edge;
    if (begin < end) {
      const int64_t o = inside_.begin;
      HalvePixels(Line(i) + (axis_.first[o] - source_begin_) * channels_,
                  &axis_.weights[o * axis_.taps], end - begin, axis_.count[o], to + begin);
    }
    for (int64_t e = end; e < elements; ++e, edge += block_rows_) to[e] = *edge;
  }

  void HalvePixels(const float* from, const float* weights, int64_t elements, int32_t taps,
                   float* to) const {
    const auto halve = [&](auto channels) HWY_ATTR {
      constexpr int kChannels = decltype(channels)::value;
      if (taps == 4) return HalveElements<4, kChannels>(from, weights, elements, to);
      HalveElements<8, kChannels>(from, weights, elements, to);
    };
    if (channels_ == 1) return halve(std::integral_constant<int, 1>());
    if constexpr (kHalvesPixels) {
      if (channels_ == 3) return halve(std::integral_constant<int, 3>());
      halve(std::integral_constant<int, 4>());
    }
  }

  // ---- results ------------------------------------------------------------------------------

  // Rows [r, r + 8) of the pixels to output rows [y, y + 8), as far as they are this tile's.
  void Store(int64_t y, int64_t r) {
    const int64_t elements = (end_ - begin_) * channels_;
    const float* const from = pixels_ + kWalkSlots * channels_ * block_rows_ + r;
    Element* const to = buffers_.destination + y * buffers_.destination_row + begin_ * channels_;
    if constexpr (std::is_same_v<Element, float>) {
      if (y >= area_.row_begin && y + kTransposedRows <= area_.row_end) {
        if (asks_ && y + 2 * kTransposedRows <= area_.row_end) AskForRows(to, elements);
        const int64_t whole = elements / 4 * 4;
        ColumnsToRows(from, block_rows_, whole, to, buffers_.destination_row);
        for (int64_t i = 0; i < kTransposedRows; ++i) {
          for (int64_t e = whole; e < elements; ++e) {
            to[i * buffers_.destination_row + e] = from[e * block_rows_ + i];
          }
        }
        return;
      }
    }
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
    if constexpr (sizeof(Element) == 1) {
      if (elements >= 16 && y >= area_.row_begin && y + kTransposedRows <= area_.row_end) {
        for (int64_t e = 0; e < elements; e += 16) {
          const int64_t at = std::min(e, elements - 16);
          ColumnsToBytes(from + at * block_rows_, block_rows_, to + at, buffers_.destination_row);
        }
        return;
      }
    }
#endif
    ColumnsToRows(from, block_rows_, Up(elements, 4), lines_, line_pitch_);
    for (int64_t i = 0; i < kTransposedRows; ++i) {
      if (y + i < area_.row_begin || y + i >= area_.row_end) continue;
      StoreRow<Element>(lines_ + i * line_pitch_, elements, to + i * buffers_.destination_row);
    }
  }

  // The lines of the eight rows after those at `to`.
  void AskForRows(const Element* to, int64_t elements) const {
    constexpr int64_t kElements = kCacheLine / sizeof(Element);
    for (int64_t i = kTransposedRows; i < 2 * kTransposedRows; ++i) {
      const Element* const row = to + i * buffers_.destination_row;
      for (int64_t e = 0; e < elements; e += kElements) PrefetchForWriting(row + e);
    }
  }

  const WalkTable<float>& rows_;
  const WalkTable<float>& columns_;
  const RoundedAxis<float>& axis_;  // columns
  const HalvedRange halved_;
  const TileBuffers<Element>& buffers_;
  const TileArea area_;
  const bool along_rows_;
  const bool asks_;           // for lines that are going to be written
  const int64_t channels_;    // interleaved ones
  const int64_t width_;       // output pixels
  const bool halves_;         // columns: rows stay rows
  const int64_t strip_rows_;  // output rows made by one walk down a strip

  int64_t first_row_ = 0;   // a multiple of four; not later than the tile's
  int64_t block_rows_ = 0;  // output rows whose columns are there together
  int64_t panel_ = 0;       // output pixels worked off together
  int64_t begin_ = 0;       // of the present panel
  int64_t end_ = 0;
  int64_t source_begin_ = 0;  // source pixels that it reads
  int64_t source_end_ = 0;
  HalvedRange inside_;     // those of its pixels that are halved alike
  int64_t narrowest_ = 0;  // of all panels, in source elements

  int64_t columns_size_ = 0;  // floats
  int64_t pixels_size_ = 0;
  int64_t open_size_ = 0;
  int64_t edges_size_ = 0;
  int64_t lines_size_ = 0;
  int64_t line_pitch_ = 0;
  float* columns_of_rows_ = nullptr;  // block_rows_ for each source element of the panel
  float* pixels_ = nullptr;           // likewise for each output element, after scrap; one result
                                      // where lines are halved
  float* open_ = nullptr;             // three sums a strip that go on in the next block
  float* edges_ = nullptr;            // pixels at the edges of halved lines, transposed
  float* lines_ = nullptr;            // eight output rows; all of the block where they are halved
};

#endif  // HWY_TARGET != HWY_SCALAR

}  // namespace HWY_NAMESPACE
}  // namespace sr_ops
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
