// The library's entry points: TensorRT asks them for the creators of both plugins.
#include <NvInferRuntime.h>

#include <new>

#include "tensorrt/plugin.h"

#define SR_OPS_TENSORRT_API extern "C" __attribute__((visibility("default")))

namespace sr_ops::tensorrt {
namespace {

FieldType TypeOf(nvinfer1::PluginFieldType type) {
  switch (type) {
    case nvinfer1::PluginFieldType::kFLOAT32: return FieldType::kFloat32;
    case nvinfer1::PluginFieldType::kINT32: return FieldType::kInt32;
    case nvinfer1::PluginFieldType::kCHAR: return FieldType::kText;
    default: return FieldType::kOther;
  }
}

class Creator final : public nvinfer1::IPluginCreatorV3One {
 public:
  explicit Creator(NodeType type) : type_(type) {
    for (const char* name : FieldNames(type)) names_.emplace_back(name);
    collection_.nbFields = static_cast<int32_t>(names_.size());
    collection_.fields = names_.data();
  }

  nvinfer1::AsciiChar const* getPluginName() const noexcept override { return NameOf(type_); }
  nvinfer1::AsciiChar const* getPluginVersion() const noexcept override { return "1"; }
  nvinfer1::AsciiChar const* getPluginNamespace() const noexcept override { return ""; }
  nvinfer1::PluginFieldCollection const* getFieldNames() noexcept override { return &collection_; }

  nvinfer1::IPluginV3* createPlugin(nvinfer1::AsciiChar const* name,
                                    nvinfer1::PluginFieldCollection const* given,
                                    nvinfer1::TensorRTPhase /*phase*/) noexcept override {
    try {
      std::vector<Field> fields;
      for (int32_t i = 0; given && i < given->nbFields; ++i) {
        const nvinfer1::PluginField& field = given->fields[i];
        fields.push_back({field.name, TypeOf(field.type), field.data, field.length});
      }
      Settings settings;
      const Status status = ReadSettings(type_, fields, &settings);
      if (status.ok()) return new Plugin(settings);
      Report(std::string(name ? name : NameOf(type_)) + ": " + status.message);
    } catch (const std::bad_alloc&) {
      Report("out of memory");
    }
    return nullptr;
  }

 private:
  NodeType type_;
  std::vector<nvinfer1::PluginField> names_;
  nvinfer1::PluginFieldCollection collection_{};
};

}  // namespace
}  // namespace sr_ops::tensorrt

SR_OPS_TENSORRT_API void setLoggerFinder(nvinfer1::ILoggerFinder* finder) {
  sr_ops::tensorrt::SetLoggerFinder(finder);
}

SR_OPS_TENSORRT_API nvinfer1::IPluginCreatorInterface* const* getCreators(int32_t& count) {
  using sr_ops::tensorrt::Creator;
  using sr_ops::tensorrt::NodeType;
  static Creator scales(NodeType::kScales);
  static Creator sizes(NodeType::kSizes);
  static nvinfer1::IPluginCreatorInterface* const creators[] = {&scales, &sizes};
  count = 2;
  return creators;
}
