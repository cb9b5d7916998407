#include "core/target.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "core/highway_targets.h"
#include "core/kernels.h"
#include "core/processor.h"
#include "core/scalar_kernel.h"
#include "hwy/detect_targets.h"

namespace sr_ops {
namespace {

struct Target {
  const char* name;
  int64_t bit;  // Highway's; 0: no vectors
};

// Best first. Highway's own names.
constexpr Target kTargets[] = {
    {"AVX3", HWY_AVX3},
    {"AVX2", HWY_AVX2},
    {"SSE4", HWY_SSE4},
    {"NEON", HWY_NEON},
#ifdef HWY_NEON_WITHOUT_AES
    {"NEON_WITHOUT_AES", HWY_NEON_WITHOUT_AES},
#endif
    {"SCALAR", 0},
};

bool IsAvailable(const Target& target) {
  if (target.bit == 0) return true;
  return (SupportedTargets() & target.bit) != 0 && Float32Kernel(target.bit).run_tile;
}

const Target* Find(const char* name) {
  for (const Target& target : kTargets) {
    if (name == std::string(target.name) && IsAvailable(target)) return &target;
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
  const Target* target = Find(name.c_str());
  if (!target) return false;
  Chosen() = target;
  return true;
}

Kernel ChosenKernel(DataType dtype) {
  const int64_t bit = Chosen().load()->bit;
  if (bit == 0) return {ScalarKernel(dtype), 0};
  switch (dtype) {
    case DataType::kFloat32: return Float32Kernel(bit);
    case DataType::kFloat64: return Float64Kernel(bit);
    case DataType::kFloat16: return Float16Kernel(bit);
    case DataType::kBFloat16: return BFloat16Kernel(bit);
    case DataType::kUInt8: return UInt8Kernel(bit);
    case DataType::kInt8: return Int8Kernel(bit);
  }
  return {};
}

}  // namespace sr_ops
