#include "tensorrt/settings.h"

#include <cmath>
#include <cstring>
#include <string>

#include "core/scale.h"

namespace sr_ops::tensorrt {
namespace {

constexpr const char* kModes[] = {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
                                  "align_corners", "asymmetric"};

/// Beyond, an engine's integers do not hold the products of the size rule.
constexpr float kLargestScale = 1 << 20;

Status Refuse(const char* name, const std::string& got, const std::string& expected) {
  return Status::InvalidArgument(std::string(name) + ": got " + got + ", expected " + expected);
}

Status ReadMode(const Field& field, CoordinateMode* mode) {
  std::string text;
  if (field.type == FieldType::kText && field.data) {
    text.assign(static_cast<const char*>(field.data), static_cast<size_t>(field.length));
    text = text.c_str();  // the length may count the byte that ends it
  }
  std::string accepted;
  for (int i = 0; i < 5; ++i) {
    if (text == kModes[i]) {
      *mode = static_cast<CoordinateMode>(i);
      return {};
    }
    accepted += (i ? ", " : "") + std::string(kModes[i]);
  }
  return Refuse(field.name, "'" + text + "'", "one of " + accepted);
}

Status ReadCoefficient(const Field& field, float* value) {
  if (field.type == FieldType::kFloat32 && field.length == 1 && field.data) {
    const float given = *static_cast<const float*>(field.data);
    if (std::isfinite(given)) {
      *value = given;
      return {};
    }
  }
  return Refuse(field.name, "no finite float32", "one");
}

Status ReadSwitch(const Field& field, bool* value) {
  if (field.type == FieldType::kInt32 && field.length == 1 && field.data) {
    const int32_t given = *static_cast<const int32_t*>(field.data);
    if (given == 0 || given == 1) {
      *value = given == 1;
      return {};
    }
    return Refuse(field.name, std::to_string(given), "0 or 1");
  }
  return Refuse(field.name, "no single int32", "0 or 1");
}

/// Of a field that must be at its default.
Status ReadRounding(const Field& field) {
  std::string text;
  if (field.type == FieldType::kText && field.data) {
    text.assign(static_cast<const char*>(field.data), static_cast<size_t>(field.length));
    text = text.c_str();
  }
  if (text == "exact") return {};
  return Refuse(field.name, "'" + text + "'", "exact: GPUs compute no other");
}

Status ReadScales(const Field& field, Settings* settings) {
  if (field.type != FieldType::kFloat32 || !field.data) {
    return Refuse(field.name, "no float32", "1, 2 or as many as X has axes");
  }
  const size_t count = static_cast<size_t>(field.length);
  const Status status = ParseScales(static_cast<const float*>(field.data), count, count,
                                    &settings->scale_height, &settings->scale_width);
  if (!status.ok()) return status;
  for (float scale : {settings->scale_height, settings->scale_width}) {
    if (scale > kLargestScale || scale < 1 / kLargestScale) {
      return Refuse(field.name, std::to_string(scale), "at least 2^-20 and at most 2^20");
    }
  }
  return {};
}

Status ReadField(const Field& field, Settings* settings) {
  Attributes& attributes = settings->attributes;
  const auto is = [&](const char* name) { return std::strcmp(field.name, name) == 0; };
  if (is("coordinate_transformation_mode")) {
    return ReadMode(field, &attributes.coordinate_transformation_mode);
  }
  if (is("cubic_coeff_a")) return ReadCoefficient(field, &attributes.cubic_coeff_a);
  if (is("exclude_outside")) return ReadSwitch(field, &attributes.exclude_outside);
  if (is("antialias")) return ReadSwitch(field, &attributes.antialias);
  if (is("rounding")) return ReadRounding(field);
  if (is("scales") && settings->type == NodeType::kScales) return ReadScales(field, settings);
  return {};  // of another tool
}

}  // namespace

std::vector<const char*> FieldNames(NodeType type) {
  std::vector<const char*> names = {"coordinate_transformation_mode", "cubic_coeff_a",
                                    "exclude_outside", "antialias", "rounding"};
  if (type == NodeType::kScales) names.push_back("scales");
  return names;
}

Status ReadSettings(NodeType type, const std::vector<Field>& fields, Settings* settings) {
  *settings = Settings();
  settings->type = type;
  for (const Field& field : fields) {
    const Status status = ReadField(field, settings);
    if (!status.ok()) return status;
  }
  if (type == NodeType::kScales && settings->scale_height == 0) {
    return Status::InvalidArgument(
        "scales: the attribute is missing; sr_ops.onnx.for_tensorrt writes it from the node's "
        "constant input. Where the scale is no constant, export sizes");
  }
  return {};
}

const char* NameOf(CoordinateMode mode) { return kModes[static_cast<int>(mode)]; }

}  // namespace sr_ops::tensorrt
