#include "torch/cuda/current_stream.h"

#include <dlfcn.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>

#include "torch/tensor_arguments.h"

namespace sr_ops {
namespace {

using GetStream = AOTITorchError (*)(int32_t device, void** stream);

// The one entry point that lives in libtorch_cuda. Looked up where torch has loaded it, not linked:
// so this library builds where a CPU build of torch is installed.
GetStream FindGetStream() {
  void* library = dlopen("libtorch_cuda.so", RTLD_LAZY | RTLD_NOLOAD);
  void* symbol =
      library == nullptr ? nullptr : dlsym(library, "aoti_torch_get_current_cuda_stream");
  return reinterpret_cast<GetStream>(symbol);
}

}  // namespace

void* CurrentCudaStream(int32_t device) {
  static const GetStream get_stream = FindGetStream();
  if (get_stream == nullptr) Fail("x: is on a GPU, but this torch was built without CUDA");
  void* stream = nullptr;
  TORCH_ERROR_CODE_CHECK(get_stream(device, &stream));
  return stream;
}

}  // namespace sr_ops
