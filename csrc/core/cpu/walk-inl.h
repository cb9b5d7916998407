// One pass along an axis that shrinks (see walk_table.h): down source rows, or along the pixels of
// rows that lie transposed. Included once a target.
#if defined(SR_OPS_WALK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SR_OPS_WALK_INL_H_
#undef SR_OPS_WALK_INL_H_
#else
#define SR_OPS_WALK_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "core/cpu/rows-inl.h"
#include "core/cpu/vector_io-inl.h"
#include "core/cpu/walk_table.h"
#include "hwy/cache_control.h"
#include "hwy/highway.h"

// GCC would make a second copy of a large function for each argument that some calls know.
#ifndef SR_OPS_ONE_COPY
#if HWY_COMPILER_GCC_ACTUAL
#define SR_OPS_ONE_COPY __attribute__((noclone))
#else
#define SR_OPS_ONE_COPY
#endif
#endif

HWY_BEFORE_NAMESPACE();
namespace sr_ops {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_ARCH_X86 && HWY_TARGET > HWY_AVX3
constexpr int kRegisters = 16;
#else
constexpr int kRegisters = 32;
#endif

/// Vectors beside each other: four sums of each, an operand of each and one weight fill the
/// registers (of 32 there is no use for all).
constexpr int kWalkVectors = kRegisters == 16 ? 3 : 4;

/// Bytes that are asked for ahead in each source row: where a strip is walked down through many
/// rows, and where few rows are walked along. 0: none. The narrower the strips, the longer it takes
/// to get there.
template <typename Element>
constexpr int64_t kStripAhead = sizeof(Element) == 1 ? 128 : 256;
constexpr int64_t kRunAhead = 1024;

/// Vectors beside each other. Not an array: compilers keep members in registers.
template <class D, int kCount>
struct Vectors {
  using A = hn::TFromD<D>;
  static constexpr int64_t n = HWY_LANES(A);
  hn::Vec<D> first;
  Vectors<D, kCount - 1> others;

  // Written out: one that the compiler makes would not be for this target.
  HWY_INLINE Vectors() {}
  HWY_INLINE void Set(A value) {
    first = hn::Set(D(), value);
    others.Set(value);
  }
  template <typename Element>
  HWY_INLINE void Load(const Element* from) {
    first = VectorIo<Element>::Load(from);
    others.Load(from + n);
  }
  HWY_INLINE void Store(A* to) const {
    hn::StoreU(first, D(), to);
    others.Store(to + n);
  }
  HWY_INLINE void MulAdd(hn::Vec<D> weight, const Vectors& by) {
    first = hn::MulAdd(weight, by.first, first);
    others.MulAdd(weight, by.others);
  }
};
template <class D>
struct Vectors<D, 0> {
  using A = hn::TFromD<D>;
  HWY_INLINE Vectors() {}
  HWY_INLINE void Set(A) {}
  template <typename Element>
  HWY_INLINE void Load(const Element*) {}
  HWY_INLINE void Store(A*) const {}
  HWY_INLINE void MulAdd(hn::Vec<D>, const Vectors&) {}
};

/// The sums of the four outputs under way.
template <class D, int kVectors>
struct WalkSums {
  using A = hn::TFromD<D>;
  Vectors<D, kVectors> slot0, slot1, slot2, slot3;

  HWY_INLINE WalkSums() {}
  template <int kSlot>
  HWY_INLINE Vectors<D, kVectors>& Slot() {
    if constexpr (kSlot == 0) return slot0;
    if constexpr (kSlot == 1) return slot1;
    if constexpr (kSlot == 2) return slot2;
    if constexpr (kSlot == 3) return slot3;
  }
  HWY_INLINE void Clear() {
    slot0.Set(A(-0.0));
    slot1.Set(A(-0.0));
    slot2.Set(A(-0.0));
    slot3.Set(A(-0.0));
  }
};

/// The operands of a step: kVectors vectors of neighbours.
template <typename T, int kVectors>
struct Neighbours {
  using Element = T;
  static constexpr int kCount = kVectors;
  static HWY_INLINE void Load(const T* from, Vectors<TagOf<T>, kVectors>* to) { to->Load(from); }
};

template <class Operands>
using SumsOf = WalkSums<TagOf<typename Operands::Element>, Operands::kCount>;

/// One step. kAll: all slots are active; otherwise those in `active`.
template <class Operands, bool kAll, int64_t kAhead>
HWY_INLINE void WalkStep(SumsOf<Operands>& sums, const typename Operands::Element* from,
                         const AccumulatorOf<typename Operands::Element>* weights,
                         uint32_t active) {
  using Element = typename Operands::Element;
  constexpr int kVectors = Operands::kCount;
  const TagOf<Element> d;
  constexpr int64_t kBytes = kVectors * HWY_LANES(AccumulatorOf<Element>) * sizeof(Element);
  if constexpr (kAhead > 0) {
    const char* const ahead = reinterpret_cast<const char*>(from) + kAhead;
    for (int64_t b = 0; b < kBytes; b += static_cast<int64_t>(kCacheLine)) {
      hwy::Prefetch(ahead + b);
    }
  }
  Vectors<TagOf<Element>, kVectors> x;
  Operands::Load(from, &x);
  if (kAll || (active & 1) != 0) sums.slot0.MulAdd(hn::Set(d, weights[0]), x);
  if (kAll || (active & 2) != 0) sums.slot1.MulAdd(hn::Set(d, weights[1]), x);
  if (kAll || (active & 4) != 0) sums.slot2.MulAdd(hn::Set(d, weights[2]), x);
  if (kAll || (active & 8) != 0) sums.slot3.MulAdd(hn::Set(d, weights[3]), x);
}

/// `count` steps that are alike.
template <class Operands, bool kAll, int64_t kAhead>
HWY_INLINE void WalkSteps(SumsOf<Operands>& sums, const typename Operands::Element* from,
                          int64_t stride, const AccumulatorOf<typename Operands::Element>* weights,
                          int64_t count, uint32_t active) {
  for (; count > 0; --count, from += stride, weights += kWalkSlots) {
    WalkStep<Operands, kAll, kAhead>(sums, from, weights, active);
  }
}

/// Steps [*step, the end of output o), where o % 4 is kSlot; then `receive(o, its sums)`.
template <class Operands, int kSlot, int64_t kAhead, class Receive>
HWY_INLINE void WalkOutput(SumsOf<Operands>& sums,
                           const WalkTable<AccumulatorOf<typename Operands::Element>>& table,
                           const typename Operands::Element* from, int64_t stride, int64_t o,
                           int64_t* step, const Receive& receive) {
  using Element = typename Operands::Element;
  using A = AccumulatorOf<Element>;
  constexpr bool kMayBeInfinite = !std::is_integral_v<Element>;
  const int64_t end = table.end[o];
  while (*step < end) {
    const int64_t s = *step;
    const int64_t count = table.alike[s];
    const A* const weights = &table.weights[static_cast<size_t>(s) * kWalkSlots];
    const Element* const first = from + table.source[s] * stride;
    const uint32_t active = table.active[s];
    if (kMayBeInfinite && HWY_UNLIKELY(active != kAllSlots)) {
      WalkSteps<Operands, false, kAhead>(sums, first, stride, weights, count, active);
    } else {
      WalkSteps<Operands, true, kAhead>(sums, first, stride, weights, count, active);
    }
    *step = s + count;
  }
  receive(o, sums.template Slot<kSlot>());
  sums.template Slot<kSlot>().Set(A(-0.0));
}

/// Steps up to `end`, if there are any left, then `receive(o, the sums of slot kSlot)`.
template <class Operands, int kSlot, int64_t kAhead, class Receive>
HWY_INLINE void WalkStraight(SumsOf<Operands>& sums, const typename Operands::Element** from,
                             int64_t stride,
                             const AccumulatorOf<typename Operands::Element>** weights,
                             const AccumulatorOf<typename Operands::Element>* end, int64_t o,
                             const Receive& receive) {
  using Element = typename Operands::Element;
  using A = AccumulatorOf<Element>;
  const Element* f = *from;
  const A* w = *weights;
  for (; w < end; f += stride, w += kWalkSlots) {
    WalkStep<Operands, true, kAhead>(sums, f, w, kAllSlots);
  }
  *from = f;
  *weights = w;
  receive(o, sums.template Slot<kSlot>());
  sums.template Slot<kSlot>().Set(A(-0.0));
}

/// Outputs [begin, end), multiples of four.
template <class Operands, int64_t kAhead, class Receive>
HWY_INLINE void WalkOutputs(SumsOf<Operands>& sums,
                            const WalkTable<AccumulatorOf<typename Operands::Element>>& table,
                            const typename Operands::Element* from, int64_t stride, int64_t begin,
                            int64_t end, int64_t step, const Receive& receive) {
  using A = AccumulatorOf<typename Operands::Element>;
  const int64_t last = table.end[end - 1];
  if (last > step && table.straight[step] >= last - step) {  // nothing but pointers moves
    const int64_t* const ends = table.end.data();
    const A* const weights = table.weights.data();
    const A* w = weights + step * kWalkSlots;
    from += table.source[step] * stride;
    const auto stop = [&](int64_t o) HWY_ATTR { return weights + ends[o] * kWalkSlots; };
    for (int64_t o = begin; o < end; o += kWalkSlots) {
      WalkStraight<Operands, 0, kAhead>(sums, &from, stride, &w, stop(o), o, receive);
      WalkStraight<Operands, 1, kAhead>(sums, &from, stride, &w, stop(o + 1), o + 1, receive);
      WalkStraight<Operands, 2, kAhead>(sums, &from, stride, &w, stop(o + 2), o + 2, receive);
      WalkStraight<Operands, 3, kAhead>(sums, &from, stride, &w, stop(o + 3), o + 3, receive);
    }
    return;
  }
  for (int64_t o = begin; o < end; o += kWalkSlots) {
    WalkOutput<Operands, 0, kAhead>(sums, table, from, stride, o, &step, receive);
    WalkOutput<Operands, 1, kAhead>(sums, table, from, stride, o + 1, &step, receive);
    WalkOutput<Operands, 2, kAhead>(sums, table, from, stride, o + 2, &step, receive);
    WalkOutput<Operands, 3, kAhead>(sums, table, from, stride, o + 3, &step, receive);
  }
}

/// Where a walk that begins amid the axis starts from so that output `begin`, a multiple of four,
/// has all its taps: the four outputs before it come out, too, and are of no use.
HWY_INLINE int64_t FirstWalked(int64_t begin) { return std::max<int64_t>(begin - kWalkSlots, 0); }

/// Output rows made by one walk down a strip: so many, or twice as many.
constexpr int64_t kStripRows = 8;

/// Elements of a strip of kVectors vectors.
template <typename Element, int kVectors>
constexpr int64_t kStripWidth = kVectors* HWY_LANES(AccumulatorOf<Element>);

/// Output rows [begin, begin + rows) of a strip, for which source row 0 begins at `from`. Row r
/// goes to `to` + (r + 4) * to_pitch: there is scrap before. `open`: the four sums; three of them
/// go on in the next rows, and did before where `resume` says so.
template <class Operands>
SR_OPS_ONE_COPY HWY_NOINLINE void WalkRows(
    const WalkTable<AccumulatorOf<typename Operands::Element>>& table,
    const typename Operands::Element* from, int64_t stride, int64_t begin, int64_t rows,
    bool resume, AccumulatorOf<typename Operands::Element>* open,
    AccumulatorOf<typename Operands::Element>* to, int64_t to_pitch) {
  using Element = typename Operands::Element;
  constexpr int64_t kWidth = kStripWidth<Element, Operands::kCount>;
  SumsOf<Operands> sums;
  sums.Clear();
  int64_t first = begin, step = 0;
  if (resume) {
    sums.slot0.Load(open);
    sums.slot1.Load(open + kWidth);
    sums.slot2.Load(open + 2 * kWidth);
    step = table.end[begin - 1];
  } else {
    first = FirstWalked(begin);
    step = table.first[begin];
  }
  AccumulatorOf<Element>* const base = to + (kWalkSlots - begin) * to_pitch;
  WalkOutputs<Operands, kStripAhead<Element>>(sums, table, from, stride, first, begin + rows, step,
                                              [=](int64_t o, const auto& sum)
                                                  HWY_ATTR { sum.Store(base + o * to_pitch); });
  sums.slot0.Store(open);
  sums.slot1.Store(open + kWidth);
  sums.slot2.Store(open + 2 * kWidth);
}

/// Output row o, where o % 4 is kSlot, of `elements` elements, not the tile's first. `open`: the
/// four sums of each strip.
template <typename Element, int kVectors, int kSlot>
HWY_NOINLINE void WalkRow(const WalkTable<AccumulatorOf<Element>>& table, const Element* from,
                          int64_t stride, int64_t elements, int64_t o, AccumulatorOf<Element>* open,
                          AccumulatorOf<Element>* to) {
  constexpr int64_t kWidth = kStripWidth<Element, kVectors>;
  constexpr int kEmpty = (kSlot + 3) % kWalkSlots;  // where the row before was
  for (int64_t e = 0; e < elements; e += kWidth, open += kWalkSlots * kWidth) {
    const int64_t at = std::min(e, elements - kWidth);
    WalkSums<TagOf<Element>, kVectors> sums;
    sums.Clear();
    if constexpr (kEmpty != 0) sums.slot0.Load(open);
    if constexpr (kEmpty != 1) sums.slot1.Load(open + kWidth);
    if constexpr (kEmpty != 2) sums.slot2.Load(open + 2 * kWidth);
    if constexpr (kEmpty != 3) sums.slot3.Load(open + 3 * kWidth);
    int64_t step = table.end[o - 1];
    WalkOutput<Neighbours<Element, kVectors>, kSlot, kRunAhead>(
        sums, table, from + at, stride, o, &step,
        [=](int64_t, const auto& sum) HWY_ATTR { sum.Store(to + at); });
    if constexpr (kSlot != 0) sums.slot0.Store(open);
    if constexpr (kSlot != 1) sums.slot1.Store(open + kWidth);
    if constexpr (kSlot != 2) sums.slot2.Store(open + 2 * kWidth);
    if constexpr (kSlot != 3) sums.slot3.Store(open + 3 * kWidth);
  }
}

/// Output pixels [begin, end), multiples of four, of kVectors of the `stride` / lanes vectors that
/// each pixel has. Pixel p goes to `to` + (p - begin + 4) * stride.
template <typename A, int kVectors>
HWY_NOINLINE void WalkPixels(const WalkTable<A>& table, const A* from, int64_t stride,
                             int64_t begin, int64_t end, A* to) {
  WalkSums<TagOf<A>, kVectors> sums;
  sums.Clear();
  A* const base = to + (kWalkSlots - begin) * stride;
  WalkOutputs<Neighbours<A, kVectors>, 0>(
      sums, table, from, stride, FirstWalked(begin), end, table.first[begin],
      [=](int64_t o, const auto& sum) HWY_ATTR { sum.Store(base + o * stride); });
}

}  // namespace HWY_NAMESPACE
}  // namespace sr_ops
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
