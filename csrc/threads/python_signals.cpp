#include "threads/python_signals.h"

#ifndef _WIN32
#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#endif

namespace sr_ops {

#ifdef _WIN32

bool AnswersSignals() { return false; }
bool RunSignalHandlers() { return true; }
bool HasExceptionOfHandler() { return false; }
void RaiseExceptionOfHandler(const char*) {}

#else

namespace {

/// Functions of Python's stable ABI, as the process has them: a library that links none of it
/// serves every Python, and programs without.
struct Python {
  int (*is_initialized)();
  void* (*this_thread_state)();
  int (*lock)();
  void (*unlock)(int state);
  int (*check_signals)();
  void* (*pending)();
  void (*fetch)(void** type, void** value, void** traceback);
  void (*restore)(void* type, void* value, void* traceback);
  void (*release)(void* object);
  void (*set_string)(void* type, const char* message);
  void** keyboard_interrupt;
  int (*call_soon)(int (*function)(void*), void* argument);
};

template <typename Pointer>
bool Find(const char* name, Pointer* pointer) {
  *pointer = reinterpret_cast<Pointer>(dlsym(RTLD_DEFAULT, name));
  return *pointer != nullptr;
}

/// False where this process has no Python (yet).
bool FindAll(Python* python) {
  return Find("Py_IsInitialized", &python->is_initialized) &&
         Find("PyGILState_GetThisThreadState", &python->this_thread_state) &&
         Find("PyGILState_Ensure", &python->lock) && Find("PyGILState_Release", &python->unlock) &&
         Find("PyErr_CheckSignals", &python->check_signals) &&
         Find("PyErr_Occurred", &python->pending) && Find("PyErr_Fetch", &python->fetch) &&
         Find("PyErr_Restore", &python->restore) && Find("Py_DecRef", &python->release) &&
         Find("PyErr_SetString", &python->set_string) &&
         Find("PyExc_KeyboardInterrupt", &python->keyboard_interrupt) &&
         Find("Py_AddPendingCall", &python->call_soon);
}

/// Of the thread that the process began with, as everything below: no other one gets here.
Python python;
bool found = false;

/// An exception that a handler raised and that has not come up yet.
struct Exception {
  void* type = nullptr;
  void* value = nullptr;
  void* traceback = nullptr;
};
Exception kept;

void Drop(const Exception& exception) {
  python.release(exception.type);  // null is allowed, in each
  python.release(exception.value);
  python.release(exception.traceback);
}

bool RaiseKept() {
  if (kept.type == nullptr) return false;
  const Exception exception = kept;
  kept = {};
  python.restore(exception.type, exception.value, exception.traceback);
  return true;
}

bool IsFirstThread() {
#if defined(__linux__)
  return syscall(SYS_gettid) == getpid();
#elif defined(__APPLE__)
  return pthread_main_np() != 0;
#else
  return false;
#endif
}

}  // namespace

bool AnswersSignals() {
  if (!IsFirstThread()) return false;
  if (!found) found = FindAll(&python);
  return found && python.is_initialized() != 0 && python.this_thread_state() != nullptr;
}

bool RunSignalHandlers() {
  if (python.is_initialized() == 0) return true;  // no more
  const int state = python.lock();
  // An exception that is pending already belongs to whoever called us with the lock in hand.
  const bool raised = python.pending() == nullptr && python.check_signals() != 0;
  if (raised) {
    Drop(kept);  // Python has not gone on since: the later one stands for both
    python.fetch(&kept.type, &kept.value, &kept.traceback);
    python.call_soon([](void*) { return RaiseKept() ? -1 : 0; }, nullptr);
  }
  python.unlock(state);
  return !raised;
}

bool HasExceptionOfHandler() { return IsFirstThread() && kept.type != nullptr; }

void RaiseExceptionOfHandler(const char* message) {
  if (!RaiseKept()) python.set_string(*python.keyboard_interrupt, message);
}

#endif

}  // namespace sr_ops
