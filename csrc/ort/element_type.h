// The element types of tensors that the operators take, by the core's names and the runtime's.
#pragma once

#include <onnxruntime_c_api.h>

#include "core/types.h"

namespace sr_ops::ort {

struct ElementType {
  DataType dtype;
  ONNXTensorElementDataType onnx;
};

constexpr ElementType kElementTypes[] = {
    {DataType::kFloat32, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
    {DataType::kFloat64, ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE},
    {DataType::kFloat16, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16},
    {DataType::kBFloat16, ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16},
    {DataType::kUInt8, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8},
    {DataType::kInt8, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8},
};

/// Of DynamicUpscale's scales. A scale is a float32; the others are what converters to half
/// precision make of one, and are widened.
constexpr ONNXTensorElementDataType kScaleTypes[] = {
    ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16,
};
/// Of DynamicUpscaleToSizes's sizes.
constexpr ONNXTensorElementDataType kSizeTypes[] = {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64};

}  // namespace sr_ops::ort
