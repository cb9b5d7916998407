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

/// Each output's pairs, which begin at odd indices or, with 0, at even ones. Returns how many in
/// all.
int64_t FindPairs(int64_t odd, PillowPass* pass) {
  int64_t all = 0;
  for (size_t o = 0; o < pass->axis.first.size(); ++o) {
    const int64_t first = pass->axis.first[o], end = first + pass->axis.count[o];
    const int64_t begin = (first + odd) / 2 * 2 - odd;
    pass->begin[o] = static_cast<int32_t>(begin);
    pass->pair_count[o] = static_cast<int32_t>((end - begin + 1) / 2);
    all += pass->pair_count[o];
  }
  return all;
}

PillowPass MakePass(PillowAxis&& axis, bool shares_pairs) {
  PillowPass pass;
  pass.axis = std::move(axis);
  const PillowAxis& of = pass.axis;
  pass.begin.resize(of.first.size());
  pass.pair_count.resize(of.first.size());
  if (shares_pairs) {
    // Halved, for one, all runs begin at odd indices.
    const int64_t even = FindPairs(0, &pass);
    if (FindPairs(1, &pass) >= even) FindPairs(0, &pass);
  } else {
    std::copy(of.first.begin(), of.first.end(), pass.begin.begin());
    std::transform(of.count.begin(), of.count.end(), pass.pair_count.begin(),
                   [](int32_t count) { return (count + 1) / 2; });
  }
  pass.pairs = *std::max_element(pass.pair_count.begin(), pass.pair_count.end());
  pass.pair_weights.resize(static_cast<size_t>(of.out * pass.pairs * 2));
  for (int64_t o = 0; o < of.out; ++o) {
    const int64_t first = of.first[static_cast<size_t>(o)],
                  count = of.count[static_cast<size_t>(o)];
    const auto weight_of = [&](int64_t i) {
      const bool has = i >= first && i < first + count;
      return has ? of.weights[static_cast<size_t>(o * of.taps + i - first)] : 0;
    };
    int32_t* to = &pass.pair_weights[static_cast<size_t>(o * pass.pairs * 2)];
    for (int64_t i = pass.Begin(o); i < pass.End(o); i += 2, to += 2) {
      WritePair(weight_of(i), weight_of(i + 1), to);
    }
  }
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
  PillowTables tables;
  // Many channels are what a vector holds.
  tables.strips = p.layout == Layout::kChannelsFirst || p.channels < kPillowManyChannels;
  PillowAxis rows = MakePillowAxis(p.in_height, p.out_height, RowsOf(p));
  PillowAxis columns = MakePillowAxis(p.in_width, p.out_width, ColumnsOf(p));
  // Enlarged, few outputs share a pair, and there would be more of them.
  tables.paired_rows =
      tables.strips && !PillowRowsFirst(p) && !columns.identity && p.out_height < p.in_height;
  tables.rows = MakePass(std::move(rows), tables.paired_rows);
  tables.columns = MakePass(std::move(columns), tables.strips && !columns.identity);
  return tables;
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
