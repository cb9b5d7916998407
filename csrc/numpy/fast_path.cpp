// Checking a call in Python costs several times what resampling a small image does, and a tenth of
// what one of 256 x 256 pixels does.
#include <pybind11/pybind11.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "core/destination.h"
#include "core/scale.h"
#include "numpy/resample_arrays.h"

namespace py = pybind11;

namespace sr_ops {
namespace {

/// Where N, C, H and W stand among an array's axes; -1: nowhere.
struct AxisOrder {
  int axes;
  int of[4];
};
constexpr AxisOrder kOrders[] = {
    {4, {0, 1, 2, 3}}, {4, {0, 3, 1, 2}}, {3, {-1, 2, 0, 1}}, {2, {-1, -1, 0, 1}}};

/// Of numpy's own types; bfloat16 belongs to another package.
std::optional<DataType> TypeOf(const py::dtype& dtype) {
  if (dtype.byteorder() != '=' && dtype.byteorder() != '|') return {};
  switch (dtype.num()) {
    case py::detail::npy_api::NPY_FLOAT_: return DataType::kFloat32;
    case py::detail::npy_api::NPY_DOUBLE_: return DataType::kFloat64;
    case py::detail::npy_api::NPY_UBYTE_: return DataType::kUInt8;
    case py::detail::npy_api::NPY_BYTE_: return DataType::kInt8;
    case py::detail::npy_api::NPY_USHORT_: return DataType::kUInt16;
    default:
      return dtype.kind() == 'f' && dtype.itemsize() == 2
                 ? std::optional<DataType>(DataType::kFloat16)
                 : std::nullopt;
  }
}

bool IsExactArray(py::handle object) {
  return Py_TYPE(object.ptr()) == py::detail::npy_api::get().PyArray_Type_;
}

bool HasFlags(const py::array& array, int flags) { return (array.flags() & flags) == flags; }

constexpr int kAligned = py::detail::npy_api::NPY_ARRAY_ALIGNED_;
constexpr int kWriteable = py::detail::npy_api::NPY_ARRAY_WRITEABLE_;

/// (N, C, H, W) in that order; strides in elements.
struct Images {
  int64_t shape[4];
  int64_t stride[4];
};

/// False where a stride is no whole number of elements.
bool ShapeOf(const py::array& array, const AxisOrder& order, Images* images) {
  for (int i = 0; i < 4; ++i) {
    const int axis = order.of[i];
    images->shape[i] = axis < 0 ? 1 : array.shape(axis);
    const int64_t bytes = axis < 0 ? 0 : array.strides(axis);
    if (bytes % array.itemsize() != 0) return false;
    images->stride[i] = bytes / array.itemsize();
  }
  return true;
}

/// The bytes that an array without an empty axis reaches over.
struct Extent {
  uintptr_t begin;
  uintptr_t end;
};
Extent ExtentOf(const py::array& array) {
  const uintptr_t data = reinterpret_cast<uintptr_t>(array.data());
  Extent extent{data, data + array.itemsize()};
  for (py::ssize_t axis = 0; axis < array.ndim(); ++axis) {
    const int64_t reach = (array.shape(axis) - 1) * array.strides(axis);
    (reach < 0 ? extent.begin : extent.end) += reach;
  }
  return extent;
}
bool MayShareMemory(const py::array& a, const py::array& b) {
  const Extent first = ExtentOf(a), second = ExtentOf(b);
  return first.begin < second.end && second.begin < first.end;
}

/// A Python float or int (no bool, no subclass), as a scale; NaN where it is neither.
float ScaleOf(py::handle scale) {
  if (PyFloat_CheckExact(scale.ptr())) return static_cast<float>(PyFloat_AS_DOUBLE(scale.ptr()));
  if (!PyLong_CheckExact(scale.ptr())) return std::nanf("");
  int overflow = 0;
  const long value = PyLong_AsLongAndOverflow(scale.ptr(), &overflow);
  return overflow != 0 ? std::nanf("") : static_cast<float>(value);
}

/// A tuple or list of two Python ints above 0.
std::optional<std::pair<int64_t, int64_t>> SizeOf(py::handle size) {
  if (!PyTuple_CheckExact(size.ptr()) && !PyList_CheckExact(size.ptr())) return {};
  if (PySequence_Fast_GET_SIZE(size.ptr()) != 2) return {};
  int64_t extents[2];
  for (int axis = 0; axis < 2; ++axis) {
    PyObject* const extent = PySequence_Fast_GET_ITEM(size.ptr(), axis);
    if (!PyLong_CheckExact(extent)) return {};
    int overflow = 0;
    extents[axis] = PyLong_AsLongLongAndOverflow(extent, &overflow);
    if (overflow != 0 || extents[axis] < 1) return {};
  }
  return std::make_pair(extents[0], extents[1]);
}

/// The output's extents and the scales, once the input's extents are set. False where one of the
/// arguments is of another kind, or both are given.
bool SetOutput(py::handle scale, py::handle size, Problem* problem) {
  if (size.is_none()) {
    const float factor = ScaleOf(scale);
    if (!(factor > 0) || !std::isfinite(factor)) return false;
    problem->scale_height = problem->scale_width = factor;
    problem->out_height = OutputSize(problem->in_height, factor);
    problem->out_width = OutputSize(problem->in_width, factor);
    return true;
  }
  const auto extents = SizeOf(size);
  if (!extents || !scale.is_none()) return false;
  problem->out_height = extents->first;
  problem->out_width = extents->second;
  problem->scale_height = static_cast<double>(extents->first) / problem->in_height;
  problem->scale_width = static_cast<double>(extents->second) / problem->in_width;
  return true;
}

/// False where something is neither True nor False, or the coefficient is no finite Python float.
bool SetAttributes(py::handle cubic_coeff_a, py::handle antialias, py::handle exclude_outside,
                   Problem* problem) {
  if (!PyFloat_CheckExact(cubic_coeff_a.ptr())) return false;
  if (!PyBool_Check(antialias.ptr()) || !PyBool_Check(exclude_outside.ptr())) return false;
  const auto a = static_cast<float>(PyFloat_AS_DOUBLE(cubic_coeff_a.ptr()));
  if (!std::isfinite(a)) return false;
  problem->attributes.cubic_coeff_a = a;
  problem->attributes.antialias = antialias.ptr() == Py_True;
  problem->attributes.exclude_outside = exclude_outside.ptr() == Py_True;
  return true;
}

}  // namespace

py::object FastPath(py::handle array, py::handle scale, py::handle size, int layout, py::handle out,
                    py::handle cubic_coeff_a, py::handle antialias, py::handle exclude_outside,
                    int threads) {
  Problem problem;
  if (!IsExactArray(array) || !SetAttributes(cubic_coeff_a, antialias, exclude_outside, &problem)) {
    return py::none();
  }
  const AxisOrder& order = kOrders[layout];
  const auto x = py::reinterpret_borrow<py::array>(array);
  const std::optional<DataType> type = TypeOf(x.dtype());
  Images source;
  if (!type || x.ndim() != order.axes || !HasFlags(x, kAligned) || !ShapeOf(x, order, &source)) {
    return py::none();
  }
  problem.batch = source.shape[0];
  problem.channels = source.shape[1];
  problem.in_height = source.shape[2];
  problem.in_width = source.shape[3];
  problem.dtype = *type;
  if (problem.in_height < 1 || problem.in_width < 1 || !SetOutput(scale, size, &problem)) {
    return py::none();
  }
  int64_t elements = 1;
  for (const int64_t extent :
       {problem.batch, problem.channels, problem.out_height, problem.out_width}) {
    if (extent < 1 || extent > kMaxElements / elements) return py::none();
    elements *= extent;
  }
  const int64_t useful = std::max<int64_t>(elements / kElementsPerThread, 1);
  if (threads < 1 && useful > 1) return py::none();

  py::array y;
  if (out.is_none()) {
    std::vector<py::ssize_t> shape(x.shape(), x.shape() + order.axes);
    shape[order.of[2]] = problem.out_height;
    shape[order.of[3]] = problem.out_width;
    y = NewArray(shape, x.dtype());
  } else {
    if (!IsExactArray(out)) return py::none();
    y = py::reinterpret_borrow<py::array>(out);
    if (y.ndim() != order.axes || !HasFlags(y, kAligned | kWriteable) ||
        TypeOf(y.dtype()) != type) {
      return py::none();
    }
  }
  Images destination;
  if (!ShapeOf(y, order, &destination)) return py::none();
  const int64_t wanted[4] = {problem.batch, problem.channels, problem.out_height,
                             problem.out_width};
  if (!std::equal(wanted, wanted + 4, destination.shape) || MayShareMemory(x, y)) {
    return py::none();
  }
  if (CheckDestination(destination.shape, destination.stride, &problem.layout) !=
      DestinationFault::kNone) {
    return py::none();
  }
  const int64_t* from = source.stride;
  const int64_t* to = destination.stride;
  const bool fresh = out.is_none() && static_cast<int64_t>(y.nbytes()) >= kFreshBytes;
  const auto wanted_threads = static_cast<int>(std::clamp<int64_t>(threads, 1, useful));
  RaiseIfNot(Run(problem, {x.data(), {from[0], from[1], from[2], from[3]}},
                 {y.mutable_data(), {to[0], to[1], to[2], to[3]}}, wanted_threads, fresh));
  return y;
}

}  // namespace sr_ops
