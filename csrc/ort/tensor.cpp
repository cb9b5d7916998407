#include "ort/tensor.h"

#include <algorithm>
#include <string>

#include "core/convert.h"
#include "ort/error.h"

namespace sr_ops::ort {
namespace {

OrtStatus* ReadShape(const OrtApi& api, const OrtTensorTypeAndShapeInfo* info,
                     std::vector<int64_t>* shape) {
  size_t rank = 0;
  if (OrtStatus* status = api.GetDimensionsCount(info, &rank)) return status;
  shape->resize(rank);
  return api.GetDimensions(info, shape->data(), rank);
}

/// `type` may be null.
OrtStatus* ReadTensor(const OrtApi& api, const OrtValue* value, std::vector<int64_t>* shape,
                      ONNXTensorElementDataType* type) {
  OrtTensorTypeAndShapeInfo* info = nullptr;
  if (OrtStatus* status = api.GetTensorTypeAndShape(value, &info)) return status;
  OrtStatus* status = WithoutExceptions(api, [&] { return ReadShape(api, info, shape); });
  if (status == nullptr && type != nullptr) status = api.GetTensorElementType(info, type);
  api.ReleaseTensorTypeAndShapeInfo(info);
  return status;
}

/// Hands what the model declares of a node's input to `read`, if it is a tensor.
template <typename Read>
OrtStatus* WithDeclaredTensor(const OrtApi& api, const OrtKernelInfo* info, size_t input,
                              Read&& read) {
  OrtTypeInfo* type = nullptr;
  if (OrtStatus* status = api.KernelInfo_GetInputTypeInfo(info, input, &type)) return status;
  const OrtTensorTypeAndShapeInfo* tensor = nullptr;
  OrtStatus* status = api.CastTypeInfoToTensorInfo(type, &tensor);
  if (status == nullptr && tensor != nullptr) {
    status = WithoutExceptions(api, [&] { return read(tensor); });
  }
  api.ReleaseTypeInfo(type);
  return status;
}

/// A tensor of 0 or 1 axes.
struct Elements {
  ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  const void* data = nullptr;
  int64_t count = 0;
};

OrtStatus* GetElements(const OrtApi& api, const OrtValue* value, const char* name,
                       Elements* elements) {
  std::vector<int64_t> shape;
  if (OrtStatus* status = ReadTensor(api, value, &shape, &elements->type)) return status;
  if (shape.size() > 1) {
    return InvalidArgument(api, std::string(name) + ": got a tensor of " +
                                    std::to_string(shape.size()) + " axes, expected 1");
  }
  elements->count = shape.empty() ? 1 : shape[0];
  void* data = nullptr;
  OrtStatus* status = GetData(api, value, &data);
  elements->data = data;
  return status;
}

template <typename T>
void Widen(const Elements& list, std::vector<float>* widened) {
  const T* begin = static_cast<const T*>(list.data);
  widened->resize(static_cast<size_t>(list.count));
  std::transform(begin, begin + list.count, widened->begin(),
                 [](T element) { return ToAccumulator(element); });
}

}  // namespace

OrtStatus* GetShape(const OrtApi& api, const OrtValue* value, std::vector<int64_t>* shape) {
  return ReadTensor(api, value, shape, nullptr);
}

std::vector<int64_t> GetDeclaredShape(const OrtApi& api, const OrtKernelInfo* info, size_t input) {
  std::vector<int64_t> shape;
  const auto read = [&](const OrtTensorTypeAndShapeInfo* tensor) {
    return ReadShape(api, tensor, &shape);
  };
  if (!Succeeded(api, WithDeclaredTensor(api, info, input, read))) shape.clear();
  return shape;
}

OrtStatus* GetDeclaredElementType(const OrtApi& api, const OrtKernelInfo* info, size_t input,
                                  ONNXTensorElementDataType* type) {
  *type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  return WithDeclaredTensor(api, info, input, [&](const OrtTensorTypeAndShapeInfo* tensor) {
    return api.GetTensorElementType(tensor, type);
  });
}

OrtStatus* GetData(const OrtApi& api, const OrtValue* value, void** data) {
  return api.GetTensorMutableData(const_cast<OrtValue*>(value), data);
}

OrtStatus* GetList(const OrtApi& api, const OrtValue* value, const char* name,
                   std::vector<float>* elements) {
  Elements list;
  if (OrtStatus* status = GetElements(api, value, name, &list)) return status;
  switch (list.type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16: Widen<Float16>(list, elements); break;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16: Widen<BFloat16>(list, elements); break;
    default: Widen<float>(list, elements);
  }
  return nullptr;
}

OrtStatus* GetList(const OrtApi& api, const OrtValue* value, const char* name,
                   std::vector<int64_t>* elements) {
  Elements list;
  if (OrtStatus* status = GetElements(api, value, name, &list)) return status;
  const int64_t* begin = static_cast<const int64_t*>(list.data);
  elements->assign(begin, begin + list.count);
  return nullptr;
}

}  // namespace sr_ops::ort
