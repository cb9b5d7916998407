// Both axes of a plan with Rounding::kPillow, and how vector kernels multiply.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/cpu/plan.h"
#include "core/pillow_axis.h"

namespace sr_ops {

/// x86 multiplies 16-bit integers, and adds the products of neighbours, in one instruction. There a
/// weight is 256 times its high part plus its low part, each of 16 bits, and the two taps of a pair
/// share a 32-bit number: their high parts in the first, their low parts in the second. Elsewhere
/// the two numbers of a pair are its weights.
#if defined(__x86_64__) || defined(_M_X64)
constexpr bool kPillowSplitsWeights = true;
#else
constexpr bool kPillowSplitsWeights = false;
#endif

/// An axis and its weights by pairs of neighbouring source indices. A tap's partner outside of its
/// run has weight 0.
struct PillowPass {
  PillowAxis axis;
  std::vector<int32_t> begin;         ///< the first pair's first source index; at least -1
  std::vector<int32_t> pair_count;    ///< their indices end at `in` + 1 at the most
  int64_t pairs = 0;                  ///< the most of an output: the stride of `pair_weights`
  std::vector<int32_t> pair_weights;  ///< two numbers a pair

  int64_t Begin(int64_t o) const { return begin[static_cast<size_t>(o)]; }
  int64_t End(int64_t o) const { return Begin(o) + 2 * PairCount(o); }
  int32_t PairCount(int64_t o) const { return pair_count[static_cast<size_t>(o)]; }
  const int32_t* PairsOf(int64_t o) const {
    return &pair_weights[static_cast<size_t>(o * pairs * 2)];
  }
};

/// Interleaved, from which on the horizontal pass takes the channels of a pixel as a vector.
constexpr int64_t kPillowManyChannels = 32;

/// How vector kernels do it.
struct PillowTables {
  PillowPass rows;     ///< vertical
  PillowPass columns;  ///< horizontal

  /// Whether the horizontal pass takes strips of rows that lie as columns, and pairs of pixels. It
  /// makes each pair of the source once: pairs begin all at even indices, or all at odd ones.
  bool strips = false;
  /// Whether the vertical pass takes pairs of rows that the horizontal one has made, likewise.
  bool paired_rows = false;
};

/// May throw std::bad_alloc.
PillowTables MakePillowTables(const Problem& problem);

/// The kernel of a target, one of Highway's HWY_* bits; null where that target is not compiled.
RunTileFunction PillowVectorKernel(int64_t target);

/// The kernel of the chosen target.
Kernel ChosenPillowKernel();

/// The arithmetic's specification: one element at a time, without scratch memory.
bool RunPillowScalar(const Plan& plan, const ConstView& source, const View& destination,
                     const TileArea& area);

}  // namespace sr_ops
