// What an OrtValue holds, in plain types.
#pragma once

#include <onnxruntime_c_api.h>

#include <cstdint>
#include <vector>

namespace sr_ops::ort {

OrtStatus* GetShape(const OrtApi& api, const OrtValue* value, std::vector<int64_t>* shape);

/// The shape that the model declares for a node's input: negative where an axis is not known, empty
/// where not even the rank is.
std::vector<int64_t> GetDeclaredShape(const OrtApi& api, const OrtKernelInfo* info, size_t input);

/// The element type that the model declares for a node's input, which is a tensor.
OrtStatus* GetDeclaredElementType(const OrtApi& api, const OrtKernelInfo* info, size_t input,
                                  ONNXTensorElementDataType* type);

/// Copies a tensor of 0 or 1 axes. Its elements are of one of the types that the operators declare,
/// kScaleTypes or kSizeTypes: the runtime has checked that. `name` is the input's, for the error.
OrtStatus* GetList(const OrtApi& api, const OrtValue* value, const char* name,
                   std::vector<float>* elements);
OrtStatus* GetList(const OrtApi& api, const OrtValue* value, const char* name,
                   std::vector<int64_t>* elements);

/// The data pointer of a tensor in host memory, also of one that is only read.
OrtStatus* GetData(const OrtApi& api, const OrtValue* value, void** data);

}  // namespace sr_ops::ort
