// Which instruction set the kernels use.
#pragma once

#include <string>
#include <vector>

namespace sr_ops {

/// Names of the compiled targets that this machine can run, best first: of "AVX3", "AVX2", "SSE4",
/// "NEON" (Highway's names); "SCALAR", always last, is plain C++ with std::fma, the arithmetic's
/// specification. All but SSE4, which has no fused multiply-add, give the same bits.
std::vector<std::string> AvailableTargets();

/// The target in use: the environment variable SR_OPS_TARGET where set (read at first use), else
/// the best available.
std::string ChosenTarget();

/// The same, as a string of static storage.
const char* ChosenTargetName();

/// Switches the target for calls whose plan is made afterwards. False if it is not available.
bool ChooseTarget(const std::string& name);

}  // namespace sr_ops
