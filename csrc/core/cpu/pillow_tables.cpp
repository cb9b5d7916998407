#include "core/cpu/pillow_tables.h"

#include <algorithm>
#include <utility>

#include "core/cpu/each_element.h"

namespace sr_ops {
namespace {

int32_t TwoWords(int32_t low, int32_t high) {
  return static_cast<int32_t>((static_cast<uint32_t>(low) & 0xffffu) | static_cast<uint32_t>(high)
                                                                           << 16);
}

/// w = 256 * high + low, low in [-128, 127].
struct Halves {
  int32_t high;
  int32_t low;
  explicit Halves(int32_t w) : high((w + 128) >> 8), low(w - high * 256) {}
};

void WritePair(int32_t a, int32_t b, int32_t* pair) {
  if (!kPillowSplitsWeights) {
    pair[0] = a;
    pair[1] = b;
    return;
  }
  const Halves first(a), second(b);
  pair[0] = TwoWords(first.high, second.high);
  pair[1] = TwoWords(first.low, second.low);
}

PillowPass MakePass(PillowAxis&& axis) {
  PillowPass pass;
  pass.pairs = (axis.taps + 1) / 2;
  pass.pair_weights.resize(static_cast<size_t>(axis.out * pass.pairs * 2));
  for (int64_t o = 0; o < axis.out; ++o) {
    const int32_t* weights = &axis.weights[static_cast<size_t>(o * axis.taps)];
    for (int64_t k = 0; k < axis.taps; k += 2) {
      const int32_t second = k + 1 < axis.taps ? weights[k + 1] : 0;
      WritePair(weights[k], second,
                &pass.pair_weights[static_cast<size_t>((o * pass.pairs) * 2 + k)]);
    }
  }
  pass.axis = std::move(axis);
  return pass;
}

uint8_t Clamped(uint32_t sum) {
  return static_cast<uint8_t>(std::clamp(static_cast<int32_t>(sum) >> kPillowBits, 0, 255));
}

/// One output of a pass. Sums wrap around, as Pillow's do.
template <typename ValueAt>
uint8_t Resampled(const PillowAxis& axis, int64_t o, const ValueAt& value_at) {
  const int32_t* weights = &axis.weights[static_cast<size_t>(o * axis.taps)];
  uint32_t sum = 1u << (kPillowBits - 1);
  for (int32_t k = 0; k < axis.count[static_cast<size_t>(o)]; ++k) {
    const uint32_t value = value_at(axis.first[static_cast<size_t>(o)] + k);
    sum += static_cast<uint32_t>(weights[k]) * value;
  }
  return Clamped(sum);
}

}  // namespace

PillowTables MakePillowTables(const Problem& p) {
  return {MakePass(MakePillowAxis(p.in_height, p.out_height, RowsOf(p))),
          MakePass(MakePillowAxis(p.in_width, p.out_width, ColumnsOf(p)))};
}

bool RunPillowScalar(const Plan& plan, const ConstView& source, const View& destination,
                     const TileArea& area) {
  const PillowAxis& rows = plan.pillow->rows.axis;
  const PillowAxis& columns = plan.pillow->columns.axis;
  EachElement<uint8_t>(
      plan, source, destination, area, [&](const auto& load, int64_t y, int64_t x, uint8_t* out) {
        if (plan.rows_first) {
          *out = Resampled(columns, x, [&](int64_t column) {
            return Resampled(rows, y, [&](int64_t row) { return load(row, column); });
          });
        } else {
          *out = Resampled(rows, y, [&](int64_t row) {
            return Resampled(columns, x, [&](int64_t column) { return load(row, column); });
          });
        }
      });
  return true;
}

}  // namespace sr_ops
