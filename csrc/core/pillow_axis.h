// Pillow's bicubic of one axis: Image.resize(BICUBIC) on 8-bit pictures, whose bytes
// Rounding::kPillow gives. Weights are integers; each pass ends in 8 bits:
//
//   clamp((2^21 + sum of weight * value) >> 22, 0, 255)
//
// Keys' kernel with a = -0.5, stretched where the axis shrinks; what lies outside of the picture
// has no weight. Coordinates follow from the two sizes alone, whatever the scale. The order of
// operations is Pillow's (src/libImaging/Resample.c), since it decides bits.
#pragma once

#include <cstdint>
#include <vector>

#include "core/axis_geometry.h"
#include "core/status.h"
#include "core/types.h"
#include "core/window.h"

namespace sr_ops {

/// Weights are in units of 2^-22.
constexpr int kPillowBits = 22;

/// For each output index, a run of source indices, all inside, with one weight each. Neither end of
/// a run lies before that of the output before.
struct PillowAxis {
  int64_t in = 0;
  int64_t out = 0;
  int32_t taps = 0;  ///< the widest count; the stride of `weights`
  std::vector<int64_t> first;
  std::vector<int32_t> count;    ///< at least 1
  std::vector<int32_t> weights;  ///< zero beyond count
  bool identity = false;         ///< the pass would change nothing; every output has one tap
};

/// A part of an axis of `in` source and `out` output pixels, with indices that count from the
/// part's first. May throw std::bad_alloc.
PillowAxis MakePillowAxis(int64_t in, int64_t out, const AxisPart& part);

/// The source indices that outputs [first, first + count) may read; count > 0.
TapRange PillowTaps(int64_t in, int64_t out, int64_t first, int64_t count);

/// The most taps that any output has. Never too few.
int64_t MostPillowTaps(int64_t in, int64_t out);

/// Whether the vertical pass comes first: since its release 13, Pillow chooses by the sizes.
bool PillowRowsFirst(const Problem& problem);

/// What of a problem Rounding::kPillow does not go with, if anything.
Status CheckPillow(const Problem& problem);

}  // namespace sr_ops
