// What a test program expects, and how often it was disappointed.
#pragma once

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <string>

namespace sr_ops::test {

/// Of expectations, on any thread.
inline std::atomic<int> failures{0};

inline void Expect(bool condition, const std::string& what) {
  if (condition) return;
  ++failures;
  std::cerr << "FAILED: " + what + "\n";  // in one piece: threads take turns
}

/// Of a program that has met all of its expectations, or not.
inline int ExitStatus() { return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE; }

}  // namespace sr_ops::test
