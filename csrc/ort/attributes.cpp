#include "ort/attributes.h"

#include <cmath>
#include <string>
#include <vector>

#include "ort/error.h"

namespace sr_ops::ort {
namespace {

struct ModeName {
  const char* name;
  CoordinateMode mode;
};
constexpr ModeName kModes[] = {
    {"half_pixel", CoordinateMode::kHalfPixel},
    {"half_pixel_symmetric", CoordinateMode::kHalfPixelSymmetric},
    {"pytorch_half_pixel", CoordinateMode::kPytorchHalfPixel},
    {"align_corners", CoordinateMode::kAlignCorners},
    {"asymmetric", CoordinateMode::kAsymmetric},
};

class AttributeReader {
 public:
  AttributeReader(const OrtApi& api, const OrtKernelInfo* info) : api_(api), info_(info) {}

  bool Read(const char* name, float* value) const {
    return Succeeded(api_, api_.KernelInfoGetAttribute_float(info_, name, value));
  }

  bool Read(const char* name, int64_t* value) const {
    return Succeeded(api_, api_.KernelInfoGetAttribute_int64(info_, name, value));
  }

  bool Read(const char* name, std::string* value) const {
    size_t size = 0;  // with the terminating zero
    if (!Succeeded(api_, api_.KernelInfoGetAttribute_string(info_, name, nullptr, &size))) {
      return false;
    }
    std::string text(size, '\0');
    if (!Succeeded(api_, api_.KernelInfoGetAttribute_string(info_, name, text.data(), &size))) {
      return false;
    }
    *value = text.c_str();
    return true;
  }

  /// The runtime answers a wrong type and an absent attribute alike, so what could not be read as
  /// it should be is tried as everything else.
  OrtStatus* AbsentOr(const char* name, const char* expected) const {
    const char* found = TypeOf(name);
    if (found == nullptr) return nullptr;
    return InvalidArgument(
        api_, std::string(name) + ": got an attribute of type " + found + ", expected " + expected);
  }

 private:
  const char* TypeOf(const char* name) const {
    float number;
    int64_t integer;
    std::string text;
    if (Read(name, &number)) return "float";
    if (Read(name, &integer)) return "int";
    if (Read(name, &text)) return "string";
    // Asked for a list, the runtime takes every other type for an empty one.
    size_t floats = 0;
    size_t integers = 0;
    if (!Succeeded(api_, api_.KernelInfoGetAttributeArray_float(info_, name, nullptr, &floats)) ||
        !Succeeded(api_, api_.KernelInfoGetAttributeArray_int64(info_, name, nullptr, &integers))) {
      return nullptr;
    }
    return floats > 0 ? "floats" : integers > 0 ? "ints" : "neither float, int nor string";
  }

  const OrtApi& api_;
  const OrtKernelInfo* info_;
};

OrtStatus* ReadMode(const OrtApi& api, const AttributeReader& reader, CoordinateMode* mode) {
  constexpr const char* kName = "coordinate_transformation_mode";
  std::string text;
  if (!reader.Read(kName, &text)) return reader.AbsentOr(kName, "string");
  if (FindMode(text, mode)) return nullptr;
  std::string accepted;
  for (const ModeName& known : kModes) {
    accepted += (accepted.empty() ? "" : ", ") + std::string(known.name);
  }
  return InvalidArgument(api,
                         std::string(kName) + ": got '" + text + "', expected one of " + accepted);
}

OrtStatus* ReadRounding(const OrtApi& api, const AttributeReader& reader, Rounding* rounding) {
  constexpr const char* kName = "rounding";
  std::string text;
  if (!reader.Read(kName, &text)) return reader.AbsentOr(kName, "string");
  if (text != "exact" && text != "pillow") {
    return InvalidArgument(
        api, std::string(kName) + ": got '" + text + "', expected one of exact, pillow");
  }
  *rounding = text == "pillow" ? Rounding::kPillow : Rounding::kExact;
  return nullptr;
}

OrtStatus* ReadCoefficient(const OrtApi& api, const AttributeReader& reader, float* coefficient) {
  constexpr const char* kName = "cubic_coeff_a";
  float value;
  if (!reader.Read(kName, &value)) return reader.AbsentOr(kName, "float");
  if (!std::isfinite(value)) {
    return InvalidArgument(
        api, std::string(kName) + ": got " + std::to_string(value) + ", expected a finite number");
  }
  *coefficient = value;
  return nullptr;
}

OrtStatus* ReadSwitch(const OrtApi& api, const AttributeReader& reader, const char* name,
                      bool* value) {
  int64_t integer;
  if (!reader.Read(name, &integer)) return reader.AbsentOr(name, "int");
  if (integer != 0 && integer != 1) {
    return InvalidArgument(
        api, std::string(name) + ": got " + std::to_string(integer) + ", expected 0 or 1");
  }
  *value = integer == 1;
  return nullptr;
}

}  // namespace

bool FindMode(const std::string& name, CoordinateMode* mode) {
  for (const ModeName& known : kModes) {
    if (name != known.name) continue;
    *mode = known.mode;
    return true;
  }
  return false;
}

OrtStatus* ReadAttributes(const OrtApi& api, const OrtKernelInfo* info, Attributes* attributes) {
  const AttributeReader reader(api, info);
  OrtStatus* status = ReadMode(api, reader, &attributes->coordinate_transformation_mode);
  if (!status) status = ReadCoefficient(api, reader, &attributes->cubic_coeff_a);
  if (!status) status = ReadSwitch(api, reader, "exclude_outside", &attributes->exclude_outside);
  if (!status) status = ReadSwitch(api, reader, "antialias", &attributes->antialias);
  if (!status) status = ReadRounding(api, reader, &attributes->rounding);
  return status;
}

}  // namespace sr_ops::ort
