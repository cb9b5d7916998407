// What cuda::Launch asks of the CUDA runtime, by a runtime that only takes notes: which kernels, on
// which grids, in which order, on which stream; and what becomes of its errors. Linking this
// without NVIDIA's runtime shows that nothing else is asked for: no memory, no copies, no waiting.
// Prints what failed; exit status 1 if anything did.
#include "core/cuda/launch.h"

#include <cuda_runtime_api.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace {

using sr_ops::DataType;
using sr_ops::Problem;
using sr_ops::Status;
using sr_ops::cuda::Arguments;
using sr_ops::cuda::LaunchPlan;

int failures = 0;

void Expect(bool condition, const std::string& what) {
  if (condition) return;
  ++failures;
  std::cerr << "FAILED: " << what << "\n";
}

struct Noted {
  std::string kernel;  // mangled
  dim3 grid;
  dim3 block;
  size_t shared;
  cudaStream_t stream;
  Arguments arguments;
};
std::vector<Noted> launches;
std::vector<int> devices;
cudaError_t device_error = cudaSuccess;
cudaError_t launch_error = cudaSuccess;

std::map<const void*, std::string>& Kernels() {  // registered before main()
  static std::map<const void*, std::string> kernels;
  return kernels;
}

}  // namespace

extern "C" {
cudaError_t cudaSetDevice(int device) {
  devices.push_back(device);
  return device_error;
}
cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void** arguments,
                             size_t shared, cudaStream_t stream) {
  Arguments copy;
  std::memcpy(static_cast<void*>(&copy), arguments[0], sizeof copy);
  launches.push_back({Kernels()[function], grid, block, shared, stream, copy});
  return launch_error;
}
const char* cudaGetErrorString(cudaError_t) { return "an error"; }

// What nvcc's registration of kernels calls.
void** __cudaRegisterFatBinary(void*) {
  static void* handle;
  return &handle;
}
void __cudaRegisterFatBinaryEnd(void**) {}
void __cudaUnregisterFatBinary(void**) {}
char __cudaInitModule(void**) { return 1; }
void __cudaRegisterFunction(void**, const char* host_function, char*, const char* name, int, uint3*,
                            uint3*, dim3*, dim3*, int*) {
  Kernels()[host_function] = name;
}
// What its stubs call, which cudaLaunchKernel stands in for.
cudaError_t __cudaPopCallConfiguration(dim3*, dim3*, size_t*, void*) { return cudaErrorUnknown; }
cudaError_t __cudaGetKernel(cudaKernel_t*, const void*) { return cudaErrorUnknown; }
cudaError_t __cudaLaunchKernel(cudaKernel_t, dim3, dim3, void**, size_t, cudaStream_t) {
  return cudaErrorUnknown;
}
}

namespace {

Problem Square(int64_t in, int64_t out, DataType dtype, int64_t batch = 1) {
  Problem p;
  p.batch = batch;
  p.channels = 1;
  p.in_height = p.in_width = in;
  p.out_height = p.out_width = out;
  p.scale_height = p.scale_width = static_cast<double>(out) / static_cast<double>(in);
  p.dtype = dtype;
  return p;
}

LaunchPlan PlanOf(const Problem& p) {
  LaunchPlan plan;
  const int64_t in = p.in_width, out = p.out_width;
  const Status status = MakePlan(p, {nullptr, {in * in, in * in, in, 1}},
                                 {nullptr, {out * out, out * out, out, 1}}, &plan);
  Expect(status.ok(), status.message);
  return plan;
}

char source, destination, workspace;  // addresses alone
const auto stream = reinterpret_cast<cudaStream_t>(&workspace + 1);

Status Launch(const LaunchPlan& plan) {
  launches.clear();
  devices.clear();
  return sr_ops::cuda::Launch(plan, &source, &destination,
                              plan.workspace_bytes > 0 ? &workspace : nullptr, 3, stream);
}

void ExpectCovers(const Noted& noted, int64_t blocks, const std::string& what) {
  const int64_t x = noted.grid.x, y = noted.grid.y;
  Expect(x >= 1 && x <= 0x7fffffff && y >= 1 && y <= 65535 && noted.grid.z == 1, what + ": grid");
  Expect(x * y >= blocks && x * (y - 1) < blocks, what + ": as many blocks as are needed");
}

void ExpectLaunches(const Problem& p, const std::string& main_kernel, bool tables) {
  const LaunchPlan plan = PlanOf(p);
  const std::string what = main_kernel + ", dtype " + std::to_string(static_cast<int>(p.dtype));
  Expect(Launch(plan).ok(), what);
  Expect(devices == std::vector<int>{3}, what + ": the device");
  if (launches.size() != (tables ? 2u : 1u)) return Expect(false, what + ": number of launches");
  const Arguments& a = plan.arguments;
  if (tables) {
    const Noted& first = launches.front();
    Expect(first.kernel.find("TableKernel") != std::string::npos, what + ": tables first");
    Expect(first.block.x == 128 && first.shared == 0, what + ": tables' blocks");
    ExpectCovers(first, (a.rows.destination + a.columns.destination + 127) / 128, what);
  }
  const Noted& last = launches.back();
  const std::string home = tables ? "TableHomeE1E" : "TableHomeE0E";
  Expect(last.kernel.find(main_kernel) != std::string::npos, what + " runs, not " + last.kernel);
  Expect(last.kernel.find(home) != std::string::npos, what + ": where its tables are");
  const bool strips = main_kernel == "StripKernel";
  Expect(last.block.x == (strips ? 128u : 256u) && last.block.y == 1 && last.block.z == 1,
         what + ": threads");
  Expect(last.shared == static_cast<size_t>(plan.shared_bytes) && last.shared <= 48 << 10,
         what + ": shared memory");
  ExpectCovers(last, a.blocks, what);
  for (const Noted& noted : launches) {
    Expect(noted.stream == stream, what + ": the stream");
    Expect(noted.arguments.source.data == &source, what + ": the source");
    Expect(noted.arguments.destination.data == &destination, what + ": the destination");
    Expect(noted.arguments.tables == (tables ? &workspace : nullptr), what + ": the workspace");
  }
}

void TestErrors() {
  const LaunchPlan plan = PlanOf(Square(2000, 4000, DataType::kFloat32));
  launch_error = cudaErrorNoKernelImageForDevice;
  Status status = Launch(plan);
  Expect(status.code == sr_ops::StatusCode::kDeviceFailure, "a failed launch fails");
  Expect(status.message.find("SR_OPS_CUDA_ARCHITECTURES") != std::string::npos, status.message);
  Expect(launches.size() == 1, "nothing follows a launch that failed");
  launch_error = cudaSuccess;
  device_error = cudaErrorInsufficientDriver;
  status = Launch(plan);
  Expect(status.message.find("driver") != std::string::npos, status.message);
  Expect(launches.empty(), "nothing follows a device that cannot be had");
  device_error = cudaSuccess;
}

}  // namespace

int main() {
  for (DataType dtype : {DataType::kFloat32, DataType::kFloat64, DataType::kFloat16,
                         DataType::kBFloat16, DataType::kUInt8, DataType::kInt8}) {
    ExpectLaunches(Square(256, 512, dtype), "StripKernel", false);
    ExpectLaunches(Square(2000, 4000, dtype), "StripKernel", true);
    ExpectLaunches(Square(512, 256, dtype), "TileKernel", false);
    ExpectLaunches(Square(4000, 2000, dtype), "TileKernel", true);
    // 2^40 elements, in tiles of 256 planes of 2 x 2 and of one plane.
    ExpectLaunches(Square(1, 2, dtype, int64_t{1} << 38), "StripKernel", true);
    ExpectLaunches(Square(3, 1, dtype, int64_t{1} << 36), "TileKernel", true);
    ExpectLaunches(Square(1 << 19, 1 << 20, dtype), "StripKernel", true);
  }
  Expect(Launch(PlanOf(Square(4, 8, DataType::kFloat32, 0))).ok() && launches.empty() &&
             devices.empty(),
         "an empty batch asks for nothing");
  TestErrors();
  std::cout << failures << " failures\n";
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
