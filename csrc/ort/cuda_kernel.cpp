// A node on a GPU, under the CUDA execution provider: the session's stream, its allocator, and no
// waiting. Part of the shared library of a CUDA build alone.
#include <memory>

#include "core/cuda/launch.h"
#include "core/cuda/launch_plan.h"
#include "ort/error.h"
#include "ort/op_kernel.h"
#include "ort/operators.h"
#include "ort/tensor.h"

static_assert(ORT_API_VERSION >= 18,
              "CUDA kernels for ONNX Runtime need the headers of 1.18 or newer");

namespace sr_ops::ort {
namespace {

/// Device memory for what a run enqueues on its stream.
class Workspace {
 public:
  explicit Workspace(OrtAllocator* allocator) : allocator_(allocator) {}
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  /// Perhaps before the GPU has used the memory: the allocator knows the stream, and gives it to no
  /// other stream until then.
  ~Workspace() {
    if (data_ != nullptr) allocator_->Free(allocator_, data_);
  }

  /// Not by OrtAllocator::Alloc, which knows no stream: a run on another thread, that is on another
  /// stream, could be given the memory as soon as it is free.
  OrtStatus* Allocate(const OrtApi& api, const OrtKernelContext* context, int64_t bytes) {
    const OrtMemoryInfo* memory = nullptr;
    if (OrtStatus* failed = api.AllocatorGetInfo(allocator_, &memory)) return failed;
    if (OrtStatus* failed = api.KernelContext_GetScratchBuffer(
            context, memory, static_cast<size_t>(bytes), &data_)) {
      return failed;
    }
    if (data_ != nullptr) return nullptr;
    return ToOrtStatus(api, Status::OutOfMemory("out of GPU memory for the tables"));
  }
  void* data() const { return data_; }

 private:
  OrtAllocator* allocator_;
  void* data_ = nullptr;
};

class CudaKernel : public OpKernel {
 public:
  using OpKernel::OpKernel;
  ~CudaKernel() override {
    if (allocator_ != nullptr) api().ReleaseAllocator(allocator_);
  }

 private:
  OrtStatus* PrepareDevice(const OrtKernelInfo* info) override;
  OrtStatus* Run(OrtKernelContext* context, const Problem& problem, const OrtValue* x,
                 OrtValue* y) const override;

  OrtAllocator* allocator_ = nullptr;  // the provider's, of device memory
  int device_ = 0;
};

OrtStatus* CudaKernel::PrepareDevice(const OrtKernelInfo* info) {
  const OrtMemoryInfo* memory = nullptr;
  if (OrtStatus* failed = api().KernelInfoGetAllocator(info, OrtMemTypeDefault, &allocator_)) {
    return failed;
  }
  if (OrtStatus* failed = api().AllocatorGetInfo(allocator_, &memory)) return failed;
  return api().MemoryInfoGetId(memory, &device_);
}

OrtStatus* CudaKernel::Run(OrtKernelContext* context, const Problem& p, const OrtValue* x,
                           OrtValue* y) const {
  void* source = nullptr;
  void* destination = nullptr;
  void* stream = nullptr;
  if (OrtStatus* failed = GetBuffers(api(), p, x, y, &source, &destination)) return failed;
  if (OrtStatus* failed = api().KernelContext_GetGPUComputeStream(context, &stream)) return failed;

  cuda::LaunchPlan plan;
  const Status status = cuda::MakePlan(
      p, DenseView<ConstView>(source, p.layout, p.channels, p.in_height, p.in_width),
      DenseView<View>(destination, p.layout, p.channels, p.out_height, p.out_width), &plan);
  if (!status.ok()) return ToOrtStatus(api(), status);
  Workspace workspace(allocator_);
  if (plan.workspace_bytes > 0) {
    if (OrtStatus* failed = workspace.Allocate(api(), context, plan.workspace_bytes)) return failed;
  }
  return ToOrtStatus(api(),
                     cuda::Launch(plan, source, destination, workspace.data(), device_, stream));
}

constexpr Device kCuda = {"CUDAExecutionProvider", kGpuApiVersion,
                          [](const OrtApi& api, NodeType type, DataType dtype) {
                            return std::unique_ptr<OpKernel>(new CudaKernel(api, type, dtype));
                          }};

[[maybe_unused]] const bool offered = OfferGpu(kCuda);

}  // namespace
}  // namespace sr_ops::ort
