// The custom operators as ONNX Runtime sees them: one OrtCustomOp for each operator and dtype.
#pragma once

#include <onnxruntime_c_api.h>

#include <cstdint>

namespace sr_ops::ort {

/// The version of the C API that everything here is written against: that of ONNX Runtime 1.17,
/// the first with KernelContext_ParallelFor. Later runtimes serve it too.
constexpr uint32_t kApiVersion = 17;

constexpr const char* kDomain = "sr_ops";

/// Adds all operators to `domain`, which keeps pointers to objects of static storage.
OrtStatus* AddOperators(const OrtApi& api, OrtCustomOpDomain* domain);

}  // namespace sr_ops::ort
