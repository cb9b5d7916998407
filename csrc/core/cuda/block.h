// A thread block, real or emulated: kernels are written against this, so that the very same code
// runs on a GPU and, on the host, in the tests.
//
//   Block::kThreadsHeld   for how many threads one object keeps state: 1 on a GPU
//   index()               which block this is
//   ForEachThread(body)   body(thread, held) for each thread, then a barrier; `held`: the place of
//                         the thread's state in arrays of kThreadsHeld
#pragma once

#include <cstdint>

#include "core/host_device.h"

namespace sr_ops::cuda {

/// Runs a block's threads one after the other.
template <int kThreads>
class EmulatedBlock {
 public:
  static constexpr int kThreadsHeld = kThreads;

  explicit EmulatedBlock(int64_t index) : index_(index) {}

  int64_t index() const { return index_; }

  template <typename Body>
  void ForEachThread(const Body& body) const {
    for (int thread = 0; thread < kThreads; ++thread) body(thread, thread);
  }

 private:
  int64_t index_;
};

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
