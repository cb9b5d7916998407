// One node of a session: its attributes, what is known of its problem beforehand, and how it runs.
#pragma once

#include <onnxruntime_c_api.h>

#include <cstdint>
#include <vector>

#include "core/status.h"
#include "core/types.h"
#include "ort/request.h"

namespace sr_ops::ort {

class OpKernel {
 public:
  OpKernel(const OrtApi& api, NodeType type, DataType dtype)
      : api_(api), type_(type), dtype_(dtype), request_(api, type) {}
  virtual ~OpKernel() = default;

  /// Reads the attributes and, where it is constant, what is asked for; where the shape of X is
  /// known too, prepares for it.
  OrtStatus* Prepare(const OrtKernelInfo* info);

  const OrtApi& api() const { return api_; }

  /// Thread-safe.
  OrtStatus* Compute(OrtKernelContext* context) const;

 private:
  /// Called once, before anything else.
  virtual OrtStatus* PrepareDevice(const OrtKernelInfo*) { return nullptr; }
  /// Called, if at all, before the first Run: a problem is to be expected. It may be invalid.
  virtual void PrepareFor(const Problem&) {}
  /// Computes Y, which has the shape that the valid problem gives it.
  virtual OrtStatus* Run(OrtKernelContext* context, const Problem& problem, const OrtValue* x,
                         OrtValue* y) const = 0;

  Status CheckConstantRequest() const;
  Status MakeProblem(const std::vector<int64_t>& shape, const Request& request,
                     Problem* problem) const;
  void PrepareForDeclaredShape(const OrtKernelInfo* info);

  const OrtApi& api_;  // as the runtime handed it over, of the version that the operator asked for
  NodeType type_;
  DataType dtype_;
  Attributes attributes_;
  std::vector<int64_t> axes_;  // Resize's attribute; empty: all of them
  RequestReader request_;
};

/// Puts the operator's and the node's name before an error at load time; at run time, the runtime
/// does that itself.
OrtStatus* WithNodeName(const OrtApi& api, NodeType type, const OrtKernelInfo* info,
                        OrtStatus* status);

/// Where X and Y of a run lie, in the memory of the device. An error where they overlap: a caller
/// may bind both, and Y would be written while X is still read.
OrtStatus* GetBuffers(const OrtApi& api, const Problem& problem, const OrtValue* x, OrtValue* y,
                      void** source, void** destination);

/// A dense tensor.
template <typename AnyView, typename Pointer>
AnyView DenseView(Pointer data, Layout layout, int64_t channels, int64_t height, int64_t width) {
  const int64_t image = channels * height * width;
  if (layout == Layout::kChannelsLast) return {data, {image, 1, width * channels, channels}};
  return {data, {image, height * width, width, 1}};
}

}  // namespace sr_ops::ort
