// A node on a GPU, under the CUDA execution provider: the session's stream, its allocator, and no
// waiting. Part of the shared library of a CUDA build alone.
#include <algorithm>
#include <memory>

#include "core/cuda/launch.h"
#include "core/cuda/plan.h"
#include "ort/error.h"
#include "ort/kernel.h"
#include "ort/operators.h"
#include "ort/tensor.h"

namespace sr_ops::ort {
namespace {

/// Device memory of the session, for as long as this lives.
class Workspace {
 public:
  Workspace(const OrtApi& api, OrtAllocator* allocator) : api_(api), allocator_(allocator) {}
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  /// Whoever gets the memory next uses it on the same stream: after what was enqueued there.
  ~Workspace() {
    if (data_ != nullptr) allocator_->Free(allocator_, data_);
    api_.ReleaseAllocator(allocator_);
  }

  /// Null where memory is out.
  void* Allocate(int64_t bytes) {
    data_ = allocator_->Alloc(allocator_, static_cast<size_t>(bytes));
    return data_;
  }

 private:
  const OrtApi& api_;
  OrtAllocator* allocator_;
  void* data_ = nullptr;
};

class CudaKernel : public Kernel {
 public:
  using Kernel::Kernel;

 private:
  OrtStatus* Run(OrtKernelContext* context, const Problem& problem, const OrtValue* x,
                 OrtValue* y) const override;
};

OrtStatus* CudaKernel::Run(OrtKernelContext* context, const Problem& p, const OrtValue* x,
                           OrtValue* y) const {
  void* source = nullptr;
  void* destination = nullptr;
  void* stream = nullptr;
  const OrtMemoryInfo* memory = nullptr;
  int device = 0;
  if (OrtStatus* failed = GetData(api(), x, &source)) return failed;
  if (OrtStatus* failed = GetData(api(), y, &destination)) return failed;
  if (OrtStatus* failed = api().KernelContext_GetGPUComputeStream(context, &stream)) return failed;
  if (OrtStatus* failed = api().GetTensorMemoryInfo(x, &memory)) return failed;
  if (OrtStatus* failed = api().MemoryInfoGetId(memory, &device)) return failed;

  cuda::Plan plan;
  const Status status =
      cuda::MakePlan(p, DenseView<ConstView>(source, p.channels, p.in_height, p.in_width),
                     DenseView<View>(destination, p.channels, p.out_height, p.out_width), &plan);
  if (!status.ok()) return ToOrtStatus(api(), status);
  if (plan.workspace_bytes == 0) {
    return ToOrtStatus(api(), cuda::Launch(plan, source, destination, nullptr, device, stream));
  }
  OrtAllocator* allocator = nullptr;
  if (OrtStatus* failed = api().KernelContext_GetAllocator(context, memory, &allocator)) {
    return failed;
  }
  Workspace workspace(api(), allocator);
  void* tables = workspace.Allocate(plan.workspace_bytes);
  if (tables == nullptr) {
    return ToOrtStatus(api(), Status::OutOfMemory("out of GPU memory for the tables"));
  }
  return ToOrtStatus(api(), cuda::Launch(plan, source, destination, tables, device, stream));
}

constexpr Device kCuda = {"CUDAExecutionProvider",
                          [](const OrtApi& api, Target target, DataType dtype) {
                            return std::unique_ptr<Kernel>(new CudaKernel(api, target, dtype));
                          }};

[[maybe_unused]] const bool offered = OfferGpu(kCuda);

}  // namespace
}  // namespace sr_ops::ort
