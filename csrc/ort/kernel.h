// One node of a session: its attributes, what is known of its problem beforehand, and how it runs.
#pragma once

#include <onnxruntime_c_api.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "core/resample.h"
#include "core/types.h"
#include "ort/thread_estimate.h"

namespace sr_ops::ort {

/// What the second input says: DynamicUpscale's scales or DynamicUpscaleToSizes' sizes.
enum class Target { kScales, kSizes };

class Kernel {
 public:
  Kernel(const OrtApi& api, Target target, DataType dtype)
      : api_(api), target_(target), dtype_(dtype) {}

  /// Reads the attributes and, where it is constant, the second input; where the shape of X is
  /// known too, builds the tables.
  OrtStatus* Prepare(const OrtKernelInfo* info);

  const OrtApi& api() const { return api_; }

  /// Runs on the session's own threads. Thread-safe.
  OrtStatus* Compute(OrtKernelContext* context) const;

 private:
  /// The second input's values, whichever kind they are.
  struct Request {
    std::vector<float> scales;
    std::vector<int64_t> sizes;
  };

  OrtStatus* ReadRequest(const OrtValue* value, Request* request) const;
  Status CheckConstantRequest() const;
  Status MakeProblem(const std::vector<int64_t>& shape, const Request& request,
                     Problem* problem) const;
  Status FindPlan(const Problem& problem, std::shared_ptr<const Plan>* plan) const;
  void PrepareTables(const OrtKernelInfo* info);
  OrtStatus* RunTiles(OrtKernelContext* context, const Plan& plan, const void* source,
                      void* destination, const Problem& problem) const;

  const OrtApi& api_;  // as the runtime handed it over, of the version that the operator asked for
  Target target_;
  DataType dtype_;
  Attributes attributes_;
  bool constant_request_ = false;
  Request request_;  // if constant
  Problem problem_;  // of plan_
  ThreadEstimate threads_;
  std::shared_ptr<const Plan> plan_;  // null unless everything was known beforehand
};

}  // namespace sr_ops::ort
