#include "core/cuda/kernels.cuh"

template cudaError_t sr_ops::cuda::LaunchKernels<double>(const sr_ops::cuda::Plan&,
                                                         const sr_ops::cuda::Arguments&,
                                                         cudaStream_t);
