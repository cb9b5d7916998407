// Every single allocation of a call fails once: the call must say so or do without, and the next
// one must work. Prints what failed; exit status 1 if anything did.
//
//   sr_ops_allocation_test RUNTIME LIBRARY
//
// RUNTIME is ONNX Runtime's library, LIBRARY ours. Each attempt has a process of its own, forked
// before anything is cached and before any thread exists.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "core/cpu/target.h"
#include "core/resample.h"
#include "failing_allocation.h"
#include "problems.h"
#include "runtime.h"
#include "sr_ops/core.h"
#include "threads/thread_pool.h"

namespace sr_ops::test {
namespace {

int failures = 0;

enum Result { kRight, kRefused, kWrong };

/// What an attempt's process says by its exit status.
enum Verdict { kSurvived, kNothingFailed, kBad };

// The attempt with one failure, then without.
template <typename Attempt>
Verdict Judge(const Attempt& attempt, const char* library, long count) {
  sr_ops_test_fail_allocation(count, library);
  const Result first = attempt();
  sr_ops_test_fail_allocation(-1, nullptr);
  const bool injected = sr_ops_test_failed_allocations() > 0;
  if (first == kWrong || (first == kRefused && !injected) || attempt() != kRight) return kBad;
  return injected ? kSurvived : kNothingFailed;
}

/// `library`: whose allocations fail; null: everyone's.
template <typename Attempt>
void FailEach(const std::string& name, const char* library, const Attempt& attempt) {
  for (long count = 0;; ++count) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(60);  // a child that hangs is a failure
      std::_Exit(Judge(attempt, library, count));
    }
    int status = -1;
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == kSurvived) continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == kNothingFailed) {
      std::cout << name << ": survived the failure of each of " << count << " allocations\n";
      return;
    }
    ++failures;
    std::cerr << "FAILED: " << name << ", allocation " << count << ": "
              << (WIFEXITED(status) ? "wrong result or none" : "killed") << ", status " << status
              << "\n";
    if (failures > 20) return;
  }
}

/// Buffers of a problem, made beforehand; only the core's own allocations are to fail.
class Work {
 public:
  explicit Work(const Problem& problem) : problem_(problem) {
    Random random(3);
    source_ = DenseBuffer(random, SourceShape(problem), problem.layout, problem.dtype);
    destination_ = DenseBuffer(random, DestinationShape(problem), problem.layout, problem.dtype);
    from_ = ViewOf(source_);
    to_ = ViewOf(&destination_);
    expected_ = Expected();
  }

  const Problem& problem() const { return problem_; }
  const void* source() const { return from_.data; }
  void* destination() const { return to_.data; }

  Result Core(int threads) const {
    std::shared_ptr<const Plan> plan;
    Status status = GetPlan(problem_, &plan);
    if (!status.ok()) return status.code == StatusCode::kOutOfMemory ? kRefused : kWrong;
    Call call(*plan, from_, to_, threads);
    ParallelFor(
        call.tiles(), threads,
        [](void* context, int64_t tile) { static_cast<Call*>(context)->Run(tile); }, &call);
    try {
      status = call.status();
    } catch (const std::bad_alloc&) {
      return kRefused;
    }
    return status.ok() ? Compare() : kRefused;
  }

  Result Compare() const { return destination_.bytes == expected_ ? kRight : kWrong; }

 private:
  // In a process of its own, so that this one stays as it was.
  std::vector<uint8_t> Expected() {
    int ends[2];
    if (pipe(ends) != 0) std::abort();
    if (fork() == 0) {
      ChooseTarget("SCALAR");
      if (!Apply(problem_, from_, to_, 1).ok()) std::_Exit(EXIT_FAILURE);
      for (uint8_t byte : destination_.bytes) {
        if (write(ends[1], &byte, 1) != 1) std::_Exit(EXIT_FAILURE);
      }
      std::_Exit(EXIT_SUCCESS);
    }
    close(ends[1]);
    std::vector<uint8_t> bytes(destination_.bytes.size());
    for (uint8_t& byte : bytes) {
      if (read(ends[0], &byte, 1) != 1) std::abort();
    }
    close(ends[0]);
    wait(nullptr);
    return bytes;
  }

  Problem problem_;
  Buffer source_, destination_;
  ConstView from_;
  View to_;
  std::vector<uint8_t> expected_;
};

Problem MakeProblem(DataType dtype, Layout layout, int64_t in, int64_t out) {
  Problem p;
  p.batch = 1;
  p.channels = 3;
  p.in_height = in;
  p.in_width = in + 7;
  p.out_height = out;
  p.out_width = out + 11;
  p.scale_height = static_cast<double>(p.out_height) / static_cast<double>(p.in_height);
  p.scale_width = static_cast<double>(p.out_width) / static_cast<double>(p.in_width);
  p.dtype = dtype;
  p.layout = layout;
  return p;
}

void TestCore() {
  Problem up = MakeProblem(DataType::kFloat32, Layout::kChannelsFirst, 20, 50);
  Problem down = MakeProblem(DataType::kUInt8, Layout::kChannelsLast, 60, 25);
  down.attributes.antialias = true;
  Problem adjoint = MakeProblem(DataType::kFloat64, Layout::kChannelsFirst, 20, 33);
  adjoint.direction = Direction::kAdjoint;
  for (const Problem& problem : {up, down, adjoint}) {
    const Work work(problem);
    FailEach("the core, one thread", nullptr, [&] { return work.Core(1); });
    FailEach("the core, four threads", nullptr, [&] { return work.Core(4); });
  }
}

void TestSdk() {
  const Work work(MakeProblem(DataType::kFloat32, Layout::kChannelsFirst, 20, 50));
  const Problem& p = work.problem();
  sr_ops_description d = sr_ops_default_description();
  const int64_t shape[4] = {p.batch, p.channels, p.in_height, p.in_width};
  std::copy_n(shape, 4, d.shape);
  d.out_height = p.out_height;
  d.out_width = p.out_width;
  const sr_ops_threads threads{4, nullptr, nullptr};
  FailEach("the C interface", nullptr, [&] {
    const sr_ops_status status =
        sr_ops_dynamic_upscale(&d, work.source(), work.destination(), &threads);
    if (status.code == SR_OPS_OK) return work.Compare();
    return status.code == SR_OPS_OUT_OF_MEMORY && status.message[0] ? kRefused : kWrong;
  });
}

void TestSessions(const std::string& library) {
  const Work work(MakeProblem(DataType::kFloat32, Layout::kChannelsFirst, 20, 50));
  const Problem& p = work.problem();
  const int64_t sizes[] = {p.out_height, p.out_width};
  const Tensor request{kElementInt64, {2}, {reinterpret_cast<const char*>(sizes), sizeof sizes}};
  const int64_t bytes = p.channels * p.in_height * p.in_width * 4;
  const Tensor x{kElementFloat,
                 {p.batch, p.channels, p.in_height, p.in_width},
                 {static_cast<const char*>(work.source()), static_cast<size_t>(bytes)}};
  Model description;
  description.op = "DynamicUpscaleToSizes";
  description.request_type = kElementInt64;
  const std::string model = Serialize(description);
  const auto run = [&](const Session& session) {
    Tensor y;
    std::string error;
    if (!session.Run({{"X", x}, {"request", request}}, &y, &error)) {
      return error.empty() ? kWrong : kRefused;
    }
    std::copy(y.bytes.begin(), y.bytes.end(), static_cast<char*>(work.destination()));
    return work.Compare();
  };
  // ONNX Runtime ends the process where some of its own allocations fail.
  constexpr const char* kOurs = "libsr_ops_ort.so";
  const Session session(model, library, 1);
  FailEach("a session's call", kOurs, [&] { return run(session); });
  for (int threads : {1, 2}) {
    FailEach("a session's life", kOurs, [&] {
      const Session fresh(model, library, threads);
      return fresh.error().empty() ? run(fresh) : kRefused;
    });
  }
}

}  // namespace
}  // namespace sr_ops::test

int main(int argc, char** argv) {
  using namespace sr_ops::test;
  if (argc != 3) {
    std::cerr << "usage: " << argv[0] << " RUNTIME LIBRARY\n";
    return EXIT_FAILURE;
  }
  TestCore();
  TestSdk();
  LoadRuntime(argv[1]);
  TestSessions(argv[2]);
  std::cout << "allocations: " << failures << " failures\n";
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
