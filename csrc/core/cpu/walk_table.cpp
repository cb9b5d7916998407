#include "core/cpu/walk_table.h"

#include <algorithm>

namespace sr_ops {
namespace {

template <typename Accumulator>
class Builder {
 public:
  Builder(const RoundedAxis<Accumulator>& axis, bool finite) : axis_(axis), finite_(finite) {}

  WalkTable<Accumulator> Build() {
    if (!CanBeWalked()) return {};
    table_.first.assign(static_cast<size_t>(axis_.out + kWalkPadding), 0);
    table_.end.assign(static_cast<size_t>(axis_.out + kWalkPadding), 0);
    for (int64_t index = axis_.first[0]; ended_ < axis_.out; index = Next(index)) {
      while (begun_ < axis_.out && axis_.first[begun_] <= index) ++begun_;
      // Two steps where windows that should only meet overlap by a rounding: the oldest outputs end
      // in the first one, and their slots are free for the second.
      for (int64_t done = ended_; done < begun_;) {
        const int64_t until = std::min(begun_, ended_ + kWalkSlots);
        AddStep(index, done, until);
        done = until;
      }
    }
    for (int64_t o = axis_.out; o < axis_.out + kWalkPadding; ++o) {
      table_.first[o] = table_.end[o] = steps();
    }
    CountAlike();
    return std::move(table_);
  }

 private:
  int64_t steps() const { return static_cast<int64_t>(table_.source.size()); }
  int64_t Last(int64_t o) const { return axis_.first[o] + axis_.count[o] - 1; }

  // Windows move one way, and each slot is free when it is needed.
  bool CanBeWalked() const {
    for (int64_t o = 0; o < axis_.out; ++o) {
      if (axis_.count[o] < 1) return false;
      if (o > 0 && (axis_.first[o] < axis_.first[o - 1] || Last(o) < Last(o - 1))) return false;
      if (o >= kWalkSlots && axis_.first[o] < Last(o - kWalkSlots)) return false;
    }
    return axis_.out > 0;
  }

  // The next index that any output needs.
  int64_t Next(int64_t index) const {
    const bool between = ended_ == begun_ && begun_ < axis_.out;
    return between ? std::max(index + 1, axis_.first[begun_]) : index + 1;
  }

  // One step at `index` for outputs [from, until).
  void AddStep(int64_t index, int64_t from, int64_t until) {
    const size_t at = table_.weights.size();
    table_.weights.resize(at + kWalkSlots, Accumulator(0));
    int active = finite_ ? kAllSlots : 0;
    for (int64_t o = from; o < until; ++o) {
      const int64_t k = index - axis_.first[o];
      if (k == 0) table_.first[o] = steps();
      table_.weights[at + o % kWalkSlots] = axis_.weights[o * axis_.taps + k];
      active |= 1 << o % kWalkSlots;
    }
    table_.source.push_back(std::clamp<int64_t>(index, 0, axis_.in - 1));
    table_.active.push_back(static_cast<uint8_t>(active));
    for (; ended_ < until && Last(ended_) == index; ++ended_) table_.end[ended_] = steps();
  }

  void CountAlike() {
    std::vector<bool> ends(static_cast<size_t>(steps()) + 1);
    for (int64_t end : table_.end) ends[end] = true;
    table_.alike.assign(static_cast<size_t>(steps()), 1);
    table_.straight.assign(static_cast<size_t>(steps()), 0);
    for (int64_t s = steps() - 1; s >= 0; --s) {
      const bool all = table_.active[s] == kAllSlots;
      table_.straight[s] = all ? 1 : 0;
      if (s == steps() - 1 || table_.source[s + 1] != table_.source[s] + 1) continue;
      if (all && table_.straight[s + 1] < INT32_MAX)
        table_.straight[s] = table_.straight[s + 1] + 1;
      if (ends[s + 1] || table_.active[s + 1] != table_.active[s] ||
          table_.alike[s + 1] == INT32_MAX) {
        continue;
      }
      table_.alike[s] = table_.alike[s + 1] + 1;
    }
  }

  const RoundedAxis<Accumulator>& axis_;
  const bool finite_;
  WalkTable<Accumulator> table_;
  int64_t begun_ = 0;  // outputs whose first tap has been seen
  int64_t ended_ = 0;  // outputs whose last tap has been
};

}  // namespace

template <typename Accumulator>
WalkTable<Accumulator> MakeWalkTable(const RoundedAxis<Accumulator>& axis, bool finite) {
  return Builder<Accumulator>(axis, finite).Build();
}

template WalkTable<float> MakeWalkTable(const RoundedAxis<float>&, bool);

}  // namespace sr_ops
