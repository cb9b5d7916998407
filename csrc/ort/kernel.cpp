#include "ort/kernel.h"

#include <algorithm>
#include <string>

#include "core/resample.h"
#include "core/scale.h"
#include "ort/attributes.h"
#include "ort/error.h"
#include "ort/tensor.h"

namespace sr_ops::ort {
namespace {

const char* NameOf(Target target) { return target == Target::kScales ? "scales" : "sizes"; }

}  // namespace

OrtStatus* Kernel::Prepare(const OrtKernelInfo* info) {
  if (OrtStatus* status = PrepareDevice(info)) return status;
  if (OrtStatus* status = ReadAttributes(api_, info, &attributes_)) return status;
  int is_constant = 0;
  const OrtValue* value = nullptr;
  if (OrtStatus* status = api_.KernelInfoGetConstantInput_tensor(info, 1, &is_constant, &value)) {
    return status;
  }
  if (!is_constant || value == nullptr) return nullptr;
  if (OrtStatus* status = ReadRequest(value, &request_)) return status;
  constant_request_ = true;
  Status status = CheckConstantRequest();
  if (status.ok()) PrepareForDeclaredShape(info);
  return ToOrtStatus(api_, status);
}

OrtStatus* Kernel::ReadRequest(const OrtValue* value, Request* request) const {
  if (value == nullptr) {
    return InvalidArgument(api_, std::string(NameOf(target_)) + ": the input is missing");
  }
  if (target_ == Target::kScales) return GetList(api_, value, "scales", &request->scales);
  return GetList(api_, value, "sizes", &request->sizes);
}

Status Kernel::CheckConstantRequest() const {
  const size_t count = std::max(request_.scales.size(), request_.sizes.size());
  const size_t rank = std::clamp<size_t>(count, 2, 4);  // the rank of X is not known yet
  if (target_ == Target::kScales) {
    float height, width;
    return ParseScales(request_.scales.data(), count, rank, &height, &width);
  }
  // Leading sizes are compared with X's own when X comes; here only with themselves.
  int64_t height, width;
  return ParseSizes(request_.sizes.data(), count, request_.sizes.data(), rank, &height, &width);
}

void Kernel::PrepareForDeclaredShape(const OrtKernelInfo* info) {
  const std::vector<int64_t> shape = GetDeclaredShape(api_, info, 0);
  const bool known = shape.size() >= 2 &&
                     std::all_of(shape.begin(), shape.end(), [](int64_t d) { return d >= 0; });
  // What a model declares of its inner tensors may be wrong or absurd, so whatever does not fit
  // here is left for the real shape to decide.
  Problem problem;
  if (known && MakeProblem(shape, request_, &problem).ok()) PrepareFor(problem);
}

Status Kernel::MakeProblem(const std::vector<int64_t>& shape, const Request& request,
                           Problem* problem) const {
  const size_t rank = shape.size();
  if (rank < 2 || rank > 4) {
    return Status::InvalidArgument("X: got " + std::to_string(rank) +
                                   " axes, expected 2 (H, W), 3 (C, H, W) or 4 (N, C, H, W)");
  }
  Problem& p = *problem;
  p.dtype = dtype_;
  p.attributes = attributes_;
  p.batch = rank == 4 ? shape[0] : 1;
  p.channels = rank >= 3 ? shape[rank - 3] : 1;
  p.in_height = shape[rank - 2];
  p.in_width = shape[rank - 1];
  if (target_ == Target::kSizes) {
    Status status = ParseSizes(request.sizes.data(), request.sizes.size(), shape.data(), rank,
                               &p.out_height, &p.out_width);
    p.scale_height = static_cast<double>(p.out_height) / static_cast<double>(p.in_height);
    p.scale_width = static_cast<double>(p.out_width) / static_cast<double>(p.in_width);
    return status;
  }
  float height = 0, width = 0;
  Status status = ParseScales(request.scales.data(), request.scales.size(), rank, &height, &width);
  if (!status.ok()) return status;
  p.scale_height = height;
  p.scale_width = width;
  p.out_height = OutputSize(p.in_height, height);
  p.out_width = OutputSize(p.in_width, width);
  if (p.out_height < 0 || p.out_width < 0) {
    return Status::InvalidArgument("scales: the output of " + std::to_string(p.in_height) + " x " +
                                   std::to_string(p.in_width) +
                                   " would have more than 2^40 elements; use a smaller scale");
  }
  return status;
}

OrtStatus* Kernel::Compute(OrtKernelContext* context) const {
  const OrtValue* x = nullptr;
  if (OrtStatus* status = api_.KernelContext_GetInput(context, 0, &x)) return status;
  if (x == nullptr) return InvalidArgument(api_, "X: the input is missing");
  std::vector<int64_t> shape;
  if (OrtStatus* status = GetShape(api_, x, &shape)) return status;

  Request fed;
  if (!constant_request_) {
    const OrtValue* value = nullptr;
    if (OrtStatus* status = api_.KernelContext_GetInput(context, 1, &value)) return status;
    if (OrtStatus* status = ReadRequest(value, &fed)) return status;
  }
  Problem problem;
  Status status = MakeProblem(shape, constant_request_ ? request_ : fed, &problem);
  if (status.ok()) status = Validate(problem);
  if (!status.ok()) return ToOrtStatus(api_, status);

  shape[shape.size() - 2] = problem.out_height;
  shape[shape.size() - 1] = problem.out_width;
  OrtValue* y = nullptr;
  if (OrtStatus* failed =
          api_.KernelContext_GetOutput(context, 0, shape.data(), shape.size(), &y)) {
    return failed;
  }
  return Run(context, problem, x, y);
}

}  // namespace sr_ops::ort
