// The vocabulary of the operator: element types, layouts, attributes, one problem, its buffers.
// Plain data only. Field names are ONNX Resize's where ONNX has one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sr_ops {

/// The one list of element types: name, C++ type, bytes. Everything that exists once an element
/// type is made from it; CMake reads it, too, for the kernels' files (cmake/SrOpsElements.cmake).
#define SR_OPS_TENSOR_ELEMENT_TYPES(_) \
  _(Float32, float, 4)                 \
  _(Float64, double, 8)                \
  _(Float16, Float16, 2)               \
  _(BFloat16, BFloat16, 2)             \
  _(UInt8, uint8_t, 1)                 \
  _(Int8, int8_t, 1)
/// All of them: those of tensors, and those that pictures alone have, which have no kernels for
/// GPUs.
#define SR_OPS_ELEMENT_TYPES(_)  \
  SR_OPS_TENSOR_ELEMENT_TYPES(_) \
  _(UInt16, uint16_t, 2)

enum class DataType : int32_t {
#define SR_OPS_ENUMERATOR(name, type, bytes) k##name,
  SR_OPS_ELEMENT_TYPES(SR_OPS_ENUMERATOR)
#undef SR_OPS_ENUMERATOR
};

constexpr int64_t SizeOf(DataType dtype) {
  switch (dtype) {
#define SR_OPS_CASE(name, type, bytes) \
  case DataType::k##name: return bytes;
    SR_OPS_ELEMENT_TYPES(SR_OPS_CASE)
#undef SR_OPS_CASE
  }
  return 0;
}

constexpr bool IsInteger(DataType dtype) {
  return dtype == DataType::kUInt8 || dtype == DataType::kInt8 || dtype == DataType::kUInt16;
}

/// How output index i maps to a source coordinate (ONNX Resize-19, with size-1 outputs as noted).
enum class CoordinateMode : int32_t {
  kHalfPixel,           ///< (i + 0.5) / s - 0.5
  kHalfPixelSymmetric,  ///< half_pixel about the centre of the untruncated output
  kPytorchHalfPixel,    ///< half_pixel; 0 where the output axis has one element
  kAlignCorners,        ///< i (n_in - 1) / (n_out - 1); 0 where the output axis has one element
  kAsymmetric,          ///< i / s
};

/// How results become integers.
enum class Rounding : int32_t {
  kExact,   ///< rounded once, half to even, and clamped
  kPillow,  ///< in Pillow's fixed-point arithmetic, with 8 bits between the passes (pillow_axis.h)
};

/// Attributes of ONNX Resize(mode="cubic") that this operator knows, and the rounding.
struct Attributes {
  CoordinateMode coordinate_transformation_mode = CoordinateMode::kHalfPixel;
  float cubic_coeff_a = -0.75f;  ///< Keys' a: -0.75 (torch, OpenCV, ONNX), -0.5 (Pillow)
  bool exclude_outside = false;
  bool antialias = false;
  Rounding rounding = Rounding::kExact;

  bool operator==(const Attributes& other) const {
    return coordinate_transformation_mode == other.coordinate_transformation_mode &&
           cubic_coeff_a == other.cubic_coeff_a && exclude_outside == other.exclude_outside &&
           antialias == other.antialias && rounding == other.rounding;
  }
};

/// kForward: (H_in, W_in) -> (H_out, W_out). kAdjoint: the transpose, output gradient -> input
/// gradient; every other field keeps the forward operator's meaning.
enum class Direction : int32_t { kForward, kAdjoint };

/// The order in which the destination lies in memory.
enum class Layout : int32_t { kChannelsFirst, kChannelsLast };

/// A part of an image, in pixels.
struct Rectangle {
  int64_t top = 0;
  int64_t left = 0;
  int64_t height = 0;
  int64_t width = 0;

  bool empty() const { return top == 0 && left == 0 && height == 0 && width == 0; }
};

/// One resampling problem. Two problems with equal fields share their tables.
struct Problem {
  int64_t batch = 0;
  int64_t channels = 0;
  int64_t in_height = 0;
  int64_t in_width = 0;
  int64_t out_height = 0;
  int64_t out_width = 0;
  /// Used by the coordinate transformation: the float32 scale widened to double, or, where a size
  /// was asked for, out / in in double.
  double scale_height = 0;
  double scale_width = 0;
  DataType dtype = DataType::kFloat32;
  Layout layout = Layout::kChannelsFirst;
  Direction direction = Direction::kForward;
  Attributes attributes;
  /// The part of the result that is computed, and the part of the source that it is computed from:
  /// the destination and the source buffer hold nothing else. Empty: the whole. The extents above
  /// are the whole's in any case.
  Rectangle window;
  Rectangle crop;
};

/// A 4-D buffer; strides in elements, any sign, in (N, C, H, W) order whatever the layout.
struct ConstView {
  const void* data = nullptr;
  int64_t stride[4] = {0, 0, 0, 0};
};

/// Like ConstView, to be written. Dense in the problem's layout: rows of W (kChannelsFirst: stride
/// of W is 1) or of W x C elements (kChannelsLast: stride of C is 1, of W is C); rows, planes and
/// images may be any distance apart.
struct View {
  void* data = nullptr;
  int64_t stride[4] = {0, 0, 0, 0};
};

}  // namespace sr_ops
