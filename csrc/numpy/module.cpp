// sr_ops._native: buffers in, buffers out. sr_ops/numpy.py validates what users pass and is the
// only caller; what is checked here is what only the strides can tell.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <tuple>

#include "core/cpu/target.h"
#include "core/destination.h"
#include "core/limits.h"
#include "core/resample.h"
#include "core/window.h"
#include "numpy/resample_arrays.h"

namespace py = pybind11;

namespace sr_ops {
namespace {

// Raises where rows are not dense or where elements share memory.
Layout CheckDestination(const py::array& out, std::array<int64_t, 4>* strides) {
  const int64_t shape[4] = {out.shape(0), out.shape(1), out.shape(2), out.shape(3)};
  int64_t stride[4];
  std::copy(strides->begin(), strides->end(), stride);
  Layout layout = Layout::kChannelsFirst;
  switch (sr_ops::CheckDestination(shape, stride, &layout)) {
    case DestinationFault::kNone: break;
    case DestinationFault::kRowsNotDense:
      RaiseInvalidArgument(
          "out: its rows must be contiguous in memory (last axis W, or W and C where the layout "
          "ends in C); pass an array made by numpy.empty, or a crop of one");
    case DestinationFault::kSharesMemory:
      RaiseInvalidArgument("out: some of its elements share memory (strides " +
                           py::str(out.attr("strides")).cast<std::string>() +
                           "); pass an array made by numpy.empty");
  }
  std::copy(stride, stride + 4, strides->begin());
  return layout;
}

/// Of a window: the whole's extents (in_height, in_width, out_height, out_width), then where the
/// destination begins in the result and the source in the whole source, (top, left) each.
using Part = std::array<int64_t, 8>;

void SetPart(const Part& part, Problem* p) {
  p->window = {part[4], part[5], p->out_height, p->out_width};
  p->crop = {part[6], part[7], p->in_height, p->in_width};
  p->in_height = part[0];
  p->in_width = part[1];
  p->out_height = part[2];
  p->out_width = part[3];
}

// Both arrays are (N, C, H, W) in axis order, not in memory order; neither is empty. For the
// adjoint, `source` is the gradient of the output and `destination` becomes that of the input.
void Resample(const py::array& source, py::array& destination, DataType dtype, double scale_height,
              double scale_width, CoordinateMode coordinate_transformation_mode,
              float cubic_coeff_a, bool antialias, bool exclude_outside, bool adjoint, int threads,
              bool new_destination, const std::optional<Part>& part, Rounding rounding) {
  const py::array& input = adjoint ? destination : source;
  const py::array& output = adjoint ? source : destination;
  std::array<int64_t, 4> from = StridesOf(source);
  std::array<int64_t, 4> to = StridesOf(destination);
  Problem problem;
  problem.batch = input.shape(0);
  problem.channels = input.shape(1);
  problem.in_height = input.shape(2);
  problem.in_width = input.shape(3);
  problem.out_height = output.shape(2);
  problem.out_width = output.shape(3);
  problem.scale_height = scale_height;
  problem.scale_width = scale_width;
  problem.dtype = dtype;
  problem.layout = CheckDestination(destination, &to);
  problem.direction = adjoint ? Direction::kAdjoint : Direction::kForward;
  problem.attributes = {coordinate_transformation_mode, cubic_coeff_a, exclude_outside, antialias,
                        rounding};
  if (part) SetPart(*part, &problem);

  const ConstView source_view{source.data(), {from[0], from[1], from[2], from[3]}};
  const View destination_view{destination.mutable_data(), {to[0], to[1], to[2], to[3]}};
  const bool fresh = new_destination && destination.nbytes() >= kFreshBytes;
  RaiseIfNot(Run(problem, source_view, destination_view, threads, fresh));
}

}  // namespace
}  // namespace sr_ops

PYBIND11_MODULE(_native, m) {
  using namespace sr_ops;
  m.doc() = "Native part of sr_ops.numpy; private.";
  m.attr("version") = SR_OPS_VERSION;
  m.attr("elements_per_thread") = kElementsPerThread;
  m.attr("cuda_targets") = SR_OPS_CUDA_TARGETS;  // of the whole build; this front end is the CPU's
  m.def("available_targets", &AvailableTargets);
  m.def("chosen_target", &ChosenTarget);
  m.def("choose_target", &ChooseTarget);
  m.def(
      "resample",
      [](const py::array& source, py::array& destination, int32_t dtype, double scale_height,
         double scale_width, int32_t mode, float cubic_coeff_a, bool antialias,
         bool exclude_outside, bool adjoint, int threads, bool new_destination,
         const std::optional<Part>& part, int32_t rounding) {
        Resample(source, destination, static_cast<DataType>(dtype), scale_height, scale_width,
                 static_cast<CoordinateMode>(mode), cubic_coeff_a, antialias, exclude_outside,
                 adjoint, threads, new_destination, part, static_cast<Rounding>(rounding));
      },
      py::arg("source"), py::arg("destination"), py::arg("dtype"), py::arg("scale_height"),
      py::arg("scale_width"), py::arg("mode"), py::arg("cubic_coeff_a"), py::arg("antialias"),
      py::arg("exclude_outside"), py::arg("adjoint"), py::arg("threads"),
      py::arg("new_destination") = false, py::arg("part") = py::none(), py::arg("rounding") = 0);
  m.def("source_rectangle",
        [](const std::array<int64_t, 4>& extents, double scale_height, double scale_width,
           int32_t mode, float cubic_coeff_a, bool antialias, bool exclude_outside,
           const std::array<int64_t, 4>& window, int32_t rounding) {
          Problem p;
          p.in_height = extents[0];
          p.in_width = extents[1];
          p.out_height = extents[2];
          p.out_width = extents[3];
          p.scale_height = scale_height;
          p.scale_width = scale_width;
          p.attributes = {static_cast<CoordinateMode>(mode), cubic_coeff_a, exclude_outside,
                          antialias, static_cast<Rounding>(rounding)};
          if (p.attributes.rounding == Rounding::kPillow) p.dtype = DataType::kUInt8;
          p.window = {window[0], window[1], window[2], window[3]};
          Rectangle read;
          RaiseIfNot(SourceRectangle(p, &read));
          return std::make_tuple(read.top, read.left, read.height, read.width);
        });
  m.def("get_limits", [] {
    Limits limits;
    RaiseIfNot(GetLimits(&limits));
    return std::make_tuple(limits.work, limits.table_bytes);
  });
  m.def("set_limits", [](int64_t work, int64_t table_bytes) {
    RaiseIfNot(SetLimits({work, table_bytes}));
  });
  m.def("set_flush_denormal", [](bool flush) { flush_denormal = flush; });
  m.def("fast_path", &FastPath);
  m.def("new_array", &NewArray);
}
