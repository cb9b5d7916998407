// A node on the CPU: runs on the session's own threads.
#pragma once

#include <memory>

#include "core/resample.h"
#include "ort/op_kernel.h"
#include "ort/thread_estimate.h"

namespace sr_ops::ort {

class CpuKernel : public OpKernel {
 public:
  using OpKernel::OpKernel;

 private:
  void PrepareFor(const Problem& problem) override;
  OrtStatus* Run(OrtKernelContext* context, const Problem& problem, const OrtValue* x,
                 OrtValue* y) const override;

  Status FindPlan(const Problem& problem, std::shared_ptr<const Plan>* plan) const;

  ThreadEstimate threads_;
  std::shared_ptr<const Plan> plan_;  // null unless everything was known beforehand
  Problem problem_;                   // of plan_
};

}  // namespace sr_ops::ort
