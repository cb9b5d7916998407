// One tile: source rows through the horizontal and the vertical pass. Included once a target.
//
// Columns first (the number of rows does not shrink): each source row goes once through the
// horizontal pass into a ring of rows that stays in the near caches; output rows are combined from
// the ring. Rows first: each output row is combined from source rows, then resampled horizontally.
// Very wide images are worked off in panels of columns, so that the working memory is bounded.
// Where the plan says so, interleaved channels are worked on as planes (planes-inl.h).
#if defined(SR_OPS_KERNEL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SR_OPS_KERNEL_INL_H_
#undef SR_OPS_KERNEL_INL_H_
#else
#define SR_OPS_KERNEL_INL_H_
#endif

#include <algorithm>

#include "core/cpu/buffers.h"
#include "core/cpu/columns-inl.h"
#include "core/cpu/next_row-inl.h"
#include "core/cpu/panels.h"
#include "core/cpu/plan.h"
#include "core/cpu/planes-inl.h"
#include "core/cpu/processor.h"
#include "core/cpu/row_ring-inl.h"
#include "core/cpu/rows-inl.h"
#include "core/cpu/scalar.h"
#include "core/cpu/scratch.h"
#include "core/cpu/shrink-inl.h"
#include "hwy/cache_control.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sr_ops {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Output rows combined from four source rows in one pass.
constexpr int64_t kMostRowsTogether = 4;
/// Source rows combined in one pass over the output row; more are added in further passes.
constexpr int32_t kRowsAtOnce = 32;

/// Whether rows are streamed, and the next one's horizontal pass is interleaved. Machines of before
/// 2013 do without: the ways to do it are most of what there is to compile.
constexpr bool kManyWays = HWY_TARGET != HWY_SSE4;

/// Source rows that go through the horizontal pass by the batch, which loads a block's table once
/// for them; the ring has room for two.
constexpr int kBatch = 4;
/// Elements whose rows may. (Measured: where output elements are rounded, the horizontal pass is
/// better spread over that work.)
template <typename Element>
constexpr bool kMayBatch = std::is_same_v<Element, AccumulatorOf<Element>>;
/// Whether a horizontal pass whose table stays in registers is better spread over the work on
/// output rows nevertheless. Measured: with vectors of 64 bytes, of whose permutes and
/// multiply-adds a processor begins one of each a cycle.
template <typename A>
constexpr bool kSpreadsRepeated = HWY_LANES(A) * sizeof(A) >= 64;

template <typename Element>
class TileRunner {
 public:
  using A = AccumulatorOf<Element>;

  TileRunner(const Plan& plan, const ConstView& source, const View& destination,
             const TileArea& area, const TileBuffers<Element>& buffers)
      : plan_(plan),
        tables_(TablesOf<A>(plan)),
        planes_(tables_.planes),
        source_view_(source),
        destination_view_(destination),
        area_(area),
        buffers_(buffers),
        in_place_(buffers.dense && LoadsStayInside(tables_.columns->blocks)),
        batches_(Batches()),
        asks_(!kMayBatch<Element> || area.far || !FetchesForStores()),
        together_(!area.stream || planes_ > 1 ||
                  buffers.destination_row * sizeof(Element) % kCacheLine == 0) {}

  /// False where scratch memory is out.
  bool Run() {
    if (!ChoosePanels()) {
      // One vector of outputs reads more than fits: the scalar kernel needs no scratch memory.
      return ScalarKernel(plan_.problem.dtype)(plan_, source_view_, destination_view_, area_);
    }
    if (!GetMemory()) return false;
    for (int64_t begin = 0; begin < tables_.columns->blocks.elements; begin += panel_) {
      SetPanel(begin);
      if (plan_.rows_first) {
        RowsFirst();
      } else {
        ColumnsFirst();
      }
    }
    if (area_.stream) hwy::FlushStream();
    return true;
  }

 private:
  // ---- panels and memory --------------------------------------------------------------------

  // False where not even the smallest panel fits.
  bool ChoosePanels() {
    const ColumnTable<A>& blocks = tables_.columns->blocks;
    const int64_t unit = blocks.method == ColumnMethod::kChannels ? blocks.channels : blocks.lanes;
    ring_rows_ = plan_.rows_first ? 1 : batches_ ? 2 * kBatch : tables_.rows.taps + 1;
    panel_ = blocks.elements;
    const int64_t widest = WidestPanel(blocks, {ring_rows_, planes_, batches_, area_.stream});
    const int64_t most = std::max<int64_t>(widest / unit, 1) * unit;
    if (panel_ > most) {
      const int64_t panels = (panel_ + most - 1) / most;  // of about the same width
      panel_ = ((panel_ + panels - 1) / panels + unit - 1) / unit * unit;
    }
    while (MeasureMemory() > kScratchLimit) {
      if (panel_ <= unit) return false;
      panel_ = std::max<int64_t>(panel_ / 2 / unit, 1) * unit;
    }
    return true;
  }

  void SetPanel(int64_t begin) {
    begin_ = begin;
    end_ = std::min(begin + panel_, tables_.columns->blocks.elements);
    begin_block_ = begin_ / tables_.columns->blocks.lanes;
    end_block_ = (end_ + tables_.columns->blocks.lanes - 1) / tables_.columns->blocks.lanes;
    const ColumnTable<A>& blocks = tables_.columns->blocks;
    range_ = SourceRange(blocks, tables_.columns->axis, begin_, end_);
    // Planes share what they load of a table anyway.
    repeats_ = planes_ == 1 && blocks.Repeats(begin_block_, end_block_);
  }

  // Scratch memory in bytes for the present panel width.
  size_t MeasureMemory() {
    // A plane's rows are combined in packs of vectors.
    const int64_t room = (planes_ > 1 ? 4 : 2) * tables_.columns->blocks.lanes;
    int64_t widest = 0;  // source elements of a panel
    for (int64_t begin = 0; begin < tables_.columns->blocks.elements; begin += panel_) {
      SetPanel(begin);
      widest = std::max(widest, range_.end - range_.begin);
    }
    prepared_pitch_ = Pitch(widest + room);
    ring_pitch_ = Pitch(panel_ + room);
    const int64_t other_pitch = std::max(prepared_pitch_, ring_pitch_);
    return sizeof(A) * (prepared_pitch_ * planes_ + other_pitch + RingRowPitch() * ring_rows_);
  }

  bool GetMemory() {
    char* memory = static_cast<char*>(Scratch(MeasureMemory()));
    if (!memory) return false;
    prepared_ = reinterpret_cast<A*>(memory);
    ring_memory_ = prepared_ + prepared_pitch_ * planes_;
    other_ = ring_memory_ + RingRowPitch() * ring_rows_;
    return true;
  }

  // Accumulators from one row to the next where rows of this many are kept.
  static int64_t Pitch(int64_t elements) {
    return static_cast<int64_t>(AlignedBytes(elements * sizeof(A)) / sizeof(A));
  }
  int64_t RingRowPitch() const { return ring_pitch_ * planes_; }

  // ---- source rows --------------------------------------------------------------------------

  const Element* SourceRow(int64_t row) const {
    return buffers_.source + row * buffers_.source_row;
  }

  int64_t ClampRow(int64_t row) const { return std::clamp<int64_t>(row, 0, tables_.rows.in - 1); }

  // The part of the row that lies inside the image.
  ElementRange Inside() const {
    return {std::max<int64_t>(range_.begin, 0),
            std::min(range_.end, tables_.columns->blocks.source_elements)};
  }

  /// Fills what the panel's loads reach beyond the image with copies of the edge pixels.
  void PadEdges(A* row) const {
    const int64_t channels = tables_.columns->blocks.channels;
    const ElementRange inside = Inside();
    for (int64_t e = inside.begin - 1; e >= range_.begin; --e) {
      row[e - range_.begin] = row[e + channels - range_.begin];
    }
    for (int64_t e = inside.end; e < range_.end; ++e) {
      row[e - range_.begin] = e >= channels ? row[e - channels - range_.begin] : A(0);
    }
  }

  static bool LoadsStayInside(const ColumnTable<A>& blocks) {
    return blocks.method != ColumnMethod::kShifted &&
           (blocks.source_elements >= blocks.lanes || blocks.method == ColumnMethod::kChannels);
  }

  /// Source elements [range_.begin, range_.end) as accumulators, element e at [e]; of further
  /// planes prepared_pitch_ behind.
  const A* PreparedRow(int64_t row) const {
    const Element* from = SourceRow(row);
    if constexpr (std::is_same_v<A, Element>) {
      if (in_place_) return from;
    }
    return PrepareRow(from);
  }

  HWY_NOINLINE const A* PrepareRow(const Element* from) const {
    const ElementRange inside = Inside();
    A* to = prepared_ - range_.begin;
    if (planes_ > 1) {
      PreparePlanes(from, inside, to + inside.begin);
    } else if (buffers_.dense) {
      WidenRow(from + inside.begin, inside.end - inside.begin, to + inside.begin);
    } else {
      GatherRow(buffers_, tables_.columns->blocks.channels, from, inside, to + inside.begin);
    }
    for (int64_t c = 0; c < planes_; ++c) PadEdges(prepared_ + c * prepared_pitch_);
    return to;
  }

  void PreparePlanes(const Element* from, const ElementRange& range, A* to) const {
    if constexpr (kTakesPlanesApart<Element>) {
      const Element* const pixels = from + range.begin * planes_;
      const int64_t count = range.end - range.begin;
      if (buffers_.dense && planes_ == 3) {
        return WidenPlanes<Element, 3>(pixels, count, to, prepared_pitch_);
      }
      if (buffers_.dense) return WidenPlanes<Element, 4>(pixels, count, to, prepared_pitch_);
    }
    for (int64_t c = 0; c < planes_; ++c) {
      GatherRow(buffers_, tables_.columns->blocks.channels, from + c * buffers_.source_channel,
                range, to + c * prepared_pitch_);
    }
  }

  // ---- columns first ------------------------------------------------------------------------

  // Whether source rows come by the batch.
  bool Batches() const {
    const ColumnTable<A>& blocks = tables_.columns->blocks;
    if (!kMayBatch<Element> || !in_place_ || tables_.rows.taps != 4) return false;
    if (kManyWays && (area_.far || (kSpreadsRepeated<A> && blocks.Repeats()))) return false;
    return blocks.method != ColumnMethod::kChannels;
  }

  // Whether they come one by one, between the vectors of output rows.
  bool InBetween() const {
    return kManyWays && (!kMayBatch<Element> || area_.far || (kSpreadsRepeated<A> && repeats_));
  }

  // The next source rows up to `last`, or beyond, but none that the tile does not need. All come by
  // the batch but for the tile's last ones, so that each batch is one piece of the ring.
  void FillRows(int64_t last) {
    while (ring_.next() <= last) {
      if (batches_ && LastSource(area_.row_end - 1) - ring_.next() >= kBatch - 1) {
        FillBatch();
      } else {
        FillNextRow();
      }
    }
  }

  void FillBatch() {
    if constexpr (kMayBatch<Element>) {
      const Element* const source = SourceRow(ring_.next());
      A* const to = ring_.Take(kBatch);
      ResampleBlocks<kBatch>(TagOf<Element>(), tables_.columns->blocks, begin_block_, end_block_,
                             PlaneRows<A, kBatch>{source, to, buffers_.source_row, ring_pitch_});
    }
  }

  HWY_NOINLINE void FillNextRow() {
    const A* const source = PreparedRow(ring_.next());
    A* const to = ring_.Take();
    for (int64_t c = 0; c < planes_; ++c) {
      ResampleColumns(TagOf<Element>(), tables_.columns->blocks, tables_.columns->axis, begin_,
                      end_, source + c * prepared_pitch_, to + c * ring_pitch_);
    }
  }

  OutputRows<Element> Output(int64_t y) const {
    return {buffers_.destination + y * buffers_.destination_row + begin_ * planes_,
            buffers_.destination_row, end_ - begin_, most_rows_, asks_};
  }

  void ColumnsFirst() {
    const RoundedAxis<A>& rows = tables_.rows;
    most_rows_ = std::min<int64_t>((rows.out + rows.in - 1) / rows.in, kMostRowsTogether);
    ring_ =
        RowRing<A>(ring_memory_, ring_rows_, RingRowPitch(), ClampRow(rows.first[area_.row_begin]));
    for (int64_t y = area_.row_begin; y < area_.row_end;) {
      ring_.SkipTo(ClampRow(rows.first[y]));
      FillRows(LastSource(y));
      y += rows.taps == 4 && rows.count[y] == 4 ? FourTapRows(y) : AnyTapRow(y);
    }
  }

  // The last source row of output row y; it never moves back.
  int64_t LastSource(int64_t y) const {
    return ClampRow(tables_.rows.first[y] + tables_.rows.count[y] - 1);
  }

  // Output row y from the ring, any number of taps.
  int64_t AnyTapRow(int64_t y) {
    const OutputRows<Element> out = Output(y);
    const auto row_at = [&](int64_t row) -> const A* { return ring_.Row(row); };
    CombineAny<A>(y, out.length, row_at, kRowsAtOnce, other_);
    StoreRow<Element>(other_, out.length, out.first);
    return 1;
  }

  // Output row y, and those after it that share its source rows where they can be stored together.
  int64_t FourTapRows(int64_t y) {
    const RoundedAxis<A>& rows = tables_.rows;
    const OutputRows<Element> out = Output(y);
    int64_t group = 1;
    while (together_ && group < kMostRowsTogether && y + group < area_.row_end &&
           rows.first[y + group] == rows.first[y] && rows.count[y + group] == 4) {
      ++group;
    }
    FourRows<A> from;
    ring_.Four(rows.first[y], rows.in, from.rows);
    from.weights = &rows.weights[static_cast<size_t>(y) * 4];
    const int64_t after = y + group;
    const bool one_more_row =
        InBetween() && after < area_.row_end && LastSource(after) == ring_.next();
    if constexpr (kTakesPlanesApart<Element>) {
      if (planes_ == 3) CombineAndFill<3>(from, out, group, one_more_row);
      if (planes_ == 4) CombineAndFill<4>(from, out, group, one_more_row);
      if (planes_ > 1) return group;
    }
    CombineAndFill<1>(from, out, group, one_more_row);
    return group;
  }

  // `group` output rows and, where the following ones need it, the next source row's horizontal
  // pass in between.
  template <int kPlanes>
  void CombineAndFill(const FourRows<A>& from, const OutputRows<Element>& out, int64_t group,
                      bool fill) {
    const ColumnMethod method = tables_.columns->blocks.method;
    if constexpr (kManyWays) {
      if (fill && method == ColumnMethod::kOneLoad) {
        if constexpr (kPlanes == 1) {
          if (repeats_) {
            return Combine<1, NextRowMethod::kRepeated>(from, out, group, NextSource<1>());
          }
        }
        return Combine<kPlanes, NextRowMethod::kOneLoad>(from, out, group, NextSource<kPlanes>());
      }
      if (fill && method == ColumnMethod::kLoadPerTap) {
        return Combine<kPlanes, NextRowMethod::kLoadPerTap>(from, out, group,
                                                            NextSource<kPlanes>());
      }
    }
    NextRowSource<A, kPlanes> none;
    none.table = &tables_.columns->blocks;
    Combine<kPlanes, NextRowMethod::kOneLoad>(from, out, group, none);
  }

  // The next source row, to be filled meanwhile.
  template <int kPlanes>
  NextRowSource<A, kPlanes> NextSource() {
    const A* const source = PreparedRow(ring_.next());
    return {&tables_.columns->blocks,
            {source, ring_.Take(), prepared_pitch_, ring_pitch_},
            begin_block_,
            end_block_};
  }

  template <int kPlanes, NextRowMethod kMethod>
  void Combine(const FourRows<A>& from, const OutputRows<Element>& out, int64_t group,
               const NextRowSource<A, kPlanes>& next) const {
    const auto combine = [&](auto count) {
      constexpr int kCount = decltype(count)::value;
      using Next = NextRow<A, kMethod, kPlanes>;
      if constexpr (kPlanes > 1) {
        CombinePlanes<Element, kPlanes, kCount, Next>(from, ring_pitch_, out, next);
      } else {
        CombineOnePlane<kCount, kMethod, Next>(from, out, next);
      }
    };
    switch (group) {
      case 1: return combine(std::integral_constant<int, 1>());
      case 2: return combine(std::integral_constant<int, 2>());
      case 3: return combine(std::integral_constant<int, 3>());
      default: return combine(std::integral_constant<int, 4>());
    }
  }

  template <int kCount, NextRowMethod kMethod, class Next, class Source>
  void CombineOnePlane(const FourRows<A>& from, const OutputRows<Element>& out,
                       const Source& next) const {
    if constexpr (kManyWays) {
      if (area_.stream) {
        return CombineFourRows<Element, kCount, RowStores::kStreamed, Next>(from, out, next);
      }
    }
    if constexpr (kMovesStores<Element>) {
      if (WorthMoving(out)) {
        return CombineFourRows<Element, kCount, RowStores::kMoved, Next>(from, out, next);
      }
    }
    CombineFourRows<Element, kCount, RowStores::kPlain, Next>(from, out, next);
  }

  // ---- any number of taps -------------------------------------------------------------------

  /// to[0, length) = output row y of the vertical pass, from rows that `row_at` finds.
  template <typename T, class RowAt>
  void CombineAny(int64_t y, int64_t length, const RowAt& row_at, int32_t rows_at_once,
                  A* to) const {
    const RoundedAxis<A>& rows = tables_.rows;
    const A* weights = &rows.weights[static_cast<size_t>(y) * rows.taps];
    const T* from[kRowsAtOnce];
    int32_t done = 0;
    do {
      const int32_t now = std::min(rows.count[y] - done, rows_at_once);
      for (int32_t k = 0; k < now; ++k) from[k] = row_at(ClampRow(rows.first[y] + done + k));
      AccumulateRows<T>(from, weights + done, now, done == 0, length, to);
      done += now;
    } while (done < rows.count[y]);
  }

  // ---- rows first ---------------------------------------------------------------------------

  void RowsFirst() {
    const ElementRange inside = Inside();
    const int64_t length = inside.end - inside.begin;
    A* const combined = prepared_ + (inside.begin - range_.begin);
    for (int64_t y = area_.row_begin; y < area_.row_end; ++y) {
      if (buffers_.dense) {
        const auto row_at = [&](int64_t row) { return SourceRow(row) + inside.begin; };
        CombineAny<Element>(y, length, row_at, kRowsAtOnce, combined);
      } else {
        // Strided elements: one row at a time through a dense copy.
        const auto row_at = [&](int64_t row) -> const A* {
          GatherRow(buffers_, tables_.columns->blocks.channels, SourceRow(row), inside, other_);
          return other_;
        };
        CombineAny<A>(y, length, row_at, 1, combined);
      }
      PadEdges(prepared_);
      const OutputRows<Element> out = Output(y);
      ResampleColumns(TagOf<Element>(), tables_.columns->blocks, tables_.columns->axis, begin_,
                      end_, static_cast<const A*>(prepared_ - range_.begin), ring_memory_);
      StoreRow<Element>(ring_memory_, out.length, out.first);
    }
  }

  const Plan& plan_;
  const Tables<A>& tables_;
  const int64_t planes_;
  const ConstView& source_view_;
  const View& destination_view_;
  const TileArea area_;
  const TileBuffers<Element>& buffers_;
  const bool in_place_;  // source rows need no preparing
  const bool batches_;   // source rows go by the batch
  const bool asks_;      // for lines that are going to be written
  // Only whole cache lines are streamed: rows together only if they are whole lines apart.
  const bool together_;

  int64_t panel_ = 0;                        // output elements worked off together
  int64_t begin_ = 0, end_ = 0;              // of the present panel
  int64_t begin_block_ = 0, end_block_ = 0;  // likewise, in vectors
  ElementRange range_{0, 0};                 // source elements that its loads touch
  bool repeats_ = false;  // it has enough blocks that share their table for kRepeated

  int64_t ring_rows_ = 0;
  int64_t ring_pitch_ = 0;      // of a plane's row, in accumulators
  int64_t prepared_pitch_ = 0;  // likewise
  int64_t most_rows_ = 0;       // output rows that share their source rows
  A* prepared_ = nullptr;       // one source row, widened and padded
  A* other_ = nullptr;          // one more row
  A* ring_memory_ = nullptr;
  RowRing<A> ring_;
};

template <typename Element>
bool RunTile(const Plan& plan, const ConstView& source, const View& destination,
             const TileArea& area) {
  const auto& tables = TablesOf<AccumulatorOf<Element>>(plan);
  const TileBuffers<Element> buffers(plan.problem, tables.columns->blocks.channels * tables.planes,
                                     source, destination, area.plane);
#if HWY_TARGET != HWY_SCALAR
  if constexpr (std::is_same_v<AccumulatorOf<Element>, float>) {
    Shrinker<Element> shrinker(plan, buffers, area);
    if (shrinker.Prepare()) return shrinker.Run();
  }
#endif
  return TileRunner<Element>(plan, source, destination, area, buffers).Run();
}

}  // namespace HWY_NAMESPACE
}  // namespace sr_ops
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
