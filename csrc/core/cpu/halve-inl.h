// Rows of floats to half as many pixels, where all outputs have the same weights (halved_range.h):
// even and odd source pixels are taken apart, once, and each tap is one of both some pixels later.
// Included once a target.
#if defined(SR_OPS_HALVE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SR_OPS_HALVE_INL_H_
#undef SR_OPS_HALVE_INL_H_
#else
#define SR_OPS_HALVE_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "core/axis.h"
#include "core/cpu/halved_range.h"
#include "core/cpu/rows-inl.h"
#include "core/cpu/transpose-inl.h"
#include "core/cpu/vector_io-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sr_ops {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR

/// Whether pixels of three and of four channels can be taken apart, too: permutes reach across two
/// of these vectors.
constexpr bool kHalvesPixels = HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3;

/// Lanes [kBy, kBy + n) of two vectors, one behind the other.
template <int kBy>
HWY_INLINE FloatVector Later(FloatVector now, FloatVector next) {
  const FloatTag d;
  if constexpr (kBy == 0) {
    return now;
  } else {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
    const __m512i both =
        _mm512_alignr_epi32(_mm512_castps_si512(next.raw), _mm512_castps_si512(now.raw), kBy);
    return FloatVector{_mm512_castsi512_ps(both)};
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
    return hn::CombineShiftRightBytes<4 * kBy>(d, hn::ConcatLowerUpper(d, next, now), now);
#else
    return hn::CombineShiftRightBytes<4 * kBy>(d, next, now);
#endif
  }
}

/// A vector of the even pixels' elements and one of the odd ones', of pixels of kChannels.
template <int kChannels>
struct EvenAndOdd {
  static constexpr int64_t n = HWY_LANES(float);
  FloatVector even, odd;

  // Written out: one that the compiler makes would not be for this target.
  HWY_INLINE EvenAndOdd() {}

  /// From element `from` on. `kPhase`: of kChannels vectors one after the other, which.
  template <int kPhase>
  HWY_INLINE void Load(const float* from) {
    const FloatTag d;
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
    even = Pixels<kPhase>(from);
    odd = Pixels<kPhase>(from + kChannels);
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
    // In the order that makes two shuffles of what would be four.
    const FloatVector a = LoadQuads(d, from, 8), b = LoadQuads(d, from + 4, 8);
    even = FloatVector{_mm256_shuffle_ps(a.raw, b.raw, 0x88)};
    odd = FloatVector{_mm256_shuffle_ps(a.raw, b.raw, 0xdd)};
#else
    const FloatVector a = hn::LoadU(d, from), b = hn::LoadU(d, from + n);
    even = hn::ConcatEven(d, b, a);
    odd = hn::ConcatOdd(d, b, a);
#endif
  }

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
 private:
  /// Where element e of the even pixels is.
  static constexpr int64_t Place(int64_t e) {
    return e / kChannels * 2 * kChannels + e % kChannels;
  }

  template <int kPhase>
  static HWY_INLINE FloatVector Pixels(const float* from) {
    constexpr int64_t kFirst = Place(kPhase * n);
    struct Lanes {
      int32_t of[n] = {};
      constexpr Lanes() {
        for (int64_t i = 0; i < n; ++i) {
          of[i] = static_cast<int32_t>(Place(kPhase * n + i) - kFirst);
        }
      }
    };
    alignas(64) static constexpr Lanes kLanes;
    const FloatTag d;
    const FloatVector low = hn::LoadU(d, from + kFirst), high = hn::LoadU(d, from + kFirst + n);
    return FloatVector{_mm512_permutex2var_ps(low.raw, _mm512_load_si512(kLanes.of), high.raw)};
  }
#endif
};

/// Sums of kTaps taps, in their order.
template <int kTaps, int kChannels>
HWY_INLINE FloatVector HalvedSums(const FloatVector (&weights)[8], const EvenAndOdd<kChannels>& now,
                                  const EvenAndOdd<kChannels>& next) {
  FloatVector sum = hn::Set(FloatTag(), -0.0f);
  sum = hn::MulAdd(weights[0], now.even, sum);
  sum = hn::MulAdd(weights[1], now.odd, sum);
  sum = hn::MulAdd(weights[2], Later<kChannels>(now.even, next.even), sum);
  sum = hn::MulAdd(weights[3], Later<kChannels>(now.odd, next.odd), sum);
  if constexpr (kTaps == 8) {
    sum = hn::MulAdd(weights[4], Later<2 * kChannels>(now.even, next.even), sum);
    sum = hn::MulAdd(weights[5], Later<2 * kChannels>(now.odd, next.odd), sum);
    sum = hn::MulAdd(weights[6], Later<3 * kChannels>(now.even, next.even), sum);
    sum = hn::MulAdd(weights[7], Later<3 * kChannels>(now.odd, next.odd), sum);
  }
  return sum;
}

/// Floats behind a line that HalveElements may load, for lanes that it throws away.
constexpr int64_t HalveRoom(int64_t channels) { return 4 * channels * HWY_LANES(float); }

/// `elements` of an output row, the first one a pixel's first, with the same kTaps weights each;
/// `from`: the first tap of the first one.
template <int kTaps, int kChannels>
HWY_NOINLINE void HalveElements(const float* from, const float* weights, int64_t elements,
                                float* to) {
  constexpr int64_t n = HWY_LANES(float);
  FloatVector w[8];
  for (int t = 0; t < kTaps; ++t) w[t] = hn::Set(FloatTag(), weights[t]);
  EvenAndOdd<kChannels> now, next;
  now.template Load<0>(from);
  // The vector of a phase; false where it was the last one.
  const auto one = [&](auto phase) HWY_ATTR {
    constexpr int kNext = (decltype(phase)::value + 1) % kChannels;
    if constexpr (kNext == 0) from += 2 * kChannels * n;
    next.template Load<kNext>(from);
    const FloatVector sum = HalvedSums<kTaps>(w, now, next);
    now = next;
    if (HWY_UNLIKELY(elements < n)) {
      StoreLanes<float>(sum, 0, static_cast<size_t>(elements), to);
      return false;
    }
    VectorIo<float>::Store(sum, to);
    to += n;
    elements -= n;
    return elements > 0;
  };
  if (elements <= 0) return;
  while (one(std::integral_constant<int, 0>())) {
    if constexpr (kChannels > 1) {
      if (!one(std::integral_constant<int, 1>())) return;
      if (!one(std::integral_constant<int, 2>())) return;
    }
    if constexpr (kChannels > 3) {
      if (!one(std::integral_constant<int, 3>())) return;
    }
  }
}

/// Rows of floats that are halved together: `count`, a multiple of eight, `pitch` apart; each
/// begins with source pixel `first_pixel`.
struct HalvedLines {
  const float* first;
  int64_t pitch;
  int64_t count;
  int64_t first_pixel;
  int64_t channels;
};

/// Output pixels [begin, end) of all lines, each with its own taps: those at an edge. Element e of
/// line i becomes to[e * count + i]. `columns`: room for the source pixels, transposed likewise.
template <class D>
HWY_NOINLINE void HalvedEdge(D d, const RoundedAxis<float>& axis, const HalvedLines& lines,
                             int64_t begin, int64_t end, float* columns, float* to) {
  if (begin == end) return;
  constexpr int64_t n = static_cast<int64_t>(hn::MaxLanes(D()));
  const int64_t channels = lines.channels, count = lines.count;
  const ElementRange sources = SourcesOf(axis, begin, end);
  const int64_t elements = (sources.end - sources.begin) * channels;
  RowsToColumns(lines.first + (sources.begin - lines.first_pixel) * channels, lines.pitch, count,
                (elements + 3) / 4 * 4, columns, count);
  for (int64_t o = begin; o < end; ++o) {
    const float* const weights = &axis.weights[o * axis.taps];
    for (int64_t i = 0; i < channels * count; i += n, to += n) {
      auto sum = hn::Set(d, -0.0f);
      for (int32_t k = 0; k < axis.count[o]; ++k) {
        const int64_t pixel = std::clamp<int64_t>(axis.first[o] + k, 0, axis.in - 1);
        const float* const column = columns + (pixel - sources.begin) * channels * count + i;
        sum = hn::MulAdd(hn::Set(d, weights[k]), hn::LoadU(d, column), sum);
      }
      hn::StoreU(sum, d, to);
    }
  }
}

#endif  // HWY_TARGET != HWY_SCALAR

}  // namespace HWY_NAMESPACE
}  // namespace sr_ops
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
