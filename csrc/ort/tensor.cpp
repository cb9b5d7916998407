#include "ort/tensor.h"

#include <string>

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

}  // namespace

OrtStatus* GetShape(const OrtApi& api, const OrtValue* value, std::vector<int64_t>* shape) {
  OrtTensorTypeAndShapeInfo* info = nullptr;
  if (OrtStatus* status = api.GetTensorTypeAndShape(value, &info)) return status;
  OrtStatus* status = WithoutExceptions(api, [&] { return ReadShape(api, info, shape); });
  api.ReleaseTensorTypeAndShapeInfo(info);
  return status;
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

template <typename T>
OrtStatus* GetList(const OrtApi& api, const OrtValue* value, const char* name,
                   std::vector<T>* elements) {
  std::vector<int64_t> shape;
  if (OrtStatus* status = GetShape(api, value, &shape)) return status;
  if (shape.size() > 1) {
    return InvalidArgument(api, std::string(name) + ": got a tensor of " +
                                    std::to_string(shape.size()) + " axes, expected 1");
  }
  void* data = nullptr;
  if (OrtStatus* status = GetData(api, value, &data)) return status;
  const int64_t count = shape.empty() ? 1 : shape[0];
  const T* begin = static_cast<const T*>(data);
  elements->assign(begin, begin + count);
  return nullptr;
}

template OrtStatus* GetList<float>(const OrtApi&, const OrtValue*, const char*,
                                   std::vector<float>*);
template OrtStatus* GetList<int64_t>(const OrtApi&, const OrtValue*, const char*,
                                     std::vector<int64_t>*);

}  // namespace sr_ops::ort
