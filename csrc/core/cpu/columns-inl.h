// The horizontal pass: blocks of output columns from one source row. Included once a target.
#if defined(SR_OPS_COLUMNS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SR_OPS_COLUMNS_INL_H_
#undef SR_OPS_COLUMNS_INL_H_
#else
#define SR_OPS_COLUMNS_INL_H_
#endif

#include <algorithm>

#include "core/cpu/column_table.h"
#include "core/cpu/lanes-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sr_ops {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Lane indices as stored: native order, one integer of the accumulator's width a lane.
template <class D, typename A = hn::TFromD<D>>
HWY_INLINE auto LoadIndices(D, const A* data) {
  const hn::RebindToSigned<D> di;
  return hn::Load(di, reinterpret_cast<const typename LaneIndex<A>::type*>(data));
}

/// Indices and weights of a four-tap block, in registers.
template <class D, typename A = hn::TFromD<D>>
struct FourTaps {
  using V = hn::Vec<D>;
  using Lanes = decltype(PermutationOf(D(), LoadIndices(D(), static_cast<const A*>(nullptr))));
  Lanes index0, index1, index2, index3;
  V weight0, weight1, weight2, weight3;

  /// kPlain: tap k's indices are tap 0's, k pixels further on; otherwise each tap has its own.
  template <bool kPlain>
  static HWY_INLINE FourTaps Load(D d, const A* data, int64_t channels) {
    const size_t n = hn::Lanes(d);
    const hn::RebindToSigned<D> di;
    const auto index = LoadIndices(d, data);
    const auto tap = [&](int k) HWY_ATTR {
      if constexpr (kPlain) {
        return PermutationOf(
            d, hn::Add(index, hn::Set(di, static_cast<hn::TFromD<decltype(di)>>(k * channels))));
      } else {
        return PermutationOf(d, LoadIndices(d, data + (4 + k) * n));
      }
    };
    return {PermutationOf(d, index),
            tap(1),
            tap(2),
            tap(3),
            hn::Load(d, data + n),
            hn::Load(d, data + 2 * n),
            hn::Load(d, data + 3 * n),
            hn::Load(d, data + 4 * n)};
  }

  /// One index vector for all taps.
  static HWY_INLINE FourTaps LoadShared(D d, const A* data) {
    const size_t n = hn::Lanes(d);
    const Lanes index = PermutationOf(d, LoadIndices(d, data));
    return {index,
            index,
            index,
            index,
            hn::Load(d, data + n),
            hn::Load(d, data + 2 * n),
            hn::Load(d, data + 3 * n),
            hn::Load(d, data + 4 * n)};
  }

  /// Taps 1 and 3 a pixel beyond taps 0 and 2, which share an index vector.
  static HWY_INLINE FourTaps LoadPairs(D d, const A* data, int64_t channels) {
    const hn::RebindToSigned<D> di;
    FourTaps taps = LoadShared(d, data);
    const auto pixel = hn::Set(di, static_cast<hn::TFromD<decltype(di)>>(channels));
    taps.index1 = taps.index3 = PermutationOf(d, hn::Add(LoadIndices(d, data), pixel));
    return taps;
  }

  HWY_INLINE V Combine(V v0, V v1, V v2, V v3) const {
    V sum = hn::Mul(weight0, Permute(v0, index0));
    sum = hn::MulAdd(weight1, Permute(v1, index1), sum);
    sum = hn::MulAdd(weight2, Permute(v2, index2), sum);
    return hn::MulAdd(weight3, Permute(v3, index3), sum);
  }
};

/// Rows of source and result that share their tables: those of kPlanes planes (see Tables::planes),
/// or as many rows one below the other. Further ones lie the pitches behind.
template <typename A, int kPlanes>
struct PlaneRows {
  const A* source;  // shifted so that ColumnBlock::first counts from it
  A* to;
  int64_t source_pitch;  // accumulators
  int64_t to_pitch;
};

/// One block by kOneLoad.
template <bool kPlain, int kPlanes, class D, typename A = hn::TFromD<D>>
HWY_INLINE void OneLoadBlock(D d, const ColumnBlock<A>& block, int64_t channels,
                             const PlaneRows<A, kPlanes>& rows) {
  const auto taps = FourTaps<D>::template Load<kPlain>(d, block.data, channels);
  const A* const from = rows.source + block.first;
  for (int c = 0; c < kPlanes; ++c) {
    const auto v = hn::LoadU(d, from + c * rows.source_pitch);
    hn::StoreU(taps.Combine(v, v, v, v), d, rows.to + c * rows.to_pitch);
  }
}

/// One block of the table by kLoadPerTap; kPlain: as ColumnTable::plain_begin says.
template <bool kPlain, int kPlanes, class D, typename A = hn::TFromD<D>>
HWY_INLINE void LoadPerTapBlock(D d, const ColumnTable<A>& table, const ColumnBlock<A>& block,
                                const PlaneRows<A, kPlanes>& rows) {
  const auto taps = [&]() HWY_ATTR {
    if constexpr (kPlain) {
      return FourTaps<D>::LoadShared(d, block.data);
    } else {
      return FourTaps<D>::template Load<false>(d, block.data, 0);
    }
  }();
  for (int c = 0; c < kPlanes; ++c) {
    const A* from = rows.source + c * rows.source_pitch + block.first;
    const auto load = [&](int64_t k) HWY_ATTR {
      if constexpr (kPlain) {
        return hn::LoadU(d, from + k * table.channels);
      } else {
        return hn::LoadU(d, from + table.details[&block - table.blocks.data()].tap_offset[k]);
      }
    };
    const auto v0 = load(0), v1 = load(1), v2 = load(2), v3 = load(3);
    hn::StoreU(taps.Combine(v0, v1, v2, v3), d, rows.to + c * rows.to_pitch);
  }
}

/// One plain block by kLoadPerTap where ColumnTable::load_per_pair says so: two loads less, and
/// loads are what takes longest with short vectors.
template <int kPlanes, class D, typename A = hn::TFromD<D>>
HWY_INLINE void LoadPerPairBlock(D d, const ColumnBlock<A>& block, int64_t channels,
                                 const PlaneRows<A, kPlanes>& rows) {
  const auto taps = FourTaps<D>::LoadPairs(d, block.data, channels);
  const A* const first = rows.source + block.first;
  for (int c = 0; c < kPlanes; ++c) {
    const A* const from = first + c * rows.source_pitch;
    const auto v01 = hn::LoadU(d, from);
    const auto v23 = hn::LoadU(d, from + 2 * channels);
    hn::StoreU(taps.Combine(v01, v01, v23, v23), d, rows.to + c * rows.to_pitch);
  }
}

/// `source[index]` for indices below kSpread vectors (0: any).
template <int kSpread, class D, class VI, typename A = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> Pick(D d, const A* source, VI index) {
  if constexpr (kSpread == 0) {
    return hn::GatherIndex(d, source, index);
  } else {
    const hn::RebindToSigned<D> di;
    using I = hn::TFromD<decltype(di)>;
    const I n = static_cast<I>(hn::Lanes(d));
    const auto lane = PermutationOf(d, hn::And(index, hn::Set(di, n - 1)));
    const auto vector = [&](size_t j)
                            HWY_ATTR { return Permute(hn::LoadU(d, source + j * n), lane); };
    const auto above = [&](size_t j) HWY_ATTR {
      return hn::RebindMask(d, hn::Gt(index, hn::Set(di, static_cast<I>(j * n - 1))));
    };
    auto picked = vector(0);
    if constexpr (kSpread >= 2) picked = hn::IfThenElse(above(1), vector(1), picked);
    if constexpr (kSpread >= 4) {
      picked = hn::IfThenElse(above(2), vector(2), picked);
      picked = hn::IfThenElse(above(3), vector(3), picked);
    }
    return picked;
  }
}

/// One block by kShifted. Lanes that have fewer taps than the block keep their sum untouched (a
/// zero weight would turn an infinity beside the window into a NaN).
template <int kSpread, class D, typename A = hn::TFromD<D>>
HWY_INLINE void ShiftedBlock(D d, const ColumnTable<A>& table, const ColumnBlock<A>& block,
                             const ColumnBlockDetails& details, const A* source, A* to) {
  const hn::RebindToSigned<D> di;
  using I = hn::TFromD<decltype(di)>;
  const size_t n = hn::Lanes(d);
  const auto index = LoadIndices(d, block.data);
  const auto count = LoadIndices(d, block.data + n);
  const A* weights = block.data + 2 * n;
  const A* from = source + block.first;
  auto sum = hn::Zero(d);
  int32_t k = 0;
  if (details.common_taps > 0) {
    sum = hn::Mul(hn::Load(d, weights), Pick<kSpread>(d, from, index));
    k = 1;
  }
  for (; k < details.common_taps; ++k) {
    const auto v = Pick<kSpread>(d, from + k * table.channels, index);
    sum = hn::MulAdd(hn::Load(d, weights + k * n), v, sum);
  }
  for (; k < details.taps; ++k) {
    const auto v = Pick<kSpread>(d, from + k * table.channels, index);
    const auto w = hn::Load(d, weights + k * n);
    const auto more = k == 0 ? hn::Mul(w, v) : hn::MulAdd(w, v, sum);
    const auto has_tap = hn::RebindMask(d, hn::Gt(count, hn::Set(di, static_cast<I>(k))));
    sum = hn::IfThenElse(has_tap, more, sum);
  }
  hn::StoreU(sum, d, to);
}

/// One output pixel by kChannels: all channels of pixel x.
template <class D, typename A = hn::TFromD<D>>
HWY_INLINE void ChannelsPixel(D d, const RoundedAxis<A>& axis, int64_t channels, int64_t x,
                              const A* source, A* to) {
  const int64_t n = static_cast<int64_t>(hn::Lanes(d));
  const A* weights = &axis.weights[static_cast<size_t>(x) * axis.taps];
  const auto pixel = [&](int32_t k) HWY_ATTR {
    return source + std::clamp<int64_t>(axis.first[x] + k, 0, axis.in - 1) * channels;
  };
  // The last vector overlaps the one before: channels >= n.
  for (int64_t c = 0; c < channels; c += n) {
    const int64_t at = std::min(c, channels - n);
    auto sum = hn::Zero(d);
    for (int32_t k = 0; k < axis.count[x]; ++k) {
      const auto w = hn::Set(d, weights[k]);
      const auto v = hn::LoadU(d, pixel(k) + at);
      sum = k == 0 ? hn::Mul(w, v) : hn::MulAdd(w, v, sum);
    }
    hn::StoreU(sum, d, to + at);
  }
}

/// kCount neighbouring output pixels by kChannels that share their four source pixels: each source
/// vector is loaded once for all of them. `weights`: 4 for each.
template <int kCount, class D, typename A = hn::TFromD<D>>
HWY_INLINE void ChannelsFourTaps(D d, const A* const pixels[4], const A* weights, int64_t channels,
                                 A* to) {
  using V = hn::Vec<D>;
  const int64_t n = static_cast<int64_t>(hn::Lanes(d));
  const A* const p0 = pixels[0];
  const A* const p1 = pixels[1];
  const A* const p2 = pixels[2];
  const A* const p3 = pixels[3];
  V w[kCount][4];
  for (int g = 0; g < kCount; ++g) {
    for (int k = 0; k < 4; ++k) w[g][k] = hn::Set(d, weights[4 * g + k]);
  }
  // The last vector overlaps the one before: channels >= n.
  for (int64_t c = 0; c < channels; c += n) {
    const int64_t at = std::min(c, channels - n);
    const V v0 = hn::LoadU(d, p0 + at);
    const V v1 = hn::LoadU(d, p1 + at);
    const V v2 = hn::LoadU(d, p2 + at);
    const V v3 = hn::LoadU(d, p3 + at);
    for (int g = 0; g < kCount; ++g) {
      V sum = hn::Mul(w[g][0], v0);
      sum = hn::MulAdd(w[g][1], v1, sum);
      sum = hn::MulAdd(w[g][2], v2, sum);
      hn::StoreU(hn::MulAdd(w[g][3], v3, sum), d, to + g * channels + at);
    }
  }
}

/// Output pixels from `begin` on, as long as their four source pixels lie inside the row, where a
/// pixel is one vector (RGBA in registers of 16 bytes). To find out who shares source pixels would
/// take longer than to load them again. The first pixel that is left to do.
template <class D, typename A = hn::TFromD<D>>
HWY_INLINE int64_t OneVectorPixels(D d, const RoundedAxis<A>& axis, int64_t begin, int64_t end,
                                   const A* source, A* to) {
  // Locals, because a vector store may alias anything that has an address.
  const int64_t n = static_cast<int64_t>(hn::Lanes(d));
  const int64_t last = axis.in - 4;
  const auto* const firsts = axis.first.data();
  const auto* const counts = axis.count.data();
  const A* const weights = axis.weights.data();
  int64_t x = begin;
  for (; x < end && firsts[x] >= 0 && firsts[x] <= last && counts[x] == 4; ++x) {
    const A* const from = source + firsts[x] * n;
    const A* const w = weights + 4 * x;
    auto sum = hn::Mul(hn::Set(d, w[0]), hn::LoadU(d, from));
    sum = hn::MulAdd(hn::Set(d, w[1]), hn::LoadU(d, from + n), sum);
    sum = hn::MulAdd(hn::Set(d, w[2]), hn::LoadU(d, from + 2 * n), sum);
    sum = hn::MulAdd(hn::Set(d, w[3]), hn::LoadU(d, from + 3 * n), sum);
    hn::StoreU(sum, d, to);
    to += n;
  }
  return x;
}

/// Output pixels [begin, end) of a row by kChannels.
template <class D, typename A = hn::TFromD<D>>
HWY_INLINE void ChannelsPixels(D d, const RoundedAxis<A>& axis, int64_t channels, int64_t begin,
                               int64_t end, const A* source, A* to) {
  const bool one_vector = channels == static_cast<int64_t>(hn::Lanes(d)) && axis.taps == 4;
  for (int64_t x = begin; x < end;) {
    if (one_vector) {
      x = OneVectorPixels(d, axis, x, end, source, to + (x - begin) * channels);
      if (x == end) return;
    }
    A* const at = to + (x - begin) * channels;
    if (axis.taps != 4 || axis.count[x] != 4) {
      ChannelsPixel(d, axis, channels, x++, source, at);
      continue;
    }
    const A* pixels[4];
    for (int k = 0; k < 4; ++k) {
      pixels[k] = source + std::clamp<int64_t>(axis.first[x] + k, 0, axis.in - 1) * channels;
    }
    const A* const weights = &axis.weights[static_cast<size_t>(x) * 4];
    int64_t group = 1;
    while (group < 4 && x + group < end && axis.first[x + group] == axis.first[x] &&
           axis.count[x + group] == 4) {
      ++group;
    }
    switch (group) {
      case 1: ChannelsFourTaps<1>(d, pixels, weights, channels, at); break;
      case 2: ChannelsFourTaps<2>(d, pixels, weights, channels, at); break;
      case 3: ChannelsFourTaps<3>(d, pixels, weights, channels, at); break;
      default: ChannelsFourTaps<4>(d, pixels, weights, channels, at); break;
    }
    x += group;
  }
}

/// Blocks [begin, end) of kRows rows, by kOneLoad or kLoadPerTap: what is loaded of a block's table
/// serves all of them.
template <int kRows, class D, typename A = hn::TFromD<D>>
HWY_NOINLINE void ResampleBlocks(D d, const ColumnTable<A>& table, int64_t begin, int64_t end,
                                 PlaneRows<A, kRows> rows) {
  const int64_t n = static_cast<int64_t>(hn::Lanes(d));
  const int64_t channels = table.channels;
  const ColumnBlock<A>* const blocks = table.blocks.data();
  int64_t b = begin;
  const auto up_to = [&](int64_t stop, const auto& compute) HWY_ATTR {
    for (; b < std::min(stop, end); ++b) {
      compute(blocks[b]);
      rows.to += n;
    }
  };
  if (table.method == ColumnMethod::kOneLoad) {
    const auto edge = [&](const ColumnBlock<A>& block)
                          HWY_ATTR { OneLoadBlock<false>(d, block, channels, rows); };
    const auto plain = [&](const ColumnBlock<A>& block)
                           HWY_ATTR { OneLoadBlock<true>(d, block, channels, rows); };
    up_to(table.plain_begin, edge);
    if (table.Repeats(begin, end)) {
      const auto taps =
          FourTaps<D>::template Load<true>(d, blocks[table.repeated_begin].data, channels);
      up_to(table.repeated_end, [&](const ColumnBlock<A>& block) HWY_ATTR {
        const A* const from = rows.source + block.first;
        for (int r = 0; r < kRows; ++r) {
          const auto v = hn::LoadU(d, from + r * rows.source_pitch);
          hn::StoreU(taps.Combine(v, v, v, v), d, rows.to + r * rows.to_pitch);
        }
      });
    }
    up_to(table.plain_end, plain);
    return up_to(end, edge);
  }
  const auto edge = [&](const ColumnBlock<A>& block)
                        HWY_ATTR { LoadPerTapBlock<false>(d, table, block, rows); };
  up_to(table.plain_begin, edge);
  if (table.load_per_pair) {
    up_to(table.plain_end, [&](const ColumnBlock<A>& block)
                               HWY_ATTR { LoadPerPairBlock(d, block, channels, rows); });
  } else {
    up_to(table.plain_end, [&](const ColumnBlock<A>& block)
                               HWY_ATTR { LoadPerTapBlock<true>(d, table, block, rows); });
  }
  up_to(end, edge);
}

/// Output elements [begin, end) of a row; `begin` is at a block's (kChannels: a pixel's) start, and
/// so is `end` unless it is the row's.
/// `source` is shifted by the caller: element e of the source row is source[e]. `to` receives
/// element `begin` first, in whole vectors: it needs a vector of room beyond `end`.
template <class D, typename A = hn::TFromD<D>>
HWY_NOINLINE void ResampleColumns(D d, const ColumnTable<A>& table, const RoundedAxis<A>& axis,
                                  int64_t begin, int64_t end, const A* source, A* to) {
  const int64_t n = table.lanes;
  const int64_t first_block = begin / n;
  const int64_t end_block = (end + n - 1) / n;
  switch (table.method) {
    case ColumnMethod::kOneLoad:
    case ColumnMethod::kLoadPerTap:
      return ResampleBlocks<1>(d, table, first_block, end_block, PlaneRows<A, 1>{source, to, 0, 0});
    case ColumnMethod::kShifted: {
      const auto shifted = [&](auto spread) HWY_ATTR {
        for (int64_t b = first_block; b < end_block; ++b) {
          ShiftedBlock<decltype(spread)::value>(d, table, table.blocks[b], table.details[b], source,
                                                to + (b - first_block) * n);
        }
      };
      if (table.spread == 1) return shifted(std::integral_constant<int, 1>());
      if (table.spread == 2) return shifted(std::integral_constant<int, 2>());
      if (table.spread == 4) return shifted(std::integral_constant<int, 4>());
      return shifted(std::integral_constant<int, 0>());
    }
    case ColumnMethod::kChannels:
      return ChannelsPixels(d, axis, table.channels, begin / table.channels, end / table.channels,
                            source, to);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sr_ops
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
