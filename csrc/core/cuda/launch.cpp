#include "core/cuda/launch.h"

#include <string>

#include "core/convert.h"
#include "core/cuda/launch_kernels.h"

namespace sr_ops::cuda {
namespace {

cudaError_t LaunchForType(const LaunchPlan& plan, const Arguments& a, cudaStream_t stream) {
  switch (plan.dtype) {
#define SR_OPS_CASE(name, type, bytes) \
  case DataType::k##name: return LaunchKernels<type>(plan, a, stream);
    SR_OPS_TENSOR_ELEMENT_TYPES(SR_OPS_CASE)
#undef SR_OPS_CASE
    default: break;
  }
  return cudaErrorInvalidValue;
}

std::string Remedy(cudaError_t error) {
  if (error == cudaErrorNoKernelImageForDevice || error == cudaErrorInvalidDeviceFunction) {
    return "; this build has no code for this GPU: build again with SR_OPS_CUDA_ARCHITECTURES";
  }
  if (error == cudaErrorInsufficientDriver) {
    return "; update the driver, or build with an older CUDA toolkit";
  }
  return {};
}

}  // namespace

Status Launch(const LaunchPlan& plan, const void* source, void* destination, void* workspace,
              int device, void* stream) {
  if (plan.arguments.blocks == 0) return {};
  Arguments a = plan.arguments;
  a.source.data = source;
  a.destination.data = destination;
  a.tables = workspace;
  // This runtime is linked statically: it has to be told what the caller's own knows already.
  cudaError_t error = cudaSetDevice(device);
  if (error == cudaSuccess) {
    error = LaunchForType(plan, a, static_cast<cudaStream_t>(stream));
  }
  if (error == cudaSuccess) return {};
  return Status::DeviceFailure(std::string("CUDA: ") + cudaGetErrorString(error) + Remedy(error));
}

}  // namespace sr_ops::cuda
