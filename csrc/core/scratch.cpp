#include "core/scratch.h"

#include <memory>
#include <new>

namespace sr_ops {
namespace {

constexpr std::align_val_t kAlignment{128};

struct Release {
  void operator()(void* memory) const { ::operator delete(memory, kAlignment); }
};

struct Buffer {
  std::unique_ptr<void, Release> memory;
  size_t bytes = 0;
};

}  // namespace

void* Scratch(size_t bytes) noexcept {
  thread_local Buffer buffer;
  if (bytes > buffer.bytes) {
    buffer.memory.reset();
    buffer.bytes = 0;
    buffer.memory.reset(::operator new(bytes, kAlignment, std::nothrow));
    if (!buffer.memory) return nullptr;
    buffer.bytes = bytes;
  }
  return buffer.memory.get();
}

}  // namespace sr_ops
