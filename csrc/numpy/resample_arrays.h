// Arrays through the core: what numpy.py's two ways into native code share.
#pragma once

#include <pybind11/numpy.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "core/resample.h"
#include "core/status.h"
#include "core/types.h"

namespace sr_ops {

/// Raises sr_ops.errors.InvalidArgumentError.
[[noreturn]] void RaiseInvalidArgument(const std::string& message);

/// Raises what the status says.
void RaiseIfNot(const Status& status);

/// Strides in elements, of an array of four axes whose strides are multiples of the item size.
std::array<int64_t, 4> StridesOf(const pybind11::array& array);

/// Like numpy.empty, but large arrays begin at a cache line: whole lines are written faster.
pybind11::array NewArray(const std::vector<pybind11::ssize_t>& shape, const pybind11::dtype& dtype);

/// Whether runs from now on take denormal numbers for zero.
extern std::atomic<bool> flush_denormal;

/// Runs a problem whose layout is set, without the interpreter lock. `fresh`: the destination lies
/// on pages that were never touched.
Status Run(const Problem& problem, const ConstView& source, const View& destination, int threads,
           bool fresh);

/// Below this many output elements for each, waking a thread costs more than it brings.
constexpr int64_t kElementsPerThread = 65536;

/// `dynamic_upscale` for the usual calls: exact numpy arrays of the native dtypes, one number as
/// the scale or two ints as the size, the attributes that pictures have, everything else as by
/// default. None where the call is not of that kind, or has anything wrong with it: then numpy.py
/// looks at it more closely. `layout` is 0 for NCHW, 1 for NHWC, 2 for HWC, 3 for HW. `threads`: at
/// most; 0 where that is not known yet.
pybind11::object FastPath(pybind11::handle array, pybind11::handle scale, pybind11::handle size,
                          int layout, pybind11::handle out, pybind11::handle cubic_coeff_a,
                          pybind11::handle antialias, pybind11::handle exclude_outside,
                          int threads);

}  // namespace sr_ops
