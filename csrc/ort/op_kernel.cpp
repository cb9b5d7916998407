#include "ort/op_kernel.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "core/pillow_axis.h"
#include "core/resample.h"
#include "core/scale.h"
#include "ort/attributes.h"
#include "ort/error.h"
#include "ort/geometry.h"
#include "ort/tensor.h"

namespace sr_ops::ort {
namespace {

/// Empty where the node has none.
OrtStatus* ReadAxes(const OrtApi& api, const OrtKernelInfo* info, std::vector<int64_t>* axes) {
  size_t count = 0;
  if (!Succeeded(api, api.KernelInfoGetAttributeArray_int64(info, "axes", nullptr, &count)) ||
      count == 0) {
    return nullptr;
  }
  axes->resize(count);
  return api.KernelInfoGetAttributeArray_int64(info, "axes", axes->data(), &count);
}

bool IsEmpty(const std::vector<int64_t>& shape) {
  return std::find(shape.begin(), shape.end(), 0) != shape.end();
}

/// What the attributes do not go with, whatever the shapes will be.
Status CheckAttributes(const Attributes& attributes, DataType dtype) {
  if (attributes.rounding != Rounding::kPillow) return {};
  Problem problem;
  problem.dtype = dtype;
  problem.attributes = attributes;
  return CheckPillow(problem);
}

}  // namespace

OrtStatus* OpKernel::Prepare(const OrtKernelInfo* info) {
  if (OrtStatus* status = PrepareDevice(info)) return status;
  if (OrtStatus* status = ReadAttributes(api_, info, &attributes_)) return status;
  const Status attributes = CheckAttributes(attributes_, dtype_);
  if (!attributes.ok()) return ToOrtStatus(api_, attributes);
  if (type_ == NodeType::kResize) {
    if (OrtStatus* status = ReadAxes(api_, info, &axes_)) return status;
  }
  if (OrtStatus* status = request_.Prepare(info)) return status;
  if (request_.constant() == nullptr) return nullptr;
  Status status = CheckConstantRequest();
  if (status.ok()) PrepareForDeclaredShape(info);
  return ToOrtStatus(api_, status);
}

Status OpKernel::CheckConstantRequest() const {
  const Request& request = *request_.constant();
  const size_t count = request.by_sizes ? request.sizes.size() : request.scales.size();
  const size_t rank = std::clamp<size_t>(count, 2, 4);  // the rank of X is not known yet
  float height, width;
  int64_t out_height, out_width;
  switch (type_) {
    case NodeType::kDynamicUpscale:
      return ParseScales(request.scales.data(), count, rank, &height, &width);
    case NodeType::kDynamicUpscaleToSizes:
      // Leading sizes are compared with X's own when X comes; here only with themselves.
      return ParseSizes(request.sizes.data(), count, request.sizes.data(), rank, &out_height,
                        &out_width);
    case NodeType::kResize: break;  // like the runtime's own, it says what is wrong when it runs
  }
  return {};
}

void OpKernel::PrepareForDeclaredShape(const OrtKernelInfo* info) {
  const std::vector<int64_t> shape = GetDeclaredShape(api_, info, 0);
  const bool known = shape.size() >= 2 &&
                     std::all_of(shape.begin(), shape.end(), [](int64_t d) { return d >= 0; });
  // What a model declares of its inner tensors may be wrong or absurd, so whatever does not fit
  // here is left for the real shape to decide.
  Problem problem;
  if (known && MakeProblem(shape, *request_.constant(), &problem).ok()) PrepareFor(problem);
}

Status OpKernel::MakeProblem(const std::vector<int64_t>& shape, const Request& request,
                             Problem* problem) const {
  problem->dtype = dtype_;
  problem->attributes = attributes_;
  if (type_ == NodeType::kResize) return SetResizeGeometry(shape, axes_, request, problem);
  return SetGeometry(shape, request, problem);
}

OrtStatus* OpKernel::Compute(OrtKernelContext* context) const {
  const OrtValue* x = nullptr;
  if (OrtStatus* status = api_.KernelContext_GetInput(context, 0, &x)) return status;
  if (x == nullptr) return InvalidArgument(api_, "X: the input is missing");
  std::vector<int64_t> shape;
  if (OrtStatus* status = GetShape(api_, x, &shape)) return status;

  const Request* request = request_.constant();
  Request fed;
  if (request == nullptr) {
    if (OrtStatus* status = request_.Read(context, &fed)) return status;
    request = &fed;
  }
  Problem problem;
  Status status = MakeProblem(shape, *request, &problem);
  if (!status.ok()) return ToOrtStatus(api_, status);
  shape = OutputShape(std::move(shape), problem);
  // Resize of the runtime gives empty images where the scale leaves nothing; ours refuses them.
  const bool nothing = type_ == NodeType::kResize && !request->by_sizes && IsEmpty(shape);
  if (!nothing) status = Validate(problem);
  if (!status.ok()) return ToOrtStatus(api_, status);

  OrtValue* y = nullptr;
  if (OrtStatus* failed =
          api_.KernelContext_GetOutput(context, 0, shape.data(), shape.size(), &y)) {
    return failed;
  }
  return nothing ? nullptr : Run(context, problem, x, y);
}

OrtStatus* GetBuffers(const OrtApi& api, const Problem& p, const OrtValue* x, OrtValue* y,
                      void** source, void** destination) {
  if (OrtStatus* failed = GetData(api, x, source)) return failed;
  if (OrtStatus* failed = GetData(api, y, destination)) return failed;
  const auto bytes = [&](int64_t height, int64_t width) {
    return static_cast<uintptr_t>(p.batch * p.channels * height * width * SizeOf(p.dtype));
  };
  const uintptr_t from = reinterpret_cast<uintptr_t>(*source);
  const uintptr_t to = reinterpret_cast<uintptr_t>(*destination);
  if (from < to + bytes(p.out_height, p.out_width) && to < from + bytes(p.in_height, p.in_width)) {
    return InvalidArgument(api,
                           "Y: the memory that is bound to it overlaps that of X; bind Y to memory "
                           "of its own");
  }
  return nullptr;
}

OrtStatus* WithNodeName(const OrtApi& api, NodeType type, const OrtKernelInfo* info,
                        OrtStatus* status) {
  char name[256] = "";
  size_t size = sizeof name;
  // Too long a name: do without.
  if (!Succeeded(api, api.KernelInfo_GetNodeName(info, name, &size))) name[0] = '\0';
  const std::string message =
      std::string(NameOf(type)) + " node '" + name + "': " + api.GetErrorMessage(status);
  const OrtErrorCode code = api.GetErrorCode(status);
  api.ReleaseStatus(status);
  return api.CreateStatus(code, message.c_str());
}

}  // namespace sr_ops::ort
