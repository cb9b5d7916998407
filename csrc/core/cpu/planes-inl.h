// Pictures of interleaved bytes as planes: taken apart when a source row is widened, put together
// when output rows are stored; in between both passes run on one plane after the other.
// Included once a target.
#if defined(SR_OPS_PLANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SR_OPS_PLANES_INL_H_
#undef SR_OPS_PLANES_INL_H_
#else
#define SR_OPS_PLANES_INL_H_
#endif

#include <cstring>

#include "core/cpu/plan.h"
#include "core/cpu/rows-inl.h"
#include "core/cpu/vector_io-inl.h"
#include "hwy/cache_control.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sr_ops {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Whether this target takes interleaved elements of this type apart; Tables::planes is 1
/// elsewhere. Vectors as long as the plan asks for: shorter ones would never come here.
template <typename Element>
constexpr bool kTakesPlanesApart =
    std::is_same_v<Element, uint8_t>&& HWY_LANES(uint8_t) >= kPlanesVectorBytes;

template <int kPlanes, class D>
HWY_INLINE void LoadPlanes(D d, const hn::TFromD<D>* from, hn::Vec<D> (&planes)[kPlanes]) {
  if constexpr (kPlanes == 3) {
    hn::LoadInterleaved3(d, from, planes[0], planes[1], planes[2]);
  } else {
    hn::LoadInterleaved4(d, from, planes[0], planes[1], planes[2], planes[3]);
  }
}

template <int kPlanes, class D>
HWY_INLINE void StorePlanes(D d, const hn::Vec<D> (&planes)[kPlanes], hn::TFromD<D>* to) {
  if constexpr (kPlanes == 3) {
    hn::StoreInterleaved3(planes[0], planes[1], planes[2], d, to);
  } else {
    hn::StoreInterleaved4(planes[0], planes[1], planes[2], planes[3], d, to);
  }
}

/// `length` dense pixels to accumulators, each channel to a row of its own, `pitch` apart.
template <typename Element, int kPlanes>
HWY_NOINLINE void WidenPlanes(const Element* from, int64_t length, AccumulatorOf<Element>* to,
                              int64_t pitch) {
  const typename VectorIo<Element>::PackTag dp;
  const TagOf<Element> d;
  const int64_t n = static_cast<int64_t>(hn::Lanes(d));
  const int64_t step = static_cast<int64_t>(hn::Lanes(dp));
  const auto widen = [=](int64_t pixel) HWY_ATTR {
    hn::Vec<decltype(dp)> planes[kPlanes];
    LoadPlanes<kPlanes>(dp, from + pixel * kPlanes, planes);
    // The next row, where it follows: it is read a while later, and the processor, left alone, sees
    // it coming too late.
    for (int64_t e = 0; e < step * kPlanes; e += kCacheLine) {
      hwy::Prefetch(from + (length + pixel) * kPlanes + e);
    }
    for (int c = 0; c < kPlanes; ++c) {
      HWY_ALIGN Element plane[HWY_LANES(Element)];
      hn::Store(planes[c], dp, plane);
      for (int64_t e = 0; e < step; e += n) {
        hn::StoreU(VectorIo<Element>::Load(plane + e), d, to + c * pitch + pixel + e);
      }
    }
  };
  int64_t pixel = 0;
  for (; pixel + step <= length; pixel += step) widen(pixel);
  if (pixel == length) return;
  if (length >= step) return widen(length - step);
  for (; pixel < length; ++pixel) {
    for (int c = 0; c < kPlanes; ++c) {
      to[c * pitch + pixel] = ToAccumulator(from[pixel * kPlanes + c]);
    }
  }
}

/// CombineFourRows for planes: `from` has rows of the first plane, the other planes' are `pitch`
/// further on, with a pack of room behind; out.length counts pixels.
template <typename Element, int kPlanes, int kCount, class Next, class NextSource>
HWY_NOINLINE void CombinePlanes(const FourRows<AccumulatorOf<Element>>& from, const int64_t pitch,
                                const OutputRows<Element>& out, const NextSource& next_source) {
  using Io = VectorIo<Element>;
  Next next(next_source);
  Element* const first = out.first;
  const int64_t stride = out.stride;
  const int64_t length = out.length;
  const typename Io::PackTag dp;
  const int64_t step = static_cast<int64_t>(hn::Lanes(dp));
  const FourRowsSum<kCount, TagOf<Element>> rows(from);
  // Fewer pixels than a pack: by way of memory that has room for one.
  constexpr int64_t kRoom = HWY_LANES(Element) * kPlanes;
  HWY_ALIGN Element pack[kCount * kRoom];
  const bool whole = length >= step;
  Element* const to = whole ? first : pack;
  const int64_t to_stride = whole ? stride : kRoom;
  const int64_t last = whole ? length - step : 0;  // overlaps its neighbour, with the same values
  const int64_t ahead = std::max<int64_t>(out.most, kCount);  // rows, as in CombineFourRows
  for (int64_t pixel = 0;; pixel = std::min(pixel + step, last)) {
    hn::Vec<decltype(dp)> packed[kCount][kPlanes];
    for (int c = 0; c < kPlanes; ++c) {
      hn::Vec<decltype(dp)> plane[kCount];
      CombinePack<Element>(rows, c * pitch + pixel, plane);
      for (int g = 0; g < kCount; ++g) packed[g][c] = plane[g];
      if (next.left() > 0) next.Block();
    }
    for (int b = kPlanes; b < Io::kPack && next.left() > 0; ++b) next.Block();
    for (int g = 0; g < kCount; ++g) {
      const Element* const ahead_row = first + (g + ahead) * stride + pixel * kPlanes;
      for (int64_t e = 0; e < step * kPlanes; e += kCacheLine) PrefetchForWriting(ahead_row + e);
    }
    for (int g = 0; g < kCount; ++g) {
      StorePlanes<kPlanes>(dp, packed[g], to + g * to_stride + pixel * kPlanes);
    }
    if (pixel == last) break;
  }
  next.Finish();
  if (whole) return;
  for (int g = 0; g < kCount; ++g) {
    std::memcpy(first + g * stride, pack + g * kRoom, length * kPlanes * sizeof(Element));
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sr_ops
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
