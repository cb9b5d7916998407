#include "ort/request.h"

#include <string>

#include "ort/error.h"
#include "ort/tensor.h"

namespace sr_ops::ort {
namespace {

constexpr int kNone = -1;

int IndexOfScales(NodeType type) {
  return type == NodeType::kDynamicUpscale ? 1 : type == NodeType::kResize ? 2 : kNone;
}

int IndexOfSizes(NodeType type) {
  return type == NodeType::kDynamicUpscaleToSizes ? 1 : type == NodeType::kResize ? 3 : kNone;
}

/// Whether the node has the input at all: optional ones may be left out at the end, or have an
/// empty name.
bool HasInput(const OrtApi& api, const OrtKernelInfo* info, int index) {
  size_t count = 0;
  size_t size = 0;  // of the name, with the terminating zero
  return index >= 0 && Succeeded(api, api.KernelInfo_GetInputCount(info, &count)) &&
         static_cast<size_t>(index) < count &&
         Succeeded(api,
                   api.KernelInfo_GetInputName(info, static_cast<size_t>(index), nullptr, &size)) &&
         size > 1;
}

}  // namespace

const char* NameOf(NodeType type) {
  switch (type) {
    case NodeType::kDynamicUpscale: return "DynamicUpscale";
    case NodeType::kDynamicUpscaleToSizes: return "DynamicUpscaleToSizes";
    case NodeType::kResize: return "Resize";
  }
  return "";
}

RequestReader::RequestReader(const OrtApi& api, NodeType type)
    : api_(api),
      type_(type),
      scales_{"scales", IndexOfScales(type)},
      sizes_{"sizes", IndexOfSizes(type)} {}

OrtStatus* RequestReader::Prepare(const OrtKernelInfo* info) {
  if (OrtStatus* status = PrepareInput(info, &scales_)) return status;
  if (OrtStatus* status = PrepareInput(info, &sizes_)) return status;
  const bool fed =
      (scales_.index >= 0 && !scales_.is_constant) || (sizes_.index >= 0 && !sizes_.is_constant);
  if (fed) return nullptr;
  constant_.scales = scales_.values;
  constant_.sizes = sizes_.values;
  // What is wrong with a Resize is said when it runs, as the runtime's own does: it may never run.
  is_constant_ = Succeeded(api_, Choose(&constant_));
  return nullptr;
}

template <typename T>
OrtStatus* RequestReader::PrepareInput(const OrtKernelInfo* info, Input<T>* input) const {
  if (type_ == NodeType::kResize && !HasInput(api_, info, input->index)) input->index = kNone;
  if (input->index < 0) return nullptr;
  int is_constant = 0;
  const OrtValue* value = nullptr;
  if (OrtStatus* status = api_.KernelInfoGetConstantInput_tensor(
          info, static_cast<size_t>(input->index), &is_constant, &value)) {
    return status;
  }
  if (!is_constant || value == nullptr) return nullptr;
  input->is_constant = true;
  return GetList(api_, value, input->name, &input->values);
}

OrtStatus* RequestReader::Read(OrtKernelContext* context, Request* request) const {
  if (OrtStatus* status = ReadInput(context, scales_, &request->scales)) return status;
  if (OrtStatus* status = ReadInput(context, sizes_, &request->sizes)) return status;
  return Choose(request);
}

template <typename T>
OrtStatus* RequestReader::ReadInput(OrtKernelContext* context, const Input<T>& input,
                                    std::vector<T>* values) const {
  if (input.index < 0) return nullptr;
  if (input.is_constant) {
    *values = input.values;
    return nullptr;
  }
  const OrtValue* value = nullptr;
  if (OrtStatus* status =
          api_.KernelContext_GetInput(context, static_cast<size_t>(input.index), &value)) {
    return status;
  }
  if (value != nullptr) return GetList(api_, value, input.name, values);
  if (type_ == NodeType::kResize) return nullptr;
  return InvalidArgument(api_, std::string(input.name) + ": the input is missing");
}

/// Resize takes either, and an empty tensor for one that is not given.
OrtStatus* RequestReader::Choose(Request* request) const {
  if (type_ != NodeType::kResize) {
    request->by_sizes = type_ == NodeType::kDynamicUpscaleToSizes;
    return nullptr;
  }
  if (request->scales.empty() && request->sizes.empty()) {
    return InvalidArgument(api_, "scales, sizes: neither is given, expected one of them");
  }
  if (!request->scales.empty() && !request->sizes.empty()) {
    return InvalidArgument(api_, "scales, sizes: both are given, expected one of them");
  }
  request->by_sizes = request->scales.empty();
  return nullptr;
}

}  // namespace sr_ops::ort
