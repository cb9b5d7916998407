// Both axes of a plan with Rounding::kPillow, and how vector kernels multiply.
#pragma once

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

struct PillowPass {
  PillowAxis axis;
  int64_t pairs = 0;                  ///< of taps: the stride of `pair_weights`, in pairs
  std::vector<int32_t> pair_weights;  ///< two numbers a pair; the last tap of an odd count has a
                                      ///< partner of weight 0

  const int32_t* PairsOf(int64_t o) const {
    return &pair_weights[static_cast<size_t>(o * pairs * 2)];
  }
};

struct PillowTables {
  PillowPass rows;     ///< vertical
  PillowPass columns;  ///< horizontal
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
