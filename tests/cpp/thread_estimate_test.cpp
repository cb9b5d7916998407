// What a node of an ONNX Runtime session believes of the session's threads. Prints the first
// expectation that fails.
#include "ort/thread_estimate.h"

#include <cstdio>
#include <cstdlib>

namespace {

using sr_ops::ort::ThreadEstimate;

constexpr int64_t kLarge = int64_t{1} << 24;
constexpr int64_t kSmall = 1000;

#define EXPECT(condition)                               \
  if (!(condition)) {                                   \
    std::printf("line %d: %s\n", __LINE__, #condition); \
    std::exit(1);                                       \
  }

void StartsFromTheMachine() {
  const ThreadEstimate estimate(16);
  EXPECT(estimate.For(kLarge) == 16);
  EXPECT(estimate.For(kSmall) == 1);  // not worth waking anyone
  EXPECT(estimate.For(100000) == 3);
}

void LearnsThatItIsAlone() {
  const ThreadEstimate estimate(16);
  for (int call = 0; call < 8; ++call) {
    EXPECT(estimate.For(kLarge) == 16);
    estimate.Observe(64, false);
  }
  EXPECT(estimate.For(kLarge) == 1);
}

void SingleTilesProveNothing() {
  const ThreadEstimate estimate(16);
  for (int call = 0; call < 100; ++call) estimate.Observe(1, false);
  EXPECT(estimate.For(kLarge) == 16);
}

void HelpConvincesAtOnce() {
  const ThreadEstimate estimate(16);
  for (int call = 0; call < 20; ++call) estimate.Observe(64, false);
  EXPECT(estimate.For(kLarge) == 1);
  estimate.Observe(3, true);  // three planes, so several tiles even so
  EXPECT(estimate.For(kLarge) == 16);
}

void LooksAgainNowAndThen() {
  const ThreadEstimate estimate(16);
  int looks = 0;
  for (int call = 0; call < 1000; ++call) {
    const int threads = estimate.For(kLarge);
    looks += call >= 8 && threads == 16;
    estimate.Observe(threads == 1 ? 1 : 64, false);  // one plane: one tile for one thread
  }
  EXPECT(looks == 1000 / 64);
}

}  // namespace

int main() {
  StartsFromTheMachine();
  LearnsThatItIsAlone();
  SingleTilesProveNothing();
  HelpConvincesAtOnce();
  LooksAgainNowAndThen();
  EXPECT(ThreadEstimate().For(kLarge) >= 1);
}
