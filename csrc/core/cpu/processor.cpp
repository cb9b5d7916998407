#include "core/cpu/processor.h"

#include "core/cpu/highway_targets.h"
#include "hwy/detect_targets.h"

#if HWY_ARCH_X86 && defined(_MSC_VER) && !defined(__clang__)
#include <immintrin.h>
#include <intrin.h>
#endif

namespace sr_ops {
namespace {

#if HWY_ARCH_X86

struct Features {
  bool sse4;
  bool avx2;  // with all that Highway's AVX2 target compiles with
  bool avx3;
};

#if defined(_MSC_VER) && !defined(__clang__)

Features Detect() {
  const auto has = [](int word, int bit) { return (word >> bit & 1) != 0; };
  int leaf1[4], leaf7[4] = {};
  __cpuid(leaf1, 0);
  const int leaves = leaf1[0];
  __cpuid(leaf1, 1);
  if (leaves >= 7) __cpuidex(leaf7, 7, 0);
  const int ecx = leaf1[2], ebx = leaf7[1];
  const bool sse4 = has(ecx, 19) && has(ecx, 20) && has(ecx, 1) && has(ecx, 25);
  const uint64_t saved = has(ecx, 27) ? _xgetbv(0) : 0;  // registers that the system saves
  const bool avx2 = sse4 && has(ecx, 12) && has(ecx, 28) && has(ecx, 29) && has(ebx, 5) &&
                    has(ebx, 3) && has(ebx, 8) && (saved & 0x6) == 0x6;
  const bool avx3 = avx2 && has(ebx, 16) && has(ebx, 17) && has(ebx, 28) && has(ebx, 30) &&
                    has(ebx, 31) && (saved & 0xe6) == 0xe6;
  return {sse4, avx2, avx3};
}

#else

Features Detect() {
  // The compiler's run-time library asks the system, too, which registers it saves.
  __builtin_cpu_init();
  const bool sse4 = __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("sse4.2") &&
                    __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("aes");
  // F16C, which this cannot be asked for everywhere, came before AVX2 from every maker.
  const bool avx2 = sse4 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  const bool avx3 = avx2 && __builtin_cpu_supports("avx512f") &&
                    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512vl") &&
                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
  return {sse4, avx2, avx3};
}

#endif

bool IsOfAmd() {
#if defined(_MSC_VER) && !defined(__clang__)
  int leaf[4];
  __cpuid(leaf, 0);
  return leaf[1] == 0x68747541 && leaf[3] == 0x69746e65 && leaf[2] == 0x444d4163;  // AuthenticAMD
#else
  __builtin_cpu_init();
  return __builtin_cpu_is("amd");
#endif
}

int64_t Supported() {
  const Features has = Detect();
  return (has.sse4 ? HWY_SSE4 : 0) | (has.avx2 ? HWY_AVX2 : 0) | (has.avx3 ? HWY_AVX3 : 0);
}

#else

// One target for a whole architecture: what is compiled runs.
int64_t Supported() { return HWY_TARGETS; }

bool IsOfAmd() { return false; }

#endif

}  // namespace

int64_t SupportedTargets() {
  static const int64_t supported = Supported() & HWY_TARGETS;
  return supported;
}

bool FetchesForStores() {
  static const bool fetches = IsOfAmd();
  return fetches;
}

bool FollowsManyRows() {
  static const bool follows = !IsOfAmd();
  return follows;
}

}  // namespace sr_ops
