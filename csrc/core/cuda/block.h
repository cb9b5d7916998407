// A thread block, real or emulated: kernels are written against this, so that the very same code
// runs on a GPU and, on the host, in the tests.
//
//   Block::kThreadsHeld   for how many threads one object keeps state: 1 on a GPU
//   index(), count()      which block this is, of how many that are launched
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

  EmulatedBlock(int64_t index, int64_t count) : index_(index), count_(count) {}

  int64_t index() const { return index_; }
  int64_t count() const { return count_; }

  template <typename Body>
  void ForEachThread(const Body& body) const {
    for (int thread = 0; thread < kThreads; ++thread) body(thread, thread);
  }

 private:
  int64_t index_;
  int64_t count_;
};

#ifdef __CUDACC__
class DeviceBlock {
 public:
  static constexpr int kThreadsHeld = 1;

  __device__ int64_t index() const { return blockIdx.x; }
  __device__ int64_t count() const { return gridDim.x; }

  template <typename Body>
  __device__ void ForEachThread(const Body& body) const {
    body(static_cast<int>(threadIdx.x), 0);
    __syncthreads();
  }
};
#endif

}  // namespace sr_ops::cuda
