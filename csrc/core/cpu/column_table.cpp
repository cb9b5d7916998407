#include "core/cpu/column_table.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <unordered_map>

#include "core/narrow.h"

namespace sr_ops {
namespace {

/// Beyond this many vectors a block's lanes are gathered one by one.
constexpr int64_t kWidestSpread = 4;

/// Collects block data, equal pieces once. Offsets instead of pointers until all is there.
template <typename Accumulator>
class Storage {
 public:
  size_t Add(const std::vector<Accumulator>& piece) {
    std::string key(reinterpret_cast<const char*>(piece.data()),
                    piece.size() * sizeof(Accumulator));
    const auto [entry, is_new] = offsets_.emplace(std::move(key), data_.size());
    if (is_new) data_.insert(data_.end(), piece.begin(), piece.end());
    return entry->second;
  }
  AlignedVector<Accumulator> Take() { return std::move(data_); }

 private:
  std::unordered_map<std::string, size_t> offsets_;
  AlignedVector<Accumulator> data_;
};

/// Indices count from a block's first source element. Those beyond 32 bits are cut off: a block
/// that wide does not fit scratch memory, and the scalar kernel, which uses none, computes it.
template <typename Accumulator>
Accumulator AsBits(int64_t value) {
  const auto index = static_cast<typename LaneIndex<Accumulator>::type>(value);
  Accumulator bits;
  std::memcpy(&bits, &index, sizeof bits);
  return bits;
}

template <typename Accumulator>
class Builder {
 public:
  Builder(const RoundedAxis<Accumulator>& axis, int64_t channels, int64_t lanes)
      : axis_(axis), channels_(channels), lanes_(lanes) {
    table_.lanes = lanes;
    table_.channels = channels;
    table_.elements = axis.out * channels;
    table_.source_elements = axis.in * channels;
  }

  ColumnTable<Accumulator> Build() {
    if (channels_ >= lanes_) {
      table_.method = ColumnMethod::kChannels;
      return std::move(table_);
    }
    table_.method = ChooseMethod();
    if (table_.method == ColumnMethod::kShifted) {
      table_.span = WidestShiftedSpan();
      const int64_t spread = (table_.span + lanes_ - 1) / lanes_;
      table_.spread = spread == 3 ? 4 : spread <= kWidestSpread ? static_cast<int32_t>(spread) : 0;
    }
    if (table_.method != ColumnMethod::kShifted) FindPlain();
    if (table_.method == ColumnMethod::kLoadPerTap) table_.load_per_pair = PairsFit();
    Storage<Accumulator> storage;
    std::vector<size_t> offsets(table_.block_count());
    table_.blocks.resize(table_.block_count());
    table_.details.resize(table_.block_count());
    for (int64_t b = 0; b < table_.block_count(); ++b) {
      offsets[b] =
          storage.Add(table_.method == ColumnMethod::kShifted ? ShiftedBlock(b) : FourTapBlock(b));
    }
    table_.storage = storage.Take();
    for (int64_t b = 0; b < table_.block_count(); ++b) {
      table_.blocks[b].data = table_.storage.data() + offsets[b];
    }
    if (table_.method == ColumnMethod::kOneLoad) FindRepeated();
    return std::move(table_);
  }

 private:
  // The output element of a lane; lanes beyond the row's end repeat its last element.
  int64_t ElementOf(int64_t block, int64_t lane) const {
    return std::min(block * lanes_ + lane, table_.elements - 1);
  }
  int64_t PixelOf(int64_t block, int64_t lane) const { return ElementOf(block, lane) / channels_; }

  int64_t ClampedSource(int64_t block, int64_t lane, int32_t tap) const {
    const int64_t e = ElementOf(block, lane);
    const int64_t pixel = std::clamp<int64_t>(axis_.first[e / channels_] + tap, 0, axis_.in - 1);
    return pixel * channels_ + e % channels_;
  }

  struct Span {
    int64_t low;
    int64_t high;  // inclusive
    int64_t length() const { return high - low + 1; }
  };
  Span TapSpan(int64_t block, int32_t tap) const {
    Span span{INT64_MAX, INT64_MIN};
    for (int64_t lane = 0; lane < lanes_; ++lane) {
      const int64_t e = ClampedSource(block, lane, tap);
      span.low = std::min(span.low, e);
      span.high = std::max(span.high, e);
    }
    return span;
  }

  bool IsPlain(int64_t block) const {
    for (int64_t lane = 0; lane < lanes_; ++lane) {
      const int64_t first = axis_.first[PixelOf(block, lane)];
      if (first < 0 || first + 4 > axis_.in) return false;
    }
    // By kLoadPerTap, the last tap's load must be one that needs no moving to stay inside the row.
    const int64_t low = TapSpan(block, 3).low;
    return table_.method == ColumnMethod::kOneLoad || Inside(low) == low;
  }
  void FindPlain() {
    const int64_t count = table_.block_count();
    while (table_.plain_begin < count && !IsPlain(table_.plain_begin)) ++table_.plain_begin;
    table_.plain_end = table_.plain_begin;
    while (table_.plain_end < count && IsPlain(table_.plain_end)) ++table_.plain_end;
  }

  // Whether a load that reaches each lane's tap reaches the next one, too.
  bool PairsFit() const {
    for (int64_t b = table_.plain_begin; b < table_.plain_end; ++b) {
      if (TapSpan(b, 0).length() + channels_ > lanes_) return false;
    }
    return true;
  }

  // The longest run of equal data that starts where the plain blocks do.
  void FindRepeated() {
    const auto& blocks = table_.blocks;
    table_.repeated_begin = table_.repeated_end = table_.plain_begin;
    while (table_.repeated_end < table_.plain_end &&
           blocks[table_.repeated_end].data == blocks[table_.repeated_begin].data) {
      ++table_.repeated_end;
    }
  }

  ColumnMethod ChooseMethod() const {
    if (!axis_.HasFourTaps()) return ColumnMethod::kShifted;
    bool one_load = true;
    for (int64_t b = 0; b < table_.block_count(); ++b) {
      Span all{INT64_MAX, INT64_MIN};
      for (int32_t k = 0; k < 4; ++k) {
        const Span span = TapSpan(b, k);
        if (span.length() > lanes_) return ColumnMethod::kShifted;
        all.low = std::min(all.low, span.low);
        all.high = std::max(all.high, span.high);
      }
      one_load = one_load && all.length() <= lanes_;
    }
    return one_load ? ColumnMethod::kOneLoad : ColumnMethod::kLoadPerTap;
  }

  // A load must stay inside the row where the row is long enough.
  int64_t Inside(int64_t element) const {
    return std::clamp<int64_t>(element, 0, std::max<int64_t>(table_.source_elements - lanes_, 0));
  }

  void AppendWeights(int64_t block, int32_t tap, std::vector<Accumulator>* data) const {
    for (int64_t lane = 0; lane < lanes_; ++lane) {
      data->push_back(axis_.weights[PixelOf(block, lane) * axis_.taps + tap]);
    }
  }

  std::vector<Accumulator> FourTapBlock(int64_t b) {
    ColumnBlock<Accumulator>& block = table_.blocks[b];
    int64_t loads[4];
    int64_t lowest = INT64_MAX;
    for (int32_t k = 0; k < 4; ++k) {
      loads[k] = Inside(TapSpan(b, k).low);
      lowest = std::min(lowest, loads[k]);
    }
    block.first = lowest;
    std::vector<Accumulator> data;
    data.reserve(8 * lanes_);
    const bool one_load = table_.method == ColumnMethod::kOneLoad;
    for (int32_t k = 0; k < 4; ++k) {
      if (one_load) loads[k] = lowest;
      table_.details[b].tap_offset[k] = Narrow<int32_t>(loads[k] - lowest);
    }
    const auto append_indices = [&](int32_t k) {
      for (int64_t lane = 0; lane < lanes_; ++lane) {
        data.push_back(AsBits<Accumulator>(ClampedSource(b, lane, k) - loads[k]));
      }
    };
    append_indices(0);
    for (int32_t k = 0; k < 4; ++k) AppendWeights(b, k, &data);
    if (b >= table_.plain_begin && b < table_.plain_end) return data;
    for (int32_t k = 1; k < 4; ++k) append_indices(k);
    return data;
  }

  // Unclamped element of a lane's first tap: the row is padded.
  int64_t FirstSource(int64_t block, int64_t lane) const {
    const int64_t e = ElementOf(block, lane);
    return axis_.first[e / channels_] * channels_ + e % channels_;
  }
  Span ShiftedSpan(int64_t block) const {
    Span span{INT64_MAX, INT64_MIN};
    for (int64_t lane = 0; lane < lanes_; ++lane) {
      span.low = std::min(span.low, FirstSource(block, lane));
      span.high = std::max(span.high, FirstSource(block, lane));
    }
    return span;
  }
  int64_t WidestShiftedSpan() const {
    int64_t widest = 0;
    for (int64_t b = 0; b < table_.block_count(); ++b) {
      widest = std::max(widest, ShiftedSpan(b).length());
    }
    return widest;
  }

  std::vector<Accumulator> ShiftedBlock(int64_t b) {
    ColumnBlock<Accumulator>& block = table_.blocks[b];
    block.first = ShiftedSpan(b).low;
    ColumnBlockDetails& details = table_.details[b];
    details.taps = 0;
    details.common_taps = INT32_MAX;
    std::vector<Accumulator> data;
    for (int64_t lane = 0; lane < lanes_; ++lane) {
      data.push_back(AsBits<Accumulator>(FirstSource(b, lane) - block.first));
    }
    for (int64_t lane = 0; lane < lanes_; ++lane) {
      const int32_t count = axis_.count[PixelOf(b, lane)];
      details.taps = std::max(details.taps, count);
      details.common_taps = std::min(details.common_taps, count);
      data.push_back(AsBits<Accumulator>(count));
    }
    for (int32_t k = 0; k < details.taps; ++k) AppendWeights(b, k, &data);
    return data;
  }

  const RoundedAxis<Accumulator>& axis_;
  int64_t channels_;
  int64_t lanes_;
  ColumnTable<Accumulator> table_;
};

}  // namespace

template <typename Accumulator>
ColumnTable<Accumulator> MakeColumnTable(const RoundedAxis<Accumulator>& axis, int64_t channels,
                                         int64_t lanes) {
  return Builder<Accumulator>(axis, channels, lanes).Build();
}

template <typename Accumulator>
ElementRange SourceRange(const ColumnTable<Accumulator>& table,
                         const RoundedAxis<Accumulator>& axis, int64_t first_element,
                         int64_t last_element) {
  ElementRange range{INT64_MAX, INT64_MIN};
  if (table.method == ColumnMethod::kChannels) {
    for (int64_t x = first_element / table.channels; x < last_element / table.channels; ++x) {
      range.begin = std::min(range.begin, axis.first[x] * table.channels);
      range.end = std::max(range.end, (axis.first[x] + axis.count[x]) * table.channels);
    }
    return range;
  }
  const int64_t last_block = (last_element + table.lanes - 1) / table.lanes;
  for (int64_t b = first_element / table.lanes; b < last_block; ++b) {
    const ColumnBlock<Accumulator>& block = table.blocks[b];
    const ColumnBlockDetails& details = table.details[b];
    int64_t reach = table.lanes;  // elements from `first` to the end of the last load
    if (table.method == ColumnMethod::kLoadPerTap) {
      reach += *std::max_element(details.tap_offset, details.tap_offset + 4);
    } else if (table.method == ColumnMethod::kShifted) {
      reach = std::max<int64_t>(details.taps - 1, 0) * table.channels +
              std::max(table.spread * table.lanes, table.span);
    }
    range.begin = std::min(range.begin, block.first);
    range.end = std::max(range.end, block.first + reach);
  }
  return range;
}

template ColumnTable<float> MakeColumnTable(const RoundedAxis<float>&, int64_t, int64_t);
template ColumnTable<double> MakeColumnTable(const RoundedAxis<double>&, int64_t, int64_t);
template ElementRange SourceRange(const ColumnTable<float>&, const RoundedAxis<float>&, int64_t,
                                  int64_t);
template ElementRange SourceRange(const ColumnTable<double>&, const RoundedAxis<double>&, int64_t,
                                  int64_t);

}  // namespace sr_ops
