// The stream that torch has chosen for its work on a GPU.
#pragma once

#include <cstdint>

namespace sr_ops {

/// A cudaStream_t. Fails where the torch of this process was built without CUDA.
void* CurrentCudaStream(int32_t device);

}  // namespace sr_ops
