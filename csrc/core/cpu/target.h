// Which instruction set the kernels use.
#pragma once

#include <string>
#include <vector>

#include "core/linkage.h"

namespace sr_ops {

/// Names of the compiled targets that this machine can run, best first: of "AVX-512", "AVX2",
/// "SSE4", "NEON"; "SCALAR", always last, is plain C++ with std::fma, the arithmetic's
/// specification. All but SSE4, which has no fused multiply-add, give the same bits.
SR_OPS_FOR_FRONT_ENDS std::vector<std::string> AvailableTargets();

/// The target in use: the environment variable SR_OPS_TARGET where set (read at first use; AVX3
/// means AVX-512), else the best available.
SR_OPS_FOR_FRONT_ENDS std::string ChosenTarget();

/// The same, as a string of static storage.
SR_OPS_FOR_FRONT_ENDS const char* ChosenTargetName();

/// Switches the target for calls whose plan is made afterwards. False if it is not available.
SR_OPS_FOR_FRONT_ENDS bool ChooseTarget(const std::string& name);

}  // namespace sr_ops
