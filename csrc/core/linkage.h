// The functions of the core that front ends call, where the two may lie in different libraries: in
// a wheel, the front ends of one Python package share one copy of the kernels.
#pragma once

#ifdef _WIN32
#define SR_OPS_FOR_FRONT_ENDS  // each front end has its own copy there
#else
#define SR_OPS_FOR_FRONT_ENDS __attribute__((visibility("default")))
#endif
