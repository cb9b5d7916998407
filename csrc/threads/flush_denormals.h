// Arithmetic that takes denormal numbers for zero, for a while.
#pragma once

#include <cstdint>

#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace sr_ops {

/// While it lives, and if asked to: denormal operands and results of this thread's vector and
/// scalar arithmetic are zero. No effect on processors other than x86-64 and 64-bit ARM.
class FlushDenormals {
 public:
  explicit FlushDenormals(bool flush) : before_(Get()) {
    if (flush) Set(before_ | kFlush);
  }
  ~FlushDenormals() { Set(before_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
#if defined(__SSE2__) || defined(_M_X64)
  using Control = unsigned int;
  static constexpr Control kFlush = 0x8040;  // flush to zero, denormals are zeros
  static Control Get() { return _mm_getcsr(); }
  static void Set(Control value) { _mm_setcsr(value); }
#elif defined(__aarch64__) && defined(__GNUC__)
  using Control = uint64_t;
  static constexpr Control kFlush = Control{1} << 24;  // FPCR.FZ
  static Control Get() {
    Control value;
    __asm__ volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  static void Set(Control value) { __asm__ volatile("msr fpcr, %0" : : "r"(value)); }
#else
  using Control = int;
  static constexpr Control kFlush = 0;
  static Control Get() { return 0; }
  static void Set(Control) {}
#endif

  Control before_;
};

}  // namespace sr_ops
