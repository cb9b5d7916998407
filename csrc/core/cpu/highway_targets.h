// Which Highway targets are compiled, and how. Included before anything of Highway, which is used
// as headers alone.
#pragma once

#if defined(__x86_64__) || defined(_M_X64)
// AVX3 (Highway's name for AVX-512) and AVX2 give the same bits as std::fma; SSE4, which has no
// fused multiply-add, is the fallback for older machines. Out: SSSE3, and bits 0 to 7, which
// Highway keeps for what is newer than AVX3 and would gain nothing here.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | 0xffLL)
#elif defined(__aarch64__) || defined(_M_ARM64)
// Vectors of unknown length cannot be kept in arrays, which the vertical pass does.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#endif

// Its debug checks report through its compiled library.
#ifndef HWY_IS_DEBUG_BUILD
#define HWY_IS_DEBUG_BUILD 0
#endif
