// How many threads a session has, learnt from watching it: the C API does not tell.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>

namespace sr_ops::ort {

/// Starts from the machine's number of processors. A session with one thread shows itself: its
/// tiles never run on any thread but the caller's. Cutting an image for threads that are not there
/// costs up to 40 % (strips repeat rows of their neighbours); results never depend on it.
class ThreadEstimate {
 public:
  explicit ThreadEstimate(int processors = Processors()) : processors_(processors) {}

  /// Threads to cut `elements` of output for.
  int For(int64_t elements) const {
    const uint32_t alone = alone_.load(std::memory_order_relaxed);
    if (alone >= kConvinced && alone % kLookAgain != 0) return 1;
    // Waking a thread costs as much as some ten thousand elements.
    const int64_t worthwhile = std::max<int64_t>(elements / kElementsPerThread, 1);
    return static_cast<int>(std::min<int64_t>(worthwhile, processors_));
  }

  /// After each call: whether other threads than the caller's ran some of its tiles.
  void Observe(int64_t tiles, bool others_helped) const {
    if (others_helped) {
      alone_.store(0, std::memory_order_relaxed);
    } else if (tiles > 1 || alone_.load(std::memory_order_relaxed) >= kConvinced) {
      alone_.fetch_add(1, std::memory_order_relaxed);
    }
  }

 private:
  static constexpr uint32_t kConvinced = 8;   // calls in a row without help
  static constexpr uint32_t kLookAgain = 64;  // the pool may only have been busy
  static constexpr int64_t kElementsPerThread = 32768;

  static int Processors() {
    static const int processors =
        std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    return processors;
  }

  int processors_;
  mutable std::atomic<uint32_t> alone_{0};
};

}  // namespace sr_ops::ort
