// The threads of the numpy and C++ front ends: every index once, many callers at once, children
// after a fork. Prints what failed; exit status 1 if anything did.
#include "threads/thread_pool.h"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "expect.h"

#ifndef _WIN32
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace sr_ops::test {
namespace {

// Whether each of `count` indices was handed out once.
bool EachIndexOnce(int64_t count, int threads) {
  std::vector<std::atomic<int>> visits(static_cast<size_t>(count));
  ParallelFor(
      count, threads,
      [](void* context, int64_t i) {
        ++(*static_cast<std::vector<std::atomic<int>>*>(context))[static_cast<size_t>(i)];
      },
      &visits);
  for (const std::atomic<int>& visit : visits) {
    if (visit != 1) return false;
  }
  return true;
}

void TestOneCaller() {
  for (int threads = 1; threads <= 9; ++threads) {
    for (int64_t count : {0, 1, 2, 3, 7, 100, 1000}) {
      Expect(EachIndexOnce(count, threads),
             std::to_string(count) + " indices on " + std::to_string(threads) + " threads");
    }
  }
}

void TestManyCallers() {
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 8; ++caller) {
    callers.emplace_back([caller] {
      for (int i = 0; i < 200; ++i) {
        Expect(EachIndexOnce(1 + (i * 7 + caller) % 40, 1 + i % 5), "many callers");
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

#if !defined(_WIN32) && !defined(SR_OPS_TEST_WITHOUT_FORKS)
void TestForks() {
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) EachIndexOnce(20, 3);
  });
  for (int i = 0; i < 200; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);  // a child that hangs is a failure
      _exit(EachIndexOnce(50, 4) ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    Expect(status == 0, "child ended with status " + std::to_string(status));
  }
  stop = true;
  other.join();
}

/// A child that may have no more memory, so that no thread starts, does everything itself.
void TestWithoutThreads() {
#if defined(__linux__) && SR_OPS_TEST_HELD_BACK_MIB == 0
  const pid_t child = fork();
  if (child == 0) {
    rlimit none{1 << 20, RLIM_INFINITY};  // less than the process has: nothing can be added
    setrlimit(RLIMIT_AS, &none);
    bool started = true;
    try {
      std::thread([] {}).join();
    } catch (const std::system_error&) {
      started = false;
    }
    std::exit(!started && EachIndexOnce(50, 4) ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  Expect(status == 0, "without threads: the child ended with status " + std::to_string(status));
#endif
}
#else
void TestForks() {}
void TestWithoutThreads() {}
#endif

}  // namespace
}  // namespace sr_ops::test

int main(int argc, char** argv) {
  using namespace sr_ops::test;
  const bool emulated = argc > 1 && std::string(argv[1]) == "--emulated";
  if (!emulated) TestWithoutThreads();  // first: ended threads leave their stacks to new ones
  TestOneCaller();
  TestManyCallers();
  // QEMU's user mode dies of a fork in a process with threads.
  if (!emulated) TestForks();
  std::cout << "thread pool" << (emulated ? ", without forks: " : ": ") << failures
            << " failures\n";
  return ExitStatus();
}
