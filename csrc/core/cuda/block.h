// A thread block: kernels are written against this, so that the very same code runs on a GPU and,
// on the host, in the tests (tests/cpp/cuda_emulation.cpp has theirs).
//
//   Block::kThreadsHeld   for how many threads one object keeps state: 1 on a GPU
//   index()               which block this is
//   ForEachThread(body)   body(thread, held) for each thread, then a barrier; `held`: the place of
//                         the thread's state in arrays of kThreadsHeld
#pragma once

#include <cstdint>

namespace sr_ops::cuda {

#ifdef __CUDACC__
class DeviceBlock {
 public:
  static constexpr int kThreadsHeld = 1;

  __device__ int64_t index() const { return int64_t{blockIdx.y} * gridDim.x + blockIdx.x; }

  template <typename Body>
  __device__ void ForEachThread(const Body& body) const {
    body(static_cast<int>(threadIdx.x), 0);
    __syncthreads();
  }
};
#endif

}  // namespace sr_ops::cuda
