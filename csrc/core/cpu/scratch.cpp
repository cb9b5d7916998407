#include "core/cpu/scratch.h"

#include <cstdint>
#include <new>

#if defined(_WIN32) || defined(__wasm__)
#include <memory>
#else
#include <pthread.h>
#endif

namespace sr_ops {
namespace {

constexpr size_t kAlignment = 128;

/// Where a block begins; what is used of it begins kAlignment bytes further on.
struct Header {
  size_t bytes;
};

void* Allocate(size_t bytes) {
  if (bytes > SIZE_MAX - kAlignment) return nullptr;
  void* const block =
      ::operator new (kAlignment + bytes, std::align_val_t{kAlignment}, std::nothrow);
  if (block) static_cast<Header*>(block)->bytes = bytes;
  return block;
}

void Release(void* block) { ::operator delete (block, std::align_val_t{kAlignment}); }

#if defined(_WIN32) || defined(__wasm__)

struct Releaser {
  void operator()(void* block) const { Release(block); }
};
thread_local std::unique_ptr<void, Releaser> own_block;

void* GetBlock() { return own_block.get(); }
bool SetBlock(void* block) {
  own_block.reset(block);
  return true;
}

#else

// Not thread_local: where memory is out, the first use of such a variable and the registration of
// its destructor end the process; here both fail and say so.
class Key {
 public:
  Key() : made_(pthread_key_create(&key_, Release) == 0) {}
  // When the library is unloaded: Release goes with it. (Blocks of living threads are lost.)
  ~Key() {
    if (made_) pthread_key_delete(key_);
    made_ = false;
  }
  void* Get() const { return made_ ? pthread_getspecific(key_) : nullptr; }
  bool Set(void* block) const { return made_ && pthread_setspecific(key_, block) == 0; }

 private:
  pthread_key_t key_{};
  bool made_;
};

const Key key;

void* GetBlock() { return key.Get(); }
bool SetBlock(void* block) {
  void* const old = key.Get();
  if (!key.Set(block)) return false;
  Release(old);
  return true;
}

#endif

}  // namespace

void* Scratch(size_t bytes) noexcept {
  void* block = GetBlock();
  if (!block || static_cast<Header*>(block)->bytes < bytes) {
    if (block) SetBlock(nullptr);  // first, so that both are never there at the same time
    block = Allocate(bytes);
    if (!block) return nullptr;
    if (!SetBlock(block)) {
      Release(block);
      return nullptr;
    }
  }
  return static_cast<char*>(block) + kAlignment;
}

}  // namespace sr_ops
