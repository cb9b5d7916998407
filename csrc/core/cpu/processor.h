// What the processor at hand can do, in Highway's terms.
#pragma once

#include <cstdint>

namespace sr_ops {

/// The HWY_* bits of the targets that can run here, of those that this library is compiled for.
/// Highway has the same in its compiled part; asking here keeps its use to headers, so that nothing
/// that links sr_ops has to bring, or may meet, a libhwy.
int64_t SupportedTargets();

}  // namespace sr_ops
