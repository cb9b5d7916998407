// The kernels, and their launch for one element type. kernels.cu.in instantiates one type.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>

#include "core/cuda/arguments.h"
#include "core/cuda/block.h"
#include "core/cuda/launch_kernels.h"
#include "core/cuda/launch_plan.h"
#include "core/cuda/strip-inl.h"
#include "core/cuda/tile-inl.h"

namespace sr_ops::cuda {

// How many blocks a multiprocessor holds at a time, at least: a limit on registers, as tight as it
// goes without spilling (docs/cuda-registers.md). From sm_100 on the compiler wants more of them.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1000
constexpr bool kManyRegisters = true;
#else
constexpr bool kManyRegisters = false;
#endif
template <typename T, TableHome kHome>
constexpr int kStripBlocks = sizeof(T) == 8 ? (kManyRegisters ? 5 : 7)
                             : kManyRegisters || kHome == TableHome::kBlock
                                 ? 8
                                 : (sizeof(T) == 4 ? 10 : 9);
template <TableHome kHome>
constexpr int kTileBlocks = kHome == TableHome::kWorkspace && !kManyRegisters ? 3 : 2;
constexpr int kTableBlocks = 5;

constexpr int kTableThreads = 128;

template <typename T, TableHome kHome>
__global__ void __launch_bounds__(kStripThreads, kStripBlocks<T, kHome>)
    StripKernel(const __grid_constant__ Arguments a) {
  __shared__ WeightedTaps<AccumulatorOf<T>> rows[kMostStripRows];
  const DeviceBlock block;
  if (block.index() < a.blocks) RunStrip<T, kHome>(a, block, rows);
}

template <typename T, TableHome kHome>
__global__ void __launch_bounds__(kTileThreads, kTileBlocks<kHome>)
    TileKernel(const __grid_constant__ Arguments a) {
  extern __shared__ __align__(16) char shared[];
  const DeviceBlock block;
  if (block.index() < a.blocks) RunTile<T, kHome>(a, block, shared);
}

template <typename Accumulator>
__global__ void __launch_bounds__(kTableThreads, kTableBlocks)
    TableKernel(const __grid_constant__ Arguments a) {
  const int64_t entry = DeviceBlock().index() * kTableThreads + threadIdx.x;
  if (entry < a.rows.destination + a.columns.destination) FillWorkspaceEntry<Accumulator>(a, entry);
}

inline cudaError_t LaunchOn(const void* kernel, int64_t blocks, int threads, int64_t shared_bytes,
                            const Arguments& a, cudaStream_t stream) {
  // The last row of blocks may reach beyond the end; kernels look.
  const int64_t width = std::min(blocks, kMostBlocksInRow);
  const dim3 grid(static_cast<unsigned>(width),
                  static_cast<unsigned>((blocks + width - 1) / width));
  void* parameters[] = {const_cast<Arguments*>(&a)};
  return cudaLaunchKernel(kernel, grid, dim3(static_cast<unsigned>(threads)), parameters,
                          static_cast<size_t>(shared_bytes), stream);
}

template <typename T, TableHome kHome>
cudaError_t LaunchMain(const LaunchPlan& plan, const Arguments& a, cudaStream_t stream) {
  if (plan.kind == KernelKind::kStrip) {
    const auto kernel = reinterpret_cast<const void*>(&StripKernel<T, kHome>);
    return LaunchOn(kernel, a.blocks, kStripThreads, 0, a, stream);
  }
  const auto kernel = reinterpret_cast<const void*>(&TileKernel<T, kHome>);
  return LaunchOn(kernel, a.blocks, kTileThreads, plan.shared_bytes, a, stream);
}

template <typename T>
cudaError_t LaunchKernels(const LaunchPlan& plan, const Arguments& a, cudaStream_t stream) {
  if (plan.workspace_bytes == 0) return LaunchMain<T, TableHome::kBlock>(plan, a, stream);
  const int64_t entries = a.rows.destination + a.columns.destination;
  const auto tables = reinterpret_cast<const void*>(&TableKernel<AccumulatorOf<T>>);
  const cudaError_t error =
      LaunchOn(tables, (entries + kTableThreads - 1) / kTableThreads, kTableThreads, 0, a, stream);
  return error != cudaSuccess ? error : LaunchMain<T, TableHome::kWorkspace>(plan, a, stream);
}

}  // namespace sr_ops::cuda
