// What a node asks for beside its attributes: scales or sizes, constant or fed.
#pragma once

#include <onnxruntime_c_api.h>

#include <cstdint>
#include <vector>

namespace sr_ops::ort {

/// The operators whose nodes we run. They differ in where their inputs are.
enum class NodeType {
  kDynamicUpscale,         ///< (X, scales), domain sr_ops
  kDynamicUpscaleToSizes,  ///< (X, sizes), domain sr_ops
  kResize,                 ///< (X, roi, scales, sizes), ONNX's; roi is ignored: cubic has none
};

/// The operator's name in a model.
const char* NameOf(NodeType type);

/// Scales or sizes, as the model or its caller gave them.
struct Request {
  bool by_sizes = false;  ///< which of the two counts
  std::vector<float> scales;
  std::vector<int64_t> sizes;
};

class RequestReader {
 public:
  RequestReader(const OrtApi& api, NodeType type);

  /// Finds out which inputs the node has, and reads those that are constant.
  OrtStatus* Prepare(const OrtKernelInfo* info);

  /// The request, if nothing that is fed can change it; otherwise null.
  const Request* constant() const { return is_constant_ ? &constant_ : nullptr; }

  /// Reads what this run is fed. Thread-safe.
  OrtStatus* Read(OrtKernelContext* context, Request* request) const;

 private:
  template <typename T>
  struct Input {
    const char* name;
    int index;  // negative: the node has no such input
    bool is_constant = false;
    std::vector<T> values = {};  // if constant
  };

  template <typename T>
  OrtStatus* PrepareInput(const OrtKernelInfo* info, Input<T>* input) const;
  template <typename T>
  OrtStatus* ReadInput(OrtKernelContext* context, const Input<T>& input,
                       std::vector<T>* values) const;
  OrtStatus* Choose(Request* request) const;

  const OrtApi& api_;
  NodeType type_;
  Input<float> scales_;
  Input<int64_t> sizes_;
  bool is_constant_ = false;
  Request constant_;
};

}  // namespace sr_ops::ort
