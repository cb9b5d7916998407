// The CUDA provider's kernels in real sessions of a runtime without CUDA: the operators pose as the
// CPU's, the few calls that only that provider answers are answered here, and launches are emulated
// on the host. What it shows: registration, the scratch memory's life, the stream and the device
// that a launch gets, errors on their way out, the result's bits. Prints what failed; exit status 1
// if anything did.
//
//   sr_ops_ort_cuda_kernel_test RUNTIME     ONNX Runtime's library
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/cuda/launch.h"
#include "core/resample.h"
#include "core/scale.h"
#include "cuda_emulation.h"
#include "expect.h"
#include "ort/element_type.h"
#include "ort/operators.h"
#include "problems.h"
#include "runtime.h"

namespace sr_ops::test {
namespace {

/// What the provider would be asked for, and answered.
struct Gpu {
  int stream_object = 0;
  int device = -1;  ///< of the launch
  int launches = 0;
  std::map<const void*, int64_t> in_use;  ///< scratch memory, bytes
  int64_t scratch_at_launch = -1;         ///< bytes in use then
  bool launch_fails = false;
  bool scratch_fails = false;
  bool scratch_is_null = false;

  void* stream() { return &stream_object; }
};
Gpu gpu;

// ---- the runtime's API, as the CUDA provider would fill it

const OrtApi* real = nullptr;
OrtApi patched;  // a copy of *real but for what follows

OrtStatus* ORT_API_CALL GetStream(const OrtKernelContext*, void** stream) noexcept {
  *stream = gpu.stream();
  return nullptr;
}

// The provider's allocator, whose Alloc nobody may call: it knows no stream.
struct Allocator : OrtAllocator {
  OrtMemoryInfo* info = nullptr;
  int owners = 0;
};
Allocator allocator;

void* ORT_API_CALL AllocWithoutStream(OrtAllocator*, size_t) {
  Expect(false, "memory without a stream");
  return nullptr;
}
void ORT_API_CALL FreeScratch(OrtAllocator*, void* data) {
  Expect(gpu.in_use.erase(data) == 1, "memory is given back once");
  std::free(data);
}
const OrtMemoryInfo* ORT_API_CALL InfoOf(const OrtAllocator*) { return allocator.info; }

OrtStatus* ORT_API_CALL GetAllocator(const OrtKernelInfo*, OrtMemType type,
                                     OrtAllocator** out) noexcept {
  Expect(type == OrtMemTypeDefault, "device memory is asked for");
  ++allocator.owners;
  *out = &allocator;
  return nullptr;
}
void ORT_API_CALL ReleaseAllocator(OrtAllocator*) noexcept { --allocator.owners; }

OrtStatus* ORT_API_CALL GetScratch(const OrtKernelContext*, const OrtMemoryInfo* info, size_t bytes,
                                   void** out) noexcept {
  Expect(info == allocator.info, "the memory that the allocator gives");
  *out = nullptr;
  if (gpu.scratch_is_null) return nullptr;
  if (gpu.scratch_fails) return real->CreateStatus(ORT_FAIL, "no more device memory");
  *out = std::aligned_alloc(cuda::kTableAlignment, bytes);
  gpu.in_use[*out] = static_cast<int64_t>(bytes);
  return nullptr;
}

// ---- registration: the CUDA provider's operators pose as the CPU's

struct Posing : OrtCustomOp {
  const OrtCustomOp* own = nullptr;
};
std::list<Posing> posing;
size_t others = 0;  // operators of other devices that were offered
/// Of one device: one for each type of elements and of scales or sizes.
constexpr size_t kOperators =
    std::size(ort::kElementTypes) * (std::size(ort::kScaleTypes) + std::size(ort::kSizeTypes));

OrtStatus* ORT_API_CALL CreatePosing(const OrtCustomOp* op, const OrtApi*,
                                     const OrtKernelInfo* info, void** kernel) {
  const OrtCustomOp* own = static_cast<const Posing*>(op)->own;
  return own->CreateKernelV2(own, &patched, info, kernel);
}

OrtStatus* ORT_API_CALL AddPosing(OrtCustomOpDomain* domain, const OrtCustomOp* op) noexcept {
  const char* provider = op->GetExecutionProviderType(op);
  if (provider == nullptr) {
    ++others;
    return nullptr;
  }
  Expect(std::string(provider) == "CUDAExecutionProvider", provider);
  Expect(op->GetInputMemoryType(op, 0) == OrtMemTypeDefault, "X in device memory");
  Expect(op->GetInputMemoryType(op, 1) == OrtMemTypeCPUInput, "scales in host memory");
  Posing& posed = posing.emplace_back();
  static_cast<OrtCustomOp&>(posed) = *op;
  posed.own = op;
  posed.CreateKernelV2 = CreatePosing;
  posed.GetExecutionProviderType = [](const OrtCustomOp*) -> const char* { return nullptr; };
  posed.GetName = [](const OrtCustomOp* p) {
    const OrtCustomOp* own = static_cast<const Posing*>(p)->own;
    return own->GetName(own);
  };
  posed.GetInputType = [](const OrtCustomOp* p, size_t i) {
    const OrtCustomOp* own = static_cast<const Posing*>(p)->own;
    return own->GetInputType(own, i);
  };
  posed.GetOutputType = [](const OrtCustomOp* p, size_t i) {
    const OrtCustomOp* own = static_cast<const Posing*>(p)->own;
    return own->GetOutputType(own, i);
  };
  posed.GetInputMemoryType = [](const OrtCustomOp*, size_t) { return OrtMemTypeDefault; };
  return real->CustomOpDomain_Add(domain, &posed);
}

const OrtApi* ORT_API_CALL GetPatchedOf17(uint32_t version) noexcept {
  return version <= 17 ? &patched : nullptr;
}

void PatchApi() {
  real = ApiBase().GetApi(ort::kGpuApiVersion);
  std::memcpy(static_cast<void*>(&patched), real, sizeof patched);
  patched.CustomOpDomain_Add = AddPosing;
  patched.KernelContext_GetGPUComputeStream = GetStream;
  patched.KernelInfoGetAllocator = GetAllocator;
  patched.ReleaseAllocator = ReleaseAllocator;
  patched.KernelContext_GetScratchBuffer = GetScratch;
  patched.AllocatorGetInfo = [](const OrtAllocator*, const OrtMemoryInfo** info) noexcept {
    *info = allocator.info;
    return static_cast<OrtStatus*>(nullptr);
  };
  allocator.version = ORT_API_VERSION;
  allocator.Alloc = AllocWithoutStream;
  allocator.Free = FreeScratch;
  allocator.Info = InfoOf;
  Expect(real->CreateMemoryInfo("Cuda", OrtArenaAllocator, 1, OrtMemTypeDefault, &allocator.info) ==
             nullptr,
         "memory info of GPU 1");
}

// ---- the tests

struct Case {
  Tensor x;
  Tensor scales;
  std::string expected;
  bool workspace;
};

Case MakeCase(int64_t height, int64_t width, float scale_height, float scale_width,
              bool workspace) {
  Problem p;
  p.batch = 2;
  p.channels = 3;
  p.in_height = height;
  p.in_width = width;
  p.out_height = OutputSize(height, scale_height);
  p.out_width = OutputSize(width, scale_width);
  p.scale_height = scale_height;
  p.scale_width = scale_width;
  p.attributes.antialias = true;
  Random random(7);
  const Buffer x = DenseBuffer(random, SourceShape(p), p.layout, p.dtype);
  Buffer y = DenseBuffer(random, DestinationShape(p), p.layout, p.dtype);
  const ConstView from = ViewOf(x);
  const View to = ViewOf(&y);
  Expect(Apply(p, from, to, 1).ok(), "the core");
  const float scales[2] = {scale_height, scale_width};
  return {{kElementFloat, {2, 3, height, width}, {x.bytes.begin(), x.bytes.end()}},
          {kElementFloat, {2}, {reinterpret_cast<const char*>(scales), sizeof scales}},
          {y.bytes.begin(), y.bytes.end()},
          workspace};
}

std::string ModelBytes() {
  Model model;
  model.attributes.push_back({"antialias", kInt, 0, 1, ""});
  return Serialize(model);
}

void TestRuns(const Session& session) {
  const Case cases[] = {
      MakeCase(20, 30, 2.7f, 1.5f, false),        // strips
      MakeCase(30, 20, 0.4f, 0.7f, false),        // tiles
      MakeCase(2048, 4, 1 / 256.0f, 1.0f, true),  // tables that no block can hold
  };
  for (const Case& c : cases) {
    gpu.launches = 0;
    gpu.scratch_at_launch = -1;
    Tensor y;
    std::string error;
    Expect(session.Run({{"X", c.x}, {"request", c.scales}}, &y, &error), error);
    Expect(y.bytes == c.expected, "the CPU's bits");
    Expect(gpu.launches == 1, "one launch a run");
    Expect(gpu.device == 1, "on the provider's device");
    Expect((gpu.scratch_at_launch > 0) == c.workspace, "scratch memory where it is needed");
    Expect(gpu.in_use.empty(), "scratch memory is given back");
  }
}

void TestErrors(const Session& session) {
  const Case c = MakeCase(2048, 4, 1 / 256.0f, 1.0f, true);
  const std::pair<bool*, const char*> kinds[] = {
      {&gpu.launch_fails, "CUDA: no kernel"},
      {&gpu.scratch_fails, "no more device memory"},
      {&gpu.scratch_is_null, "out of GPU memory"},
  };
  for (const auto& [fails, reason] : kinds) {
    *fails = true;
    Tensor y;
    std::string error;
    Expect(!session.Run({{"X", c.x}, {"request", c.scales}}, &y, &error),
           "the failure is reported");
    Expect(error.find(reason) != std::string::npos, "the reason is told: " + error);
    Expect(gpu.in_use.empty(), "scratch memory is given back after a failure");
    *fails = false;
  }
}

}  // namespace

int Main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: " << argv[0] << " RUNTIME\n";
    return EXIT_FAILURE;
  }
  LoadRuntime(argv[1]);
  PatchApi();
  const OrtApiBase old_base{GetPatchedOf17, ApiBase().GetVersionString};
  RegisterThrough(old_base);
  { const Session without(ModelBytes(), ""); }
  Expect(posing.empty() && others == kOperators,
         "a runtime of 1.17 is offered the CPU's operators alone");

  // Operators are registered once for each API: a copy makes another one.
  static OrtApi again = patched;
  const OrtApiBase base{[](uint32_t version) noexcept -> const OrtApi* {
                          return version <= ORT_API_VERSION ? &again : nullptr;
                        },
                        ApiBase().GetVersionString};
  RegisterThrough(base);
  {
    const Session session(ModelBytes(), "");
    Expect(session.error().empty(), session.error());
    Expect(posing.size() == kOperators && others == 2 * kOperators,
           "every operator is offered for both devices");
    Expect(allocator.owners == 1, "one kernel holds the allocator");
    TestRuns(session);
    TestErrors(session);
    TestRuns(session);
  }
  Expect(allocator.owners == 0, "the allocator is released with the kernel");
  std::cout << failures << " failures\n";
  return ExitStatus();
}

}  // namespace sr_ops::test

// In place of csrc/core/cuda/launch.cpp.
sr_ops::Status sr_ops::cuda::Launch(const LaunchPlan& plan, const void* source, void* destination,
                                    void* workspace, int device, void* stream) {
  using test::Expect;
  using test::gpu;
  ++gpu.launches;
  gpu.device = device;
  Expect(stream == gpu.stream(), "the session's stream");
  gpu.scratch_at_launch = 0;
  for (const auto& [data, bytes] : gpu.in_use) gpu.scratch_at_launch += bytes;
  if (workspace != nullptr) {
    Expect(gpu.in_use.count(workspace) == 1 && gpu.in_use[workspace] >= plan.workspace_bytes,
           "a workspace of the size that the plan asks for");
  }
  if (gpu.launch_fails) return Status::DeviceFailure("CUDA: no kernel");
  LaunchPlan complete = plan;
  complete.arguments.source.data = source;
  complete.arguments.destination.data = destination;
  test::Random random(1);
  test::Emulation emulation;
  emulation.workspace = workspace;
  Expect(test::Emulate(complete, random, emulation), "writes beside shared memory");
  return {};
}

int main(int argc, char** argv) { return sr_ops::test::Main(argc, argv); }
