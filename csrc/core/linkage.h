// The functions of the core that doors call, where the two may lie in different libraries: in a
// wheel, the doors of one Python package share one copy of the kernels.
#pragma once

#ifdef _WIN32
#define SR_OPS_FOR_DOORS  // each door has its own copy there
#else
#define SR_OPS_FOR_DOORS __attribute__((visibility("default")))
#endif
