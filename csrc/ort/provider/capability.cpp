#include "ort/provider/capability.h"

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "core/types.h"
#include "ort/attributes.h"
#include "ort/error.h"

namespace sr_ops::ort {
namespace {

/// A node's attributes. Each reader leaves `value` alone where the node has no such attribute, and
/// returns false where there is one of another type.
class NodeAttributes {
 public:
  NodeAttributes(const OrtApi& api, const ep::Functions& functions, const OrtNode* node)
      : api_(api), functions_(functions), node_(node) {}

  bool Read(const char* name, std::string* value) const {
    char text[64] = "";  // longer ones are no word of ours
    const OrtOpAttr* attribute = Find(name);
    if (attribute == nullptr) return true;
    if (!ReadInto(attribute, ORT_OP_ATTR_STRING, text, sizeof text - 1)) return false;
    *value = text;
    return true;
  }
  bool Read(const char* name, float* value) const {
    const OrtOpAttr* attribute = Find(name);
    return attribute == nullptr || ReadInto(attribute, ORT_OP_ATTR_FLOAT, value, sizeof *value);
  }
  bool Read(const char* name, int64_t* value) const {
    const OrtOpAttr* attribute = Find(name);
    return attribute == nullptr || ReadInto(attribute, ORT_OP_ATTR_INT, value, sizeof *value);
  }

 private:
  const OrtOpAttr* Find(const char* name) const {
    const OrtOpAttr* attribute = nullptr;
    const bool found = Succeeded(api_, functions_.Node_GetAttributeByName(node_, name, &attribute));
    return found ? attribute : nullptr;
  }
  bool ReadInto(const OrtOpAttr* attribute, OrtOpAttrType type, void* data, size_t size) const {
    size_t needed = 0;
    return Succeeded(api_, api_.ReadOpAttr(attribute, type, data, size, &needed));
  }

  const OrtApi& api_;
  const ep::Functions& functions_;
  const OrtNode* node_;
};

bool IsExpressible(const NodeAttributes& attributes) {
  std::string mode = "nearest";
  std::string coordinates = "half_pixel";
  std::string policy = "stretch";
  float coefficient = 0;
  int64_t exclude_outside = 0;
  int64_t antialias = 0;
  CoordinateMode known;
  return attributes.Read("mode", &mode) && mode == "cubic" &&
         attributes.Read("coordinate_transformation_mode", &coordinates) &&
         FindMode(coordinates, &known) && attributes.Read("keep_aspect_ratio_policy", &policy) &&
         policy == "stretch" && attributes.Read("cubic_coeff_a", &coefficient) &&
         std::isfinite(coefficient) && attributes.Read("exclude_outside", &exclude_outside) &&
         (exclude_outside == 0 || exclude_outside == 1) &&
         attributes.Read("antialias", &antialias) && (antialias == 0 || antialias == 1);
}

OrtStatus* IsResize(const ep::Functions& functions, const OrtNode* node, bool* is_resize) {
  const char* type = nullptr;
  const char* domain = nullptr;
  if (OrtStatus* status = functions.Node_GetOperatorType(node, &type)) return status;
  if (OrtStatus* status = functions.Node_GetDomain(node, &domain)) return status;
  *is_resize =
      std::strcmp(type, "Resize") == 0 && (*domain == '\0' || std::strcmp(domain, "ai.onnx") == 0);
  return nullptr;
}

}  // namespace

OrtStatus* ClaimNodes(const OrtApi& api, const ep::Functions& functions, const OrtGraph* graph,
                      OrtEpGraphSupportInfo* support) {
  size_t count = 0;
  if (OrtStatus* status = functions.Graph_GetNumNodes(graph, &count)) return status;
  std::vector<const OrtNode*> nodes(count);
  if (OrtStatus* status = functions.Graph_GetNodes(graph, nodes.data(), count)) return status;
  for (const OrtNode* node : nodes) {
    bool is_resize = false;
    if (OrtStatus* status = IsResize(functions, node, &is_resize)) return status;
    if (!is_resize || !IsExpressible(NodeAttributes(api, functions, node))) continue;
    const OrtKernelDef* definition = nullptr;  // null: not this version or element type
    if (OrtStatus* status = functions.EpGraphSupportInfo_LookUpKernel(support, node, &definition)) {
      return status;
    }
    if (definition == nullptr) continue;
    if (OrtStatus* status = functions.EpGraphSupportInfo_AddSingleNode(support, node)) {
      return status;
    }
  }
  return nullptr;
}

}  // namespace sr_ops::ort
