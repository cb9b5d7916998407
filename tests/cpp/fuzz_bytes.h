// Reads a fuzzer's input as values. Zeros once it is used up, so that every input is a whole one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace sr_ops::test {

class FuzzBytes {
 public:
  FuzzBytes(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  template <typename T>
  T Take() {
    T value{};
    const size_t count = std::min(sizeof value, size_);
    if (count > 0) std::memcpy(&value, data_, count);
    data_ += count;
    size_ -= count;
    return value;
  }

  /// A small number below `limit`, of one byte.
  int64_t Below(int64_t limit) { return Take<uint8_t>() % limit; }

 private:
  const uint8_t* data_;
  size_t size_;
};

}  // namespace sr_ops::test
