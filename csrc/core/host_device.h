// Code that both compilers read: the host's, and nvcc for the GPU.
#pragma once

#ifdef __CUDACC__
#define SR_OPS_HOST_DEVICE __host__ __device__
#define SR_OPS_UNROLL _Pragma("unroll")
#define SR_OPS_UNROLL_4 _Pragma("unroll 4")
#else
#define SR_OPS_HOST_DEVICE
#define SR_OPS_UNROLL
#define SR_OPS_UNROLL_4
#endif
