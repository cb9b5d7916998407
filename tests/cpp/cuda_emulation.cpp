#include "cuda_emulation.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <new>
#include <numeric>
#include <string>
#include <vector>

#include "core/convert.h"
#include "core/cuda/strip-inl.h"
#include "core/cuda/tile-inl.h"

#ifndef _WIN32
#include <sys/mman.h>
#include <unistd.h>
#endif

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SR_OPS_TEST_FIBERS 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define SR_OPS_TEST_FIBERS 1
#endif
#ifdef SR_OPS_TEST_FIBERS
#include <sanitizer/tsan_interface.h>
#include <ucontext.h>

#include <atomic>
#endif

namespace sr_ops::test {
namespace {

constexpr int kTableThreads = 128;

/// How the threads of a block run a phase.
#ifdef SR_OPS_TEST_FIBERS
constexpr int kMostThreads = std::max({kTableThreads, cuda::kStripThreads, cuda::kTileThreads});

// To ThreadSanitizer each is a thread. Each has a stack of its own: on a shared one, their local
// variables would seem to meet.
class Fibers {
 public:
  static Fibers& Instance() {
    static Fibers* fibers = new Fibers;
    return *fibers;
  }

  void Run(const int* order, int threads, const std::function<void(int)>& body) {
    body_ = &body;
    __tsan_release(&begin_);
    for (int i = 0; i < threads; ++i) {
      thread_ = order[i];
      __tsan_switch_to_fiber(fibers_[thread_], __tsan_switch_to_fiber_no_sync);
      swapcontext(&main_context_, &contexts_[thread_]);
    }
    __tsan_acquire(&end_);
  }

 private:
  static constexpr size_t kStackBytes = size_t{256} << 10;

  Fibers() : main_(__tsan_get_current_fiber()), stacks_(kMostThreads * kStackBytes) {
    for (int i = 0; i < kMostThreads; ++i) {
      fibers_[i] = __tsan_create_fiber(0);
      getcontext(&contexts_[i]);
      contexts_[i].uc_stack.ss_sp = &stacks_[i * kStackBytes];
      contexts_[i].uc_stack.ss_size = kStackBytes;
      makecontext(
          &contexts_[i], [] { Instance().Serve(); }, 0);
    }
  }

  // A thread sees what was written before its phase, not what others have written in it: hence two
  // objects to wait for, and no order in the switches.
  void Serve() {
    const int thread = thread_;
    for (;;) {
      __tsan_acquire(&begin_);
      (*body_)(thread);
      __tsan_release(&end_);
      __tsan_switch_to_fiber(main_, __tsan_switch_to_fiber_no_sync);
      swapcontext(&contexts_[thread], &main_context_);
    }
  }

  void* main_;
  ucontext_t main_context_;
  std::vector<char> stacks_;
  std::array<void*, kMostThreads> fibers_;
  std::array<ucontext_t, kMostThreads> contexts_;
  const std::function<void(int)>* body_ = nullptr;
  std::atomic<int> thread_{0};  // whose turn it is
  char begin_ = 0;
  char end_ = 0;
};

template <typename Body>
void RunPhase(const int* order, int threads, const Body& body) {
  Fibers::Instance().Run(order, threads, [&](int thread) { body(thread, thread); });
}
#else
template <typename Body>
void RunPhase(const int* order, int threads, const Body& body) {
  for (int i = 0; i < threads; ++i) body(order[i], order[i]);
}
#endif

/// See core/cuda/block.h.
template <int kThreads>
class EmulatedBlock {
 public:
  static constexpr int kThreadsHeld = kThreads;

  EmulatedBlock(int64_t index, Random& random) : index_(index), random_(random) {}

  int64_t index() const { return index_; }

  template <typename Body>
  void ForEachThread(const Body& body) const {
    RunPhase(Order().data(), kThreads, body);
  }

 private:
  std::array<int, kThreads> Order() const {
    std::array<int, kThreads> order;
    std::iota(order.begin(), order.end(), 0);
    const int64_t kind = Between(random_, 0, 3);
    if (kind == 1) std::reverse(order.begin(), order.end());
    if (kind >= 2) std::shuffle(order.begin(), order.end(), random_);
    return order;
  }

  int64_t index_;
  Random& random_;
};

/// The numbers in [begin, end).
std::vector<int64_t> Shuffled(int64_t begin, int64_t end, Random& random) {
  std::vector<int64_t> order(static_cast<size_t>(end - begin));
  std::iota(order.begin(), order.end(), begin);
  std::shuffle(order.begin(), order.end(), random);
  return order;
}

template <typename Accumulator>
void EmulateTables(const cuda::Arguments& a, Random& random) {
  const int64_t entries = a.rows.destination + a.columns.destination;
  for (int64_t b : Shuffled(0, (entries + kTableThreads - 1) / kTableThreads, random)) {
    EmulatedBlock<kTableThreads>(b, random).ForEachThread([&](int thread, int) {
      const int64_t entry = b * kTableThreads + thread;
      if (entry < entries) cuda::FillWorkspaceEntry<Accumulator>(a, entry);
    });
  }
}

template <typename T, cuda::TableHome kHome>
bool EmulateMain(const cuda::LaunchPlan& plan, const cuda::Arguments& a, Random& random,
                 const Emulation& emulation) {
  using Taps = cuda::WeightedTaps<cuda::AccumulatorOf<T>>;
  const bool strips = plan.kind == cuda::KernelKind::kStrip;
  const int64_t bytes = strips ? cuda::kMostStripRows * sizeof(Taps) : plan.shared_bytes;
  GuardedMemory shared(bytes, EitherGuard(random), 16);
  const int64_t skipped =
      emulation.last_blocks < 0 ? 0 : std::max<int64_t>(a.blocks - emulation.last_blocks, 0);
  for (int64_t b : Shuffled(skipped, a.blocks, random)) {
    shared.Poison();
    if (strips) {
      const EmulatedBlock<cuda::kStripThreads> block(b, random);
      cuda::RunStrip<T, kHome>(a, block, reinterpret_cast<Taps*>(shared.data()));
    } else {
      const EmulatedBlock<cuda::kTileThreads> block(b, random);
      cuda::RunTile<T, kHome>(a, block, shared.data());
    }
    emulation.after_block();
  }
  return shared.intact();
}

template <typename T>
bool EmulateType(const cuda::LaunchPlan& plan, Random& random, const Emulation& emulation) {
  cuda::Arguments a = plan.arguments;
  if (plan.workspace_bytes == 0) {
    return EmulateMain<T, cuda::TableHome::kBlock>(plan, a, random, emulation);
  }
  const bool given = emulation.workspace != nullptr;
  const GuardedMemory own(given ? 0 : plan.workspace_bytes, EitherGuard(random),
                          cuda::kTableAlignment);
  a.tables = given ? emulation.workspace : own.data();
  EmulateTables<cuda::AccumulatorOf<T>>(a, random);
  return EmulateMain<T, cuda::TableHome::kWorkspace>(plan, a, random, emulation) && own.intact();
}

// A character array: a signal handler may read nothing else.
char fault_description[512] = "";

#ifndef _WIN32
extern "C" void ReportFault(int signal) {
  const auto say = [](const char* text) {
    const ssize_t written = write(STDERR_FILENO, text, std::char_traits<char>::length(text));
    static_cast<void>(written);
  };
  say("FAILED: memory outside of a tensor, a table or shared memory was touched: ");
  say(fault_description);
  say("\n");
  _exit(128 + signal);
}
#endif

}  // namespace

#ifdef _WIN32
GuardedMemory::GuardedMemory(int64_t bytes, Guard, int64_t)
    : pages_(nullptr), all_bytes_(0), own_bytes_(bytes), bytes_(bytes) {
  own_ = data_ = static_cast<char*>(std::malloc(static_cast<size_t>(bytes) + 1));
  if (data_ == nullptr) throw std::bad_alloc();
  Poison();
}
GuardedMemory::~GuardedMemory() { std::free(own_); }
#else
GuardedMemory::GuardedMemory(int64_t bytes, Guard guard, int64_t alignment) : bytes_(bytes) {
  const int64_t page = sysconf(_SC_PAGESIZE);
  own_bytes_ = (bytes + page - 1) / page * page;
  all_bytes_ = own_bytes_ + page;
  void* const pages = mmap(nullptr, static_cast<size_t>(all_bytes_), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  pages_ = static_cast<char*>(pages);
  own_ = pages_ + (guard == Guard::kBefore ? page : 0);
  mprotect(guard == Guard::kBefore ? pages_ : pages_ + own_bytes_, static_cast<size_t>(page),
           PROT_NONE);
  const int64_t room = own_bytes_ - bytes;
  data_ = own_ + (guard == Guard::kBefore ? 0 : room / alignment * alignment);
  std::fill_n(own_, own_bytes_, kPoison);
}
GuardedMemory::~GuardedMemory() { munmap(pages_, static_cast<size_t>(all_bytes_)); }
#endif

void GuardedMemory::Poison() { std::fill_n(data_, bytes_, kPoison); }

bool GuardedMemory::intact() const {
  const auto untouched = [](char byte) { return byte == kPoison; };
  return std::all_of(own_, data_, untouched) &&
         std::all_of(data_ + bytes_, own_ + own_bytes_, untouched);
}

GuardedMemory::Guard EitherGuard(Random& random) {
  return Between(random, 0, 1) == 0 ? GuardedMemory::Guard::kBefore : GuardedMemory::Guard::kBehind;
}

bool Emulate(const cuda::LaunchPlan& plan, Random& random, const Emulation& emulation) {
  switch (plan.dtype) {
#define SR_OPS_CASE(name, type, bytes) \
  case DataType::k##name: return EmulateType<type>(plan, random, emulation);
    SR_OPS_ELEMENT_TYPES(SR_OPS_CASE)
#undef SR_OPS_CASE
  }
  return false;
}

void DescribeFaultsAs(const std::string& problem) {
  const size_t length = std::min(problem.size(), sizeof fault_description - 1);
  fault_description[problem.copy(fault_description, length)] = '\0';
#if !defined(_WIN32) && !defined(__SANITIZE_ADDRESS__) && !defined(SR_OPS_TEST_FIBERS)
  // Sanitizers report such faults themselves.
  std::signal(SIGSEGV, ReportFault);
  std::signal(SIGBUS, ReportFault);
#endif
}

}  // namespace sr_ops::test
