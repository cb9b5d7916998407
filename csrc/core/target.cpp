#include "core/target.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>

namespace sr_ops {
namespace {

struct State {
  std::mutex mutex;
  std::string chosen;
};

State& GetState() {
  static State* state = new State;
  return *state;
}

}  // namespace

std::vector<std::string> AvailableTargets() { return {"SCALAR"}; }

std::string ChosenTarget() {
  State& state = GetState();
  std::lock_guard<std::mutex> lock(state.mutex);
  if (state.chosen.empty()) {
    const std::vector<std::string> available = AvailableTargets();
    const char* wanted = std::getenv("SR_OPS_TARGET");
    const bool known = wanted && std::count(available.begin(), available.end(), wanted) > 0;
    state.chosen = known ? wanted : available.front();
  }
  return state.chosen;
}

bool ChooseTarget(const std::string& name) {
  const std::vector<std::string> available = AvailableTargets();
  if (std::count(available.begin(), available.end(), name) == 0) return false;
  State& state = GetState();
  std::lock_guard<std::mutex> lock(state.mutex);
  state.chosen = name;
  return true;
}

}  // namespace sr_ops
