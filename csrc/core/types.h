// The vocabulary of the operator: element types, layouts, attributes, one problem, its buffers.
// Plain data only. Field names are ONNX Resize's where ONNX has one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sr_ops {

enum class DataType : int32_t { kFloat32, kFloat64, kFloat16, kBFloat16, kUInt8, kInt8 };

constexpr int64_t SizeOf(DataType type) {
  switch (type) {
    case DataType::kFloat64: return 8;
    case DataType::kFloat32: return 4;
    case DataType::kFloat16:
    case DataType::kBFloat16: return 2;
    case DataType::kUInt8:
    case DataType::kInt8: return 1;
  }
  return 0;
}

/// How output index i maps to a source coordinate (ONNX Resize-19, with size-1 outputs as noted).
enum class CoordinateMode : int32_t {
  kHalfPixel,           ///< (i + 0.5) / s - 0.5
  kHalfPixelSymmetric,  ///< half_pixel about the centre of the untruncated output
  kPytorchHalfPixel,    ///< half_pixel; 0 where the output axis has one element
  kAlignCorners,        ///< i (n_in - 1) / (n_out - 1); 0 where the output axis has one element
  kAsymmetric,          ///< i / s
};

/// Attributes of ONNX Resize(mode="cubic") that this operator knows.
struct Attributes {
  CoordinateMode coordinate_transformation_mode = CoordinateMode::kHalfPixel;
  float cubic_coeff_a = -0.75f;  ///< Keys' a: -0.75 (torch, OpenCV, ONNX), -0.5 (Pillow)
  bool exclude_outside = false;
  bool antialias = false;
};

/// kForward: (H_in, W_in) -> (H_out, W_out). kAdjoint: the transpose, output gradient -> input
/// gradient; every other field keeps the forward operator's meaning.
enum class Direction : int32_t { kForward, kAdjoint };

/// The order in which the destination lies in memory.
enum class Layout : int32_t { kChannelsFirst, kChannelsLast };

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
