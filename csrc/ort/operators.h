// The custom operators as ONNX Runtime sees them: one OrtCustomOp for each operator,
// dtype and device.
#pragma once

#include <onnxruntime_c_api.h>

#include <cstdint>
#include <memory>

#include "ort/op_kernel.h"

namespace sr_ops::ort {

/// The version of the C API that everything here is written against: that of ONNX Runtime 1.17,
/// the first with KernelContext_ParallelFor. Later runtimes serve it too.
constexpr uint32_t kApiVersion = 17;
/// That of the GPU's kernels: ONNX Runtime 1.18, the first that gives memory for use on a stream.
constexpr uint32_t kGpuApiVersion = 18;

constexpr const char* kDomain = "sr_ops";

/// Where operators run. A runtime without the provider ignores its operators.
struct Device {
  const char* provider;  ///< an execution provider's name; null: the CPU's
  uint32_t api_version;  ///< of the API that the kernels are given
  std::unique_ptr<OpKernel> (*make_kernel)(const OrtApi& api, NodeType type, DataType dtype);
};

/// Has AddOperators add the operators of a GPU, too. `device` must live as long as the program.
/// Returns true, so that it can initialise an object.
bool OfferGpu(const Device& device);

/// Adds all operators that the runtime is new enough for to `domain`, which keeps pointers to
/// objects of static storage. `api`: the runtime's, of kApiVersion.
OrtStatus* AddOperators(const OrtApiBase& api_base, const OrtApi& api, OrtCustomOpDomain* domain);

}  // namespace sr_ops::ort
