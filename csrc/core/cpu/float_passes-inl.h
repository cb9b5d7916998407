// The passes whose input and output are float rows, which the kernels of all narrower elements use
// too: compiled once, with the kernel of Float32. Included once a target.
#if defined(SR_OPS_FLOAT_PASSES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SR_OPS_FLOAT_PASSES_INL_H_
#undef SR_OPS_FLOAT_PASSES_INL_H_
#else
#define SR_OPS_FLOAT_PASSES_INL_H_
#endif

#include "core/cpu/columns-inl.h"
#include "core/cpu/halve-inl.h"
#include "core/cpu/rows-inl.h"
#include "core/cpu/walk-inl.h"
#include "hwy/highway.h"

#ifdef SR_OPS_KERNEL_OF_Float32
#define SR_OPS_FLOAT_PASS template
#else
#define SR_OPS_FLOAT_PASS extern template
#endif

HWY_BEFORE_NAMESPACE();
namespace sr_ops {
namespace HWY_NAMESPACE {

SR_OPS_FLOAT_PASS void ResampleColumns(hn::ScalableTag<float> d, const ColumnTable<float>& table,
                                       const RoundedAxis<float>& axis, int64_t begin, int64_t end,
                                       const float* source, float* to);
SR_OPS_FLOAT_PASS void ResampleBlocks<1>(hn::ScalableTag<float> d, const ColumnTable<float>& table,
                                         int64_t begin, int64_t end, PlaneRows<float, 1> rows);
SR_OPS_FLOAT_PASS void AccumulateRows(const float* const* rows, const float* weights, int32_t count,
                                      bool start, int64_t length, float* to);

#if HWY_TARGET != HWY_SCALAR
SR_OPS_FLOAT_PASS void WalkPixels<float, 1>(const WalkTable<float>& table, const float* from,
                                            int64_t stride, int64_t begin, int64_t end, float* to);
SR_OPS_FLOAT_PASS void WalkPixels<float, 2>(const WalkTable<float>& table, const float* from,
                                            int64_t stride, int64_t begin, int64_t end, float* to);
SR_OPS_FLOAT_PASS void WalkPixels<float, 3>(const WalkTable<float>& table, const float* from,
                                            int64_t stride, int64_t begin, int64_t end, float* to);
SR_OPS_FLOAT_PASS void HalveElements<4, 1>(const float* from, const float* weights,
                                           int64_t elements, float* to);
SR_OPS_FLOAT_PASS void HalveElements<8, 1>(const float* from, const float* weights,
                                           int64_t elements, float* to);
#if !HWY_ARCH_X86 || HWY_TARGET <= HWY_AVX3  // kWalkVectors is four
SR_OPS_FLOAT_PASS void WalkPixels<float, 4>(const WalkTable<float>& table, const float* from,
                                            int64_t stride, int64_t begin, int64_t end, float* to);
#endif
SR_OPS_FLOAT_PASS void HalvedEdge(QuadsTag d, const RoundedAxis<float>& axis,
                                  const HalvedLines& lines, int64_t begin, int64_t end,
                                  float* columns, float* to);
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3  // kHalvesPixels
SR_OPS_FLOAT_PASS void HalveElements<4, 3>(const float* from, const float* weights,
                                           int64_t elements, float* to);
SR_OPS_FLOAT_PASS void HalveElements<8, 3>(const float* from, const float* weights,
                                           int64_t elements, float* to);
SR_OPS_FLOAT_PASS void HalveElements<4, 4>(const float* from, const float* weights,
                                           int64_t elements, float* to);
SR_OPS_FLOAT_PASS void HalveElements<8, 4>(const float* from, const float* weights,
                                           int64_t elements, float* to);
#endif
#endif

}  // namespace HWY_NAMESPACE
}  // namespace sr_ops
HWY_AFTER_NAMESPACE();

#undef SR_OPS_FLOAT_PASS

#endif  // per-target include guard
