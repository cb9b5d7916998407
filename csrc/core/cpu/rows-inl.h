// The vertical pass: rows of accumulators combined into output rows. Included once a target.
#if defined(SR_OPS_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SR_OPS_ROWS_INL_H_
#undef SR_OPS_ROWS_INL_H_
#else
#define SR_OPS_ROWS_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "core/cpu/vector_io-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sr_ops {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <typename Element>
using AccumulatorOf = typename VectorIo<Element>::Accumulator;
template <typename Element>
using TagOf = hn::ScalableTag<AccumulatorOf<Element>>;

constexpr size_t kCacheLine = 64;  // bytes

/// Asks for a cache line that is going to be overwritten.
HWY_INLINE void PrefetchForWriting(const void* line) {
#if HWY_COMPILER_GCC || HWY_COMPILER_CLANG
#if HWY_ARCH_X86
  // The builtin falls back to a read prefetch where the target's flags lack prefetchw; processors
  // without the instruction execute it as a no-op.
  __asm__ volatile("prefetchw %0" : : "m"(*static_cast<const char*>(line)));
#else
  __builtin_prefetch(line, 1, 3);
#endif
#else
  (void)line;
#endif
}

/// How far ahead the lines at the ends of streamed rows are asked for.
constexpr int64_t kStreamRowsAhead = 4;

/// Asks for the line that holds a row's boundary, if it is inside the line.
template <typename Element>
HWY_INLINE void PrefetchBoundary(const Element* boundary) {
  if (reinterpret_cast<uintptr_t>(boundary) % kCacheLine != 0) PrefetchForWriting(boundary);
}

/// Four source rows, and the weights of up to four output rows that share them.
template <typename A>
struct FourRows {
  const A* rows[4];  // with a vector of room, whatever it holds, before and behind
  const A* weights;  // 4 for each output row
};

/// Output rows as they lie in memory.
template <typename Element>
struct OutputRows {
  Element* first;
  int64_t stride;  // elements from one output row to the next
  int64_t length;  // elements
  int64_t most;    // rows that any group has: so far ahead each row's lines are asked for, once
  bool ask;        // whether they are (see FetchesForStores)
};

/// Four rows in registers: weights broadcast, one sum for each of kCount output rows.
template <int kCount, class D>
struct FourRowsSum {
  using A = hn::TFromD<D>;
  using V = hn::Vec<D>;
  const A* row0;
  const A* row1;
  const A* row2;
  const A* row3;
  V w[kCount][4];

  HWY_INLINE explicit FourRowsSum(const FourRows<A>& from)
      : row0(from.rows[0]), row1(from.rows[1]), row2(from.rows[2]), row3(from.rows[3]) {
    for (int g = 0; g < kCount; ++g) {
      for (int k = 0; k < 4; ++k) w[g][k] = hn::Set(D(), from.weights[4 * g + k]);
    }
  }

  /// `receive(g, sum)` gets the vector of elements from e on of each output row g.
  template <class Receive>
  HWY_INLINE void At(int64_t e, const Receive& receive) const {
    const V r0 = LoadOnce(row0 + e);
    const V r1 = LoadOnce(row1 + e);
    const V r2 = LoadOnce(row2 + e);
    const V r3 = LoadOnce(row3 + e);
    for (int g = 0; g < kCount; ++g) {
      V sum = hn::Mul(w[g][0], r0);
      sum = hn::MulAdd(w[g][1], r1, sum);
      sum = hn::MulAdd(w[g][2], r2, sum);
      receive(g, hn::MulAdd(w[g][3], r3, sum));
    }
  }

 private:
  // GCC would load again for each output row, and there is a load to be had for each
  // multiply-add, but none to spare.
  static HWY_INLINE V LoadOnce(const A* from) {
    V v = hn::LoadU(D(), from);
#if HWY_COMPILER_GCC_ACTUAL && HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
    if constexpr (kCount > 1) __asm__("" : "+v"(v.raw));
#endif
    return v;
  }
};

/// What is stored at once: a pack, or the vector of accumulators itself where there are none.
template <typename Element, bool kPacks = (VectorIo<Element>::kPack > 1)>
struct Stored {
  using Vec = hn::Vec<typename VectorIo<Element>::PackTag>;
  template <bool kStream>
  static HWY_INLINE void Store(Vec v, Element* to) {
    VectorIo<Element>::template StorePack<kStream>(v, to);
  }
};
template <typename Element>
struct Stored<Element, false> {
  using Vec = hn::Vec<TagOf<Element>>;
  template <bool kStream>
  static HWY_INLINE void Store(Vec v, Element* to) {
    if constexpr (kStream) {
      VectorIo<Element>::Stream(v, to);
    } else {
      VectorIo<Element>::Store(v, to);
    }
  }
};

/// kPack vectors of each of kCount output rows, from element e on, rounded and packed.
template <typename Element, int kCount, class Sums, class Packed>
HWY_INLINE void CombinePack(const Sums& rows, int64_t e, Packed (&packed)[kCount]) {
  using Io = VectorIo<Element>;
  using V = hn::Vec<TagOf<Element>>;
  if constexpr (Io::kPack == 1) {
    rows.At(e, [&](int g, V sum) HWY_ATTR { packed[g] = sum; });
  } else {
    const int64_t n = static_cast<int64_t>(hn::Lanes(TagOf<Element>()));
    const auto pack_two = [&](int64_t at, auto* two) HWY_ATTR {
      V first[kCount];
      rows.At(at, [&](int g, V sum) HWY_ATTR { first[g] = sum; });
      rows.At(at + n, [&](int g, V sum) HWY_ATTR { two[g] = Io::PackTwo(first[g], sum); });
    };
    if constexpr (Io::kPack == 2) {
      pack_two(e, packed);
    } else {
      hn::Vec<typename Io::HalfTag> low[kCount], high[kCount];
      pack_two(e, low);
      pack_two(e + 2 * n, high);
      for (int g = 0; g < kCount; ++g) packed[g] = Io::Pack(low[g], high[g]);
    }
  }
}

/// How output rows are stored: as vectors come; past the caches; or as vectors come, but moved to
/// where vectors begin in memory.
enum class RowStores { kPlain, kStreamed, kMoved };

/// Whether kMoved is there for these elements. Of vectors as long as a cache line, each that does
/// not begin at one lies on two, which takes longer than putting aligned ones together. (Measured:
/// of shorter vectors it does not.)
template <typename Element>
constexpr bool kMovesStores =
    std::is_same_v<Element, AccumulatorOf<Element>>&& HWY_LANES(AccumulatorOf<Element>) *
        sizeof(Element) >=
    kCacheLine;

/// Whether rows are worth being moved: they are not aligned, long for the vectors at their ends,
/// and the processor does not do as well by itself.
template <typename Element>
HWY_INLINE bool WorthMoving(const OutputRows<Element>& rows) {
  if constexpr (kMovesStores<Element>) {
    const uintptr_t past = reinterpret_cast<uintptr_t>(rows.first) |
                           static_cast<uintptr_t>(rows.stride) * sizeof(Element);
    return rows.ask && past % kCacheLine != 0 &&
           rows.length >= 16 * HWY_LANES(AccumulatorOf<Element>);
  }
  (void)rows;
  return false;
}

/// The stores of kMoved: each vector of a row is put together from two neighbouring sums.
template <typename Element, int kCount>
class MovedStores {
 public:
  using D = TagOf<Element>;
  using A = AccumulatorOf<Element>;
  using V = hn::Vec<D>;
  static constexpr int64_t n = HWY_LANES(A);

  HWY_INLINE explicit MovedStores(const OutputRows<Element>& rows) : d_() {
    const hn::RebindToSigned<D> di;
    using I = hn::TFromD<decltype(di)>;
    for (int g = 0; g < kCount; ++g) {
      Element* const first = rows.first + g * rows.stride;
      const auto past = static_cast<int64_t>(reinterpret_cast<uintptr_t>(first) / sizeof(Element));
      head_[g] = (n - past % n) % n;
      at_[g] = first + head_[g] - n;
      turn_[g] = hn::And(hn::Add(hn::Iota(di, 0), hn::Set(di, static_cast<I>(head_[g]))),
                         hn::Set(di, static_cast<I>(n - 1)));
      earlier_[g] = hn::FirstN(d_, static_cast<size_t>(n - head_[g]));
    }
  }

  /// The row's first vector: what lies before the first place where a vector begins.
  HWY_INLINE void Begin(int g, V sum) {
    last_[g] = Turned(g, sum);
    if (head_[g] == 0) return;
    StoreLanes<Element>(last_[g], static_cast<size_t>(n - head_[g]), static_cast<size_t>(n),
                        at_[g]);
  }
  /// The vector of elements from e on, after that from e - n on.
  HWY_INLINE void Next(int g, V sum, int64_t e) {
    const V turned = Turned(g, sum);
    hn::Store(hn::IfThenElse(earlier_[g], last_[g], turned), d_, at_[g] + e);
    last_[g] = turned;
  }
  /// After the vectors up to element e.
  HWY_INLINE void End(int g, int64_t e) const {
    StoreLanes<Element>(last_[g], 0, static_cast<size_t>(n - head_[g]), at_[g] + e);
  }

 private:
  HWY_INLINE V Turned(int g, V sum) const {
    return hn::TableLookupLanes(sum, hn::IndicesFromVec(d_, turn_[g]));
  }

  D d_;
  Element* at_[kCount];   // the first place, a vector earlier
  int64_t head_[kCount];  // elements before it
  hn::Vec<hn::RebindToSigned<D>> turn_[kCount];
  decltype(hn::FirstN(D(), 0)) earlier_[kCount];
  V last_[kCount];
};

/// kCount output rows at once: each source vector is loaded once for all of them. Between the
/// vectors, `next` computes the horizontal pass of the source row that the following output rows
/// need, which hides the latency of the stores.
template <typename Element, int kCount, RowStores kStores, class Next, class NextSource>
HWY_NOINLINE void CombineFourRows(const FourRows<AccumulatorOf<Element>>& from,
                                  const OutputRows<Element>& out, const NextSource& next_source) {
  using Io = VectorIo<Element>;
  constexpr bool kStream = kStores == RowStores::kStreamed;
  constexpr bool kMove = kStores == RowStores::kMoved;
  Next next(next_source);
  // Locals, because a vector store may alias anything that has an address.
  Element* const first = out.first;
  const int64_t stride = out.stride;
  const int64_t length = out.length;
  const int64_t ahead = std::max<int64_t>(out.most, kCount);
  const bool ask = out.ask;
  const TagOf<Element> d;
  using V = hn::Vec<decltype(d)>;
  const int64_t n = static_cast<int64_t>(hn::Lanes(d));
  const FourRowsSum<kCount, TagOf<Element>> rows(from);
  const auto combine = [&](int64_t e, const auto& store) HWY_ATTR {
    rows.At(e, [&](int g, V sum) HWY_ATTR { store(sum, first + g * stride + e); });
  };
  const auto store = [](V v, Element* to) HWY_ATTR { Io::Store(v, to); };
  if (length < n) {
    const size_t rest = static_cast<size_t>(length);
    combine(0, [&](V v, Element* to) HWY_ATTR { StoreLanes<Element>(v, 0, rest, to); });
    return next.Finish();
  }
  constexpr int64_t kPack = Io::kPack;
  struct None {
    explicit None(const OutputRows<Element>&) {}
  };
  std::conditional_t<kMove, MovedStores<Element, kCount>, None> moved(out);
  const auto combine_pack = [&](int64_t e) HWY_ATTR {
    if constexpr (kMove) {
      rows.At(e, [&](int g, V sum) HWY_ATTR { moved.Next(g, sum, e); });
    } else {
      typename Stored<Element>::Vec packed[kCount];
      CombinePack<Element>(rows, e, packed);
      for (int g = 0; g < kCount; ++g) {
        Stored<Element>::template Store<kStream>(packed[g], first + g * stride + e);
      }
    }
  };
  int64_t e = 0;  // as the ring's rows are aligned: there are more loads from them than stores
  constexpr int64_t kLine = kCacheLine / sizeof(Element);
  constexpr int64_t kVectors =  // in a cache line
      std::max<int64_t>(kLine / HWY_LANES(AccumulatorOf<Element>), 1);
  if constexpr (kStream) {
    // A line must not be written both ways, nor touched where it is not written: only whole lines
    // are streamed, and the vectors at the ends have lanes of their own line alone. (Of all rows:
    // they are whole lines apart.) Those lines come from memory, and the streams wait for them:
    // asked for a few rows ahead, they are there.
    for (int g = 0; g < kCount; ++g) {
      Element* const ahead = first + (g + kStreamRowsAhead) * stride;
      PrefetchBoundary(ahead);
      PrefetchBoundary(ahead + length);
    }
    const int64_t past = static_cast<int64_t>(reinterpret_cast<uintptr_t>(first) / sizeof(Element));
    e = (n - past % n) % n;
    if (e != 0) {
      const size_t none = static_cast<size_t>(n - e);
      combine(e - n, [&](V v, Element* to) HWY_ATTR { StoreLanes<Element>(v, none, n, to); });
    }
    const int64_t first_line = (kLine - past % kLine) % kLine;
    for (; e < first_line && e + n <= length; e += n) combine(e, store);
  }
  if constexpr (kMove) {
    rows.At(0, [&](int g, V sum) HWY_ATTR { moved.Begin(g, sum); });
    e = n;
  }
  const auto line = [&](int64_t at, const auto& after_pack) HWY_ATTR {
    if (!kStream && ask) {
      for (int g = 0; g < kCount; ++g) PrefetchForWriting(first + (g + ahead) * stride + at);
    }
    if constexpr (kStream && kVectors == 2 * kPack) {
      // Both halves of each row's line one after the other: a half that waits while other rows are
      // written is likely to go to memory alone.
      typename Stored<Element>::Vec low[kCount], high[kCount];
      CombinePack<Element>(rows, at, low);
      after_pack();
      CombinePack<Element>(rows, at + kPack * n, high);
      for (int g = 0; g < kCount; ++g) {
        Element* const to = first + g * stride + at;
        Stored<Element>::template Store<true>(low[g], to);
        Stored<Element>::template Store<true>(high[g], to + kPack * n);
      }
      return after_pack();
    }
    for (int64_t v = 0; v < kVectors; v += kPack) {
      combine_pack(at + v * n);
      after_pack();
    }
  };
  // As long as there are blocks to interleave, then without them: one condition for each line.
  const int64_t lines = (length - e) / (kVectors * n);
  const int64_t both = std::min(lines, next.left() / kVectors);
  for (const int64_t end = e + both * kVectors * n; e < end; e += kVectors * n) {
    line(e, [&]() HWY_ATTR {
      for (int64_t b = 0; b < kPack; ++b) next.Block();
    });
  }
  for (; e + kVectors * n <= length; e += kVectors * n) line(e, []() HWY_ATTR {});
  if constexpr (kMove) {
    for (; e + n <= length; e += n) combine_pack(e);
    for (int g = 0; g < kCount; ++g) moved.End(g, e);
  }
  for (; e + n <= length; e += n) combine(e, store);
  if (e < length) {
    const size_t rest = static_cast<size_t>(length - e);
    if constexpr (kStream) {
      combine(e, [&](V v, Element* to) HWY_ATTR { StoreLanes<Element>(v, 0, rest, to); });
    } else {
      combine(length - n, store);
    }
  }
  next.Finish();
}

/// `to[e] = sum over k of weights[k] * rows[k][e]` for e < length, in whole vectors: `to` needs a
/// vector of room beyond `length`. With `start` false the sum goes on from what `to` holds.
template <typename Element>
HWY_NOINLINE void AccumulateRows(const Element* const* rows, const AccumulatorOf<Element>* weights,
                                 int32_t count, bool start, int64_t length,
                                 AccumulatorOf<Element>* to) {
  const TagOf<Element> d;
  using V = hn::Vec<decltype(d)>;
  const int64_t n = static_cast<int64_t>(hn::Lanes(d));
  // Element e of the row: all of it but, at its end, only what is there.
  const auto load = [&](int32_t k, int64_t e) HWY_ATTR {
    if (e + n <= length) return VectorIo<Element>::Load(rows[k] + e);
    Element last[HWY_MAX_BYTES / sizeof(AccumulatorOf<Element>)] = {};
    std::memcpy(last, rows[k] + e, (length - e) * sizeof(Element));
    return VectorIo<Element>::Load(last);
  };
  const auto begin = [&](int64_t e) HWY_ATTR {
    if (!start) return hn::LoadU(d, to + e);
    return count > 0 ? hn::Mul(hn::Set(d, weights[0]), load(0, e)) : hn::Zero(d);
  };
  const int32_t second = start ? 1 : 0;
  int64_t e = 0;
  for (; e + 4 * n <= length; e += 4 * n) {
    V s0 = begin(e), s1 = begin(e + n), s2 = begin(e + 2 * n), s3 = begin(e + 3 * n);
    for (int32_t k = second; k < count; ++k) {
      const V w = hn::Set(d, weights[k]);
      const Element* row = rows[k] + e;
      s0 = hn::MulAdd(w, VectorIo<Element>::Load(row), s0);
      s1 = hn::MulAdd(w, VectorIo<Element>::Load(row + n), s1);
      s2 = hn::MulAdd(w, VectorIo<Element>::Load(row + 2 * n), s2);
      s3 = hn::MulAdd(w, VectorIo<Element>::Load(row + 3 * n), s3);
    }
    hn::StoreU(s0, d, to + e);
    hn::StoreU(s1, d, to + e + n);
    hn::StoreU(s2, d, to + e + 2 * n);
    hn::StoreU(s3, d, to + e + 3 * n);
  }
  for (; e < length; e += n) {
    V sum = begin(e);
    for (int32_t k = second; k < count; ++k) {
      sum = hn::MulAdd(hn::Set(d, weights[k]), load(k, e), sum);
    }
    hn::StoreU(sum, d, to + e);
  }
}

/// A row that is there already, in the place of FourRowsSum.
template <typename A>
struct OneRow {
  const A* row;
  template <class Receive>
  HWY_INLINE void At(int64_t e, const Receive& receive) const {
    receive(0, hn::LoadU(hn::ScalableTag<A>(), row + e));
  }
};

/// Rounds a row of accumulators to elements.
template <typename Element>
HWY_NOINLINE void StoreRow(const AccumulatorOf<Element>* from, int64_t length, Element* to) {
  using Io = VectorIo<Element>;
  const TagOf<Element> d;
  const int64_t n = static_cast<int64_t>(hn::Lanes(d));
  int64_t e = 0;
  if constexpr (Io::kPack > 1) {
    const OneRow<AccumulatorOf<Element>> row{from};
    for (; e + Io::kPack * n <= length; e += Io::kPack * n) {
      hn::Vec<typename Io::PackTag> packed[1];
      CombinePack<Element, 1>(row, e, packed);
      Io::template StorePack<false>(packed[0], to + e);
    }
  }
  for (; e + n <= length; e += n) VectorIo<Element>::Store(hn::LoadU(d, from + e), to + e);
  if (e == length) return;
  HWY_ALIGN AccumulatorOf<Element> last[HWY_MAX_BYTES / sizeof(AccumulatorOf<Element>)] = {};
  std::memcpy(last, from + e, (length - e) * sizeof(last[0]));
  StoreLanes<Element>(hn::Load(d, last), 0, static_cast<size_t>(length - e), to + e);
}

#if HWY_TARGET == HWY_WASM
/// Four bytes as 32-bit integers to floats. As the low bits of 2^23, whose unit is 1: the LLVM of
/// emscripten 3.1.6 turns a conversion of widened bytes into sixteen scalar ones.
HWY_INLINE v128_t FloatsOf(v128_t integers) {
  const v128_t bias = wasm_f32x4_splat(8388608.0f);  // 2^23
  return wasm_f32x4_sub(wasm_v128_or(integers, bias), bias);
}

/// Sixteen bytes to accumulators: Highway loads four bytes at a time by way of memory.
HWY_INLINE void WidenSixteen(const uint8_t* from, float* to) {
  const v128_t bytes = wasm_v128_load(from);
  const v128_t low = wasm_u16x8_extend_low_u8x16(bytes);
  const v128_t high = wasm_u16x8_extend_high_u8x16(bytes);
  wasm_v128_store(to, FloatsOf(wasm_u32x4_extend_low_u16x8(low)));
  wasm_v128_store(to + 4, FloatsOf(wasm_u32x4_extend_high_u16x8(low)));
  wasm_v128_store(to + 8, FloatsOf(wasm_u32x4_extend_low_u16x8(high)));
  wasm_v128_store(to + 12, FloatsOf(wasm_u32x4_extend_high_u16x8(high)));
}
#endif

/// Widens a row of dense elements to accumulators.
template <typename Element>
HWY_NOINLINE void WidenRow(const Element* from, int64_t length, AccumulatorOf<Element>* to) {
  const TagOf<Element> d;
  const int64_t n = static_cast<int64_t>(hn::Lanes(d));
  int64_t e = 0;
#if HWY_TARGET == HWY_WASM
  if constexpr (std::is_same_v<Element, uint8_t>) {
    for (; e + 16 <= length; e += 16) WidenSixteen(from + e, to + e);
  }
#endif
  for (; e + n <= length; e += n) hn::StoreU(VectorIo<Element>::Load(from + e), d, to + e);
  for (; e < length; ++e) to[e] = ToAccumulator(from[e]);
}

}  // namespace HWY_NAMESPACE
}  // namespace sr_ops
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
