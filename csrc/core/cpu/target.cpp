#include "core/cpu/target.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "core/cpu/highway_targets.h"
#include "core/cpu/kernel.h"
#include "core/cpu/pillow_tables.h"
#include "core/cpu/processor.h"
#include "core/cpu/scalar.h"
#include "hwy/detect_targets.h"

namespace sr_ops {
namespace {

struct Target {
  const char* name;
  int64_t bit;  // Highway's; 0: no vectors
};

// Best first. Highway's own names, but for AVX-512, which it calls AVX3.
constexpr Target kTargets[] = {
    {"AVX-512", HWY_AVX3},
    {"AVX2", HWY_AVX2},
    {"SSE4", HWY_SSE4},
    {"NEON", HWY_NEON},
#ifdef HWY_NEON_WITHOUT_AES
    {"NEON_WITHOUT_AES", HWY_NEON_WITHOUT_AES},
#endif
    {"WASM", HWY_WASM},
    {"SCALAR", 0},
};

bool IsAvailable(const Target& target) {
  if (target.bit == 0) return true;
  return (SupportedTargets() & target.bit) != 0 &&
         VectorKernel<DataType::kFloat32>(target.bit).run_tile;
}

const Target* Find(std::string name) {
  if (name == "AVX3") name = "AVX-512";  // its name in earlier releases
  for (const Target& target : kTargets) {
    if (name == target.name && IsAvailable(target)) return &target;
  }
  return nullptr;
}

const Target* Initial() {
  const char* wanted = std::getenv("SR_OPS_TARGET");
  if (wanted) {
    if (const Target* target = Find(wanted)) return target;
  }
  return std::find_if(std::begin(kTargets), std::end(kTargets), IsAvailable);
}

Kernel KernelWithVectors(DataType dtype, int64_t bit) {
  switch (dtype) {
#define SR_OPS_CASE(name, type, bytes) \
  case DataType::k##name: return VectorKernel<DataType::k##name>(bit);
    SR_OPS_ELEMENT_TYPES(SR_OPS_CASE)
#undef SR_OPS_CASE
  }
  return {};
}

std::atomic<const Target*>& Chosen() {
  static std::atomic<const Target*> chosen{Initial()};
  return chosen;
}

}  // namespace

std::vector<std::string> AvailableTargets() {
  std::vector<std::string> names;
  for (const Target& target : kTargets) {
    if (IsAvailable(target)) names.push_back(target.name);
  }
  return names;
}

const char* ChosenTargetName() { return Chosen().load()->name; }

std::string ChosenTarget() { return ChosenTargetName(); }

bool ChooseTarget(const std::string& name) {
  const Target* target = Find(name);
  if (!target) return false;
  Chosen() = target;
  return true;
}

Kernel ChosenKernel(DataType dtype) {
  const Kernel kernel = KernelWithVectors(dtype, Chosen().load()->bit);
  return kernel.run_tile ? kernel : Kernel{ScalarKernel(dtype), 0};
}

Kernel ChosenPillowKernel() {
  const RunTileFunction run_tile = PillowVectorKernel(Chosen().load()->bit);
  return {run_tile ? run_tile : RunPillowScalar, 0};
}

}  // namespace sr_ops
