// Working memory of a thread: one buffer, kept between calls, aligned for any vector.
#pragma once

#include <cstddef>

namespace sr_ops {

/// The most that one thread may ask for, at any image size.
constexpr size_t kScratchLimit = size_t{1} << 20;  // bytes

/// Rounds a byte count up so that the next piece of a scratch buffer stays aligned.
constexpr size_t AlignedBytes(size_t bytes) { return (bytes + 127) & ~size_t{127}; }

/// This thread's buffer of at least `bytes` (<= kScratchLimit), 128-byte aligned, valid until the
/// thread's next call. nullptr where memory is out.
void* Scratch(size_t bytes) noexcept;

}  // namespace sr_ops
