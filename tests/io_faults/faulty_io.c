// A preloaded library that lets one call on the files of a folder fail: open, read, write, rename …
// Calls are counted from sr_ops_test_fail_io(folder, n, error) on; the n-th one fails. With error 0
// none fails, and every read and write does half of what it is asked for.
//
// Calls that clean up (unlink, rmdir, opening a folder to empty it) are left alone: only one call
// fails, and what is to be tested is what becomes of the rest.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST_FILES 4096

static char folder[4096];
static size_t folder_length;
static long countdown = -1;  // calls until the one that fails; -1: none does
static long calls;
static int failure;
static char inside[MOST_FILES];  // by file descriptor
static char failed_call[64];

void sr_ops_test_fail_io(const char* path, long count, int error) {
  strncpy(folder, path ? path : "", sizeof folder - 1);
  folder_length = strlen(folder);
  countdown = count;
  calls = 0;
  failure = error;
  failed_call[0] = 0;
}

long sr_ops_test_io_calls(void) { return calls; }

const char* sr_ops_test_failed_call(void) { return failed_call; }

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

// Whether this call is to fail; errno says how.
static int Fails(const char* call) {
  ++calls;
  if (failure == 0 || countdown < 0 || countdown-- != 0) return 0;
  strncpy(failed_call, call, sizeof failed_call - 1);
  errno = failure;
  return 1;
}

static int Meant(const char* path) {
  return folder_length && path && strncmp(path, folder, folder_length) == 0;
}

static int MeantToBeOpened(const char* path) {
  struct stat found;
  return Meant(path) && !(stat(path, &found) == 0 && S_ISDIR(found.st_mode));
}

static int MeantFile(int file) { return file >= 0 && file < MOST_FILES && inside[file]; }

static size_t Part(int file, size_t count) {
  return MeantFile(file) && failure == 0 && count > 1 ? count / 2 : count;
}

static int Opened(int file, int meant) {
  if (file >= 0 && file < MOST_FILES) inside[file] = (char)meant;
  return file;
}

#define OPEN(name)                                       \
  int name(const char* path, int flags, ...) {           \
    va_list rest;                                        \
    va_start(rest, flags);                               \
    const mode_t mode = va_arg(rest, mode_t);            \
    va_end(rest);                                        \
    const int meant = MeantToBeOpened(path);             \
    if (meant && Fails(#name)) return -1;                \
    return Opened(REAL(name)(path, flags, mode), meant); \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                         \
  int name(int at, const char* path, int flags, ...) {       \
    va_list rest;                                            \
    va_start(rest, flags);                                   \
    const mode_t mode = va_arg(rest, mode_t);                \
    va_end(rest);                                            \
    const int meant = MeantToBeOpened(path);                 \
    if (meant && Fails(#name)) return -1;                    \
    return Opened(REAL(name)(at, path, flags, mode), meant); \
  }
OPENAT(openat)
OPENAT(openat64)

int close(int file) {
  const int meant = MeantFile(file);
  if (file >= 0 && file < MOST_FILES) inside[file] = 0;
  const int result = REAL(close)(file);
  return meant && Fails("close") ? -1 : result;  // closed it is, either way
}

ssize_t read(int file, void* to, size_t count) {
  if (MeantFile(file) && Fails("read")) return -1;
  return REAL(read)(file, to, Part(file, count));
}

ssize_t write(int file, const void* from, size_t count) {
  if (MeantFile(file) && Fails("write")) return -1;
  return REAL(write)(file, from, Part(file, count));
}

ssize_t pread64(int file, void* to, size_t count, off64_t at) {
  if (MeantFile(file) && Fails("pread")) return -1;
  return REAL(pread64)(file, to, Part(file, count), at);
}

#define STREAM(name)                               \
  FILE* name(const char* path, const char* mode) { \
    if (Meant(path) && Fails(#name)) return NULL;  \
    return REAL(name)(path, mode);                 \
  }
STREAM(fopen)
STREAM(fopen64)

int rename(const char* from, const char* to) {
  if (Meant(to) && Fails("rename")) return -1;
  return REAL(rename)(from, to);
}

int mkdir(const char* path, mode_t mode) {
  if (Meant(path) && Fails("mkdir")) return -1;
  return REAL(mkdir)(path, mode);
}

int chmod(const char* path, mode_t mode) {
  if (Meant(path) && Fails("chmod")) return -1;
  return REAL(chmod)(path, mode);
}

int fsync(int file) {
  if (MeantFile(file) && Fails("fsync")) return -1;
  return REAL(fsync)(file);
}

int ftruncate64(int file, off64_t length) {
  if (MeantFile(file) && Fails("ftruncate")) return -1;
  return REAL(ftruncate64)(file, length);
}
