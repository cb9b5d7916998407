// Sessions of ONNX Runtime under load: many threads, many sessions, forks, many lives. Prints what
// failed; exit status 1 if anything did.
//
//   sr_ops_ort_session_test RUNTIME LIBRARY [LIVES]
//
// RUNTIME is ONNX Runtime's library, LIBRARY ours; LIVES sessions come and go (default 10000).
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/resample.h"
#include "core/scale.h"
#include "expect.h"
#include "problems.h"
#include "runtime.h"

namespace sr_ops::test {
namespace {

/// An image, a scale for it, and what the core makes of them without ONNX Runtime.
struct Case {
  Tensor x;
  Tensor scales;
  std::string expected;
};

Case MakeCase(int64_t height, int64_t width, float scale) {
  Problem p;
  p.batch = 1;
  p.channels = 3;
  p.in_height = height;
  p.in_width = width;
  p.out_height = OutputSize(height, scale);
  p.out_width = OutputSize(width, scale);
  p.scale_height = p.scale_width = scale;
  Random random(7);
  const Buffer x = DenseBuffer(random, SourceShape(p), p.layout, p.dtype);
  Buffer y = DenseBuffer(random, DestinationShape(p), p.layout, p.dtype);
  const ConstView from = ViewOf(x);
  const View to = ViewOf(&y);
  Expect(Apply(p, from, to, 1).ok(), "the core");
  Case made;
  made.x = {kElementFloat, {1, 3, height, width}, {x.bytes.begin(), x.bytes.end()}};
  made.scales = {kElementFloat, {1}, {reinterpret_cast<const char*>(&scale), sizeof scale}};
  made.expected.assign(y.bytes.begin(), y.bytes.end());
  return made;
}

bool RunsRight(const Session& session, const Case& c) {
  Tensor y;
  std::string error;
  if (session.Run({{"X", c.x}, {"request", c.scales}}, &y, &error)) return y.bytes == c.expected;
  std::cerr << error << "\n";
  return false;
}

class Tests {
 public:
  explicit Tests(std::string library) : library_(std::move(library)), model_(Serialize(Model())) {
    for (float scale : {0.5f, 1.1f, 2.0f, 2.7f}) cases_.push_back(MakeCase(70, 50, scale));
    large_ = MakeCase(300, 400, 2.0f);
  }

  std::unique_ptr<Session> Open(int threads) const {
    auto session = std::make_unique<Session>(model_, library_, threads);
    Expect(session->error().empty(), session->error());
    return session;
  }

  // First of all: the library is loaded, and no thread has been started yet.
  void Forks() const {
    const std::unique_ptr<Session> inherited = Open(1);
    for (int i = 0; i < 8; ++i) {
      const pid_t child = fork();
      if (child == 0) {
        alarm(120);  // a child that hangs is a failure
        const bool right = RunsRight(*inherited, large_) && RunsRight(*Open(2), large_);
        std::_Exit(right ? EXIT_SUCCESS : EXIT_FAILURE);
      }
      int status = -1;
      waitpid(child, &status, 0);
      Expect(status == 0, "child ended with status " + std::to_string(status));
    }
    Expect(RunsRight(*inherited, large_), "the parent after its forks");
  }

  void ManyThreadsShareASession() const {
    const std::unique_ptr<Session> session = Open(2);
    InThreads([&](int thread) {
      for (int i = 0; i < 8; ++i) {
        const Case& c = i == 7 ? large_ : cases_[static_cast<size_t>(thread + i) % cases_.size()];
        Expect(RunsRight(*session, c), "a session that many threads share");
      }
    });
  }

  void ManySessionsOfOneThread() const {
    InThreads([&](int thread) {
      const std::unique_ptr<Session> session = Open(1);
      for (int i = 0; i < 4; ++i) {
        const Case& c = cases_[static_cast<size_t>(thread + i) % cases_.size()];
        Expect(RunsRight(*session, c), "a session beside many others");
      }
    });
  }

  void SessionsComeAndGo(int lives) const {
    const auto live = [&](int times) {
      for (int i = 0; i < times; ++i) Expect(RunsRight(*Open(1), cases_[0]), "one of many lives");
    };
    live(100);  // until everything that is kept for the next one is there
    const int64_t before = ResidentBytes();
    live(lives);
    const int64_t grown = ResidentBytes() - before;
    std::cout << lives << " sessions came and went; the process grew by " << grown / 1024
              << " KiB\n";
    // A registration alone takes 4 KiB: what leaked with every session would show.
    const int64_t limit = std::max<int64_t>(4 << 20, int64_t{1024} * lives);
    Expect(grown < limit + (int64_t{SR_OPS_TEST_HELD_BACK_MIB} << 20), "memory grows");
  }

 private:
  template <typename Work>
  static void InThreads(const Work& work) {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 32; ++thread) threads.emplace_back(work, thread);
    for (std::thread& thread : threads) thread.join();
  }

  static int64_t ResidentBytes() {
    int64_t size = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> size >> resident;
    return resident * sysconf(_SC_PAGESIZE);
  }

  std::string library_;
  std::string model_;
  std::vector<Case> cases_;
  Case large_;
};

}  // namespace
}  // namespace sr_ops::test

int main(int argc, char** argv) {
  using namespace sr_ops::test;
  if (argc < 3) {
    std::cerr << "usage: " << argv[0] << " RUNTIME LIBRARY [LIVES]\n";
    return EXIT_FAILURE;
  }
  LoadRuntime(argv[1]);
  const Tests tests(argv[2]);
#ifndef SR_OPS_TEST_WITHOUT_FORKS
  tests.Forks();
#endif
  tests.ManyThreadsShareASession();
  tests.ManySessionsOfOneThread();
  tests.SessionsComeAndGo(argc > 3 ? std::atoi(argv[3]) : 10000);
  std::cout << "sessions: " << failures << " failures\n";
  return ExitStatus();
}
