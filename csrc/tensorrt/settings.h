// What a node says of its operator, as TensorRT hands it over: a list of fields. Host code alone,
// without TensorRT's headers, so that every build tests it.
#pragma once

#include <cstdint>
#include <vector>

#include "core/status.h"
#include "core/types.h"

namespace sr_ops::tensorrt {

/// The operator DynamicUpscale, whose scales are fixed in the engine, or DynamicUpscaleToSizes,
/// whose sizes are the values of a shape tensor.
enum class NodeType { kScales, kSizes };

enum class FieldType { kFloat32, kInt32, kText, kOther };

/// One attribute: `length` elements of `type` at `data`.
struct Field {
  const char* name;
  FieldType type;
  const void* data;
  int64_t length;
};

struct Settings {
  NodeType type = NodeType::kScales;
  Attributes attributes;
  float scale_height = 0;  ///< 0 for kSizes
  float scale_width = 0;
};

/// The names of the fields that a node of that type may have, in the order of their writing.
std::vector<const char*> FieldNames(NodeType type);

/// Absent fields keep ONNX's defaults; the field `scales` of kScales, 2 or as many elements as X
/// has axes, must be there. Anything that is not accepted is named.
Status ReadSettings(NodeType type, const std::vector<Field>& fields, Settings* settings);

/// ONNX's name of a mode.
const char* NameOf(CoordinateMode mode);

}  // namespace sr_ops::tensorrt
