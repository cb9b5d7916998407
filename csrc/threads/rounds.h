// A long call in rounds of a tenth of a second, between which whoever runs it may look for signals.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace sr_ops {

/// Elements, read or written: what is smaller is done before anybody can press a key.
constexpr double kLongCall = 1 << 22;

/// Into how many threads' tiles to cut a call that may have to stop soon: as `threads` need it, and
/// so that a tile takes some hundredths of a second, by slow kernels too.
inline int CutFor(int threads, double elements) {
  constexpr double kElementsPerTile = 1 << 21;
  constexpr double kTilesPerThread = 4;
  constexpr double kMostThreads = 1 << 20;
  return static_cast<int>(
      std::clamp<double>(elements / (kElementsPerTile * kTilesPerThread), threads, kMostThreads));
}

/// The tiles of a call. Between rounds no thread is at work for it: handlers of signals may do as
/// they like there, also fork.
class Rounds {
 public:
  /// `in_rounds` false: one round, to the end.
  Rounds(int64_t tiles, bool in_rounds) : tiles_(tiles), in_rounds_(in_rounds) { Start(); }

  /// Starts the next round.
  void Start() {
    if (in_rounds_) end_ = Clock::now() + kRound;
  }

  /// Takes part in this round, on any thread: calls run(tile) until its time is over or all are
  /// done. Tiles come from a counter: a thread that comes late or is descheduled holds up nobody.
  template <typename Run>
  void Work(const Run& run) {
    while (!in_rounds_ || Clock::now() < end_) {
      const int64_t tile = next_.fetch_add(1, std::memory_order_relaxed);
      if (tile >= tiles_) return;
      run(tile);
    }
  }

  /// Between rounds: tiles that nobody has begun.
  int64_t left() const { return std::max<int64_t>(tiles_ - next_.load(), 0); }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kRound{100};

  const int64_t tiles_;
  const bool in_rounds_;
  Clock::time_point end_;
  std::atomic<int64_t> next_{0};
};

}  // namespace sr_ops
