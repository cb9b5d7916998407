// One node of a session: its attributes, what is known of its problem beforehand, and how it runs.
#pragma once

#include <onnxruntime_c_api.h>

#include <cstdint>
#include <vector>

#include "core/status.h"
#include "core/types.h"

namespace sr_ops::ort {

/// What the second input says: DynamicUpscale's scales or DynamicUpscaleToSizes' sizes.
enum class Target { kScales, kSizes };

class Kernel {
 public:
  Kernel(const OrtApi& api, Target target, DataType dtype)
      : api_(api), target_(target), dtype_(dtype) {}
  virtual ~Kernel() = default;

  /// Reads the attributes and, where it is constant, the second input; where the shape of X is
  /// known too, prepares for it.
  OrtStatus* Prepare(const OrtKernelInfo* info);

  const OrtApi& api() const { return api_; }

  /// Thread-safe.
  OrtStatus* Compute(OrtKernelContext* context) const;

 private:
  /// The second input's values, whichever kind they are.
  struct Request {
    std::vector<float> scales;
    std::vector<int64_t> sizes;
  };

  /// Called once, before anything else.
  virtual OrtStatus* PrepareDevice(const OrtKernelInfo*) { return nullptr; }
  /// Called, if at all, before the first Run: a problem is to be expected. It may be invalid.
  virtual void PrepareFor(const Problem&) {}
  /// Computes Y, which has the shape that the valid problem gives it.
  virtual OrtStatus* Run(OrtKernelContext* context, const Problem& problem, const OrtValue* x,
                         OrtValue* y) const = 0;

  OrtStatus* ReadRequest(const OrtValue* value, Request* request) const;
  Status CheckConstantRequest() const;
  Status MakeProblem(const std::vector<int64_t>& shape, const Request& request,
                     Problem* problem) const;
  void PrepareForDeclaredShape(const OrtKernelInfo* info);

  const OrtApi& api_;  // as the runtime handed it over, of the version that the operator asked for
  Target target_;
  DataType dtype_;
  Attributes attributes_;
  bool constant_request_ = false;
  Request request_;  // if constant
};

/// A dense (N, C, H, W) tensor.
template <typename AnyView, typename Pointer>
AnyView DenseView(Pointer data, int64_t channels, int64_t height, int64_t width) {
  return {data, {channels * height * width, height * width, width, 1}};
}

}  // namespace sr_ops::ort
