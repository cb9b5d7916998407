// Handlers of signals inside long calls, with a Python that this program plays: what a real one
// cannot be made to do at will. Prints what fails.
#include "threads/python_signals.h"

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "expect.h"
#include "threads/rounds.h"

namespace {

struct Played {
  bool initialized = true;
  bool thread_known = true;
  int locked = 0;
  std::vector<std::string> raises;        // by the handlers that wait for their turn
  std::string pending;                    // the exception of this thread
  std::map<std::string, int> references;  // of exceptions that are alive
  std::vector<int (*)(void*)> soon;
};
Played played;

std::string* Named(void* object) { return static_cast<std::string*>(object); }

}  // namespace

extern "C" {

void* PyExc_KeyboardInterrupt = new std::string("KeyboardInterrupt");

int Py_IsInitialized() { return played.initialized; }
void* PyGILState_GetThisThreadState() { return played.thread_known ? &played : nullptr; }
int PyGILState_Ensure() { return played.locked++; }
void PyGILState_Release(int state) { played.locked = state; }
void* PyErr_Occurred() { return played.pending.empty() ? nullptr : &played.pending; }

int PyErr_CheckSignals() {
  sr_ops::test::Expect(played.locked > 0, "handlers run with the interpreter lock");
  if (played.raises.empty()) return 0;
  played.pending = played.raises.front();
  played.raises.erase(played.raises.begin());
  ++played.references[played.pending];
  return -1;
}

void PyErr_Fetch(void** type, void** value, void** traceback) {
  *type = new std::string(played.pending);
  *value = *traceback = nullptr;
  played.pending.clear();
}

void PyErr_Restore(void* type, void*, void*) {
  played.pending = *Named(type);
  delete Named(type);
}

void Py_DecRef(void* object) {
  if (object == nullptr) return;
  --played.references[*Named(object)];
  delete Named(object);
}

void PyErr_SetString(void* type, const char* message) {
  played.pending = *Named(type) + ": " + message;
}

int Py_AddPendingCall(int (*function)(void*), void*) {
  played.soon.push_back(function);
  return 0;
}

}  // extern "C"

namespace {

using sr_ops::test::Expect;

/// Python's loop goes on: whether a call that waited for it raised.
bool GoOn() {
  bool raised = false;
  for (auto* function : played.soon) raised |= function(nullptr) != 0;
  played.soon.clear();
  return raised;
}

void WhoAnswers() {
  Expect(sr_ops::AnswersSignals(), "the first thread answers");
  std::thread([] { Expect(!sr_ops::AnswersSignals(), "no other thread answers"); }).join();
  played.thread_known = false;
  Expect(!sr_ops::AnswersSignals(), "not a thread that Python does not know");
  played = {};
  played.initialized = false;
  Expect(!sr_ops::AnswersSignals(), "not where Python is not running");
  played.raises = {"never"};
  Expect(sr_ops::RunSignalHandlers(), "no handler runs where Python has ended meanwhile");
}

void HandlersThatReturn() {
  played = {};
  Expect(sr_ops::RunSignalHandlers(), "the call goes on");
  Expect(played.locked == 0 && played.soon.empty(), "nothing is left of it");
}

void AnExceptionComesUpOnce() {
  played = {};
  played.raises = {"first"};
  Expect(!sr_ops::RunSignalHandlers(), "the call is given up");
  Expect(played.pending.empty() && played.locked == 0, "the exception waits, and so may others");
  Expect(sr_ops::HasExceptionOfHandler(), "it is kept");
  sr_ops::RaiseExceptionOfHandler("interrupted");
  Expect(played.pending == "first", "it comes up where the call ends");
  played.pending.clear();
  Expect(!GoOn() && played.pending.empty(), "and not once more");
  sr_ops::RaiseExceptionOfHandler("interrupted");
  Expect(played.pending == "KeyboardInterrupt: interrupted", "a failing call has an exception");
}

void AnExceptionComesUpWherePythonGoesOn() {
  played = {};
  played.raises = {"first", "second"};
  Expect(!sr_ops::RunSignalHandlers(), "the first call is given up");
  Expect(!sr_ops::RunSignalHandlers(), "and the second, before Python has gone on");
  Expect(GoOn() && played.pending == "second", "the later one comes up");
  Expect(played.references["first"] == 0, "and the earlier one is dropped");
  Expect(!sr_ops::HasExceptionOfHandler(), "none is kept");
}

void AnExceptionOfTheCallersStays() {
  played = {};
  played.pending = "the caller's";
  played.raises = {"first"};
  Expect(sr_ops::RunSignalHandlers(), "no handler runs meanwhile");
  Expect(played.pending == "the caller's" && played.raises.size() == 1, "all is as before");
}

void TilesOfARound() {
  sr_ops::Rounds endless(1000, /*in_rounds=*/false);
  int64_t sum = 0;
  endless.Work([&](int64_t tile) { sum += tile; });
  Expect(sum == 999 * 500 && endless.left() == 0, "one round without end has all tiles");
  sr_ops::Rounds rounds(3, /*in_rounds=*/true);
  int ran = 0;
  const auto slow = [&](int64_t) {
    ++ran;
    std::this_thread::sleep_for(std::chrono::milliseconds(120));
  };
  rounds.Work(slow);
  Expect(ran == 1 && rounds.left() == 2, "a round ends after the tile that outlasts it");
  rounds.Work(slow);
  Expect(ran == 1, "and stays at its end");
  rounds.Start();
  rounds.Work(slow);
  Expect(ran == 2 && rounds.left() == 1, "until the next one starts");
}

}  // namespace

int main() {
  WhoAnswers();
  HandlersThatReturn();
  AnExceptionComesUpOnce();
  AnExceptionComesUpWherePythonGoesOn();
  AnExceptionOfTheCallersStays();
  TilesOfARound();
  return sr_ops::test::ExitStatus();
}
