#include "failing_allocation.h"

#include <dlfcn.h>
#include <execinfo.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>

extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
}

namespace {

std::atomic<long> left{-1};
std::atomic<long> failed{0};
std::atomic<const char*> library{nullptr};

// The nearest caller that is neither this library nor one of the C and C++ runtime's.
const char* FileOfCaller() {
  void* frames[16];
  const int count = backtrace(frames, 16);
  Dl_info own, info;
  dladdr(reinterpret_cast<void*>(&sr_ops_test_fail_allocation), &own);
  for (int i = 0; i < count; ++i) {
    if (!dladdr(frames[i], &info) || !info.dli_fname) return "";
    if (info.dli_fbase == own.dli_fbase) continue;
    const char* const slash = std::strrchr(info.dli_fname, '/');
    const char* const name = slash ? slash + 1 : info.dli_fname;
    if (std::strncmp(name, "libc.so", 7) && std::strncmp(name, "libstdc++.so", 12)) return name;
  }
  return "";
}

bool Fails() {
  // The usual case first: nothing is asked for.
  if (left.load(std::memory_order_relaxed) < 0) return false;
  const char* const wanted = library.load();
  if (wanted && std::strcmp(FileOfCaller(), wanted) != 0) return false;
  if (left.fetch_sub(1) != 0) return false;
  ++failed;
  errno = ENOMEM;
  return true;
}

}  // namespace

extern "C" {

void sr_ops_test_fail_allocation(long count, const char* name) {
  void* frame;
  backtrace(&frame, 1);  // its first call allocates
  library = name;
  left = count;
}
long sr_ops_test_failed_allocations() { return failed; }

void* malloc(size_t size) { return Fails() ? nullptr : __libc_malloc(size); }
void* calloc(size_t count, size_t size) { return Fails() ? nullptr : __libc_calloc(count, size); }
void* realloc(void* memory, size_t size) {
  return Fails() ? nullptr : __libc_realloc(memory, size);
}
void* memalign(size_t alignment, size_t size) {
  return Fails() ? nullptr : __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void** memory, size_t alignment, size_t size) {
  void* const fresh = memalign(alignment, size);
  if (!fresh) return ENOMEM;
  *memory = fresh;
  return 0;
}
}
