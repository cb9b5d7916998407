// The host code of TensorRT's plugins: attributes, sizes, problems, workspaces.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "core/cuda/launch_plan.h"
#include "core/scale.h"
#include "expect.h"
#include "tensorrt/extents.h"
#include "tensorrt/problem.h"
#include "tensorrt/settings.h"

#define EXPECT(condition) sr_ops::test::Expect(condition, #condition)

namespace {

using namespace sr_ops;
using namespace sr_ops::tensorrt;

/// What TensorRT does with its symbols, done with numbers, within int64.
struct Numbers {
  using Value = int64_t;
  Value Constant(int64_t value) const { return value; }
  Value Add(Value a, Value b) const { return a + b; }
  Value Subtract(Value a, Value b) const { return a - b; }
  Value Multiply(Value a, Value b) const {
    EXPECT(a == 0 || b == 0 || std::abs(b) <= INT64_MAX / std::abs(a));
    return a * b;
  }
  Value FloorDivide(Value a, Value b) const { return a / b - (a % b < 0); }
  Value IsLess(Value a, Value b) const { return a < b; }
};

void TestExtents() {
  Numbers numbers;
  const OutputExtent<Numbers> extent(&numbers);
  EXPECT(extent(45, 1.4f) == 63);  // 62.9999 before float32 rounds
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> exponent(-4, 6);
  for (int i = 0; i < 200000; ++i) {
    const auto n = static_cast<int64_t>(random() % kLongestAxis) + 1;
    float scale = static_cast<float>(std::exp2(exponent(random)));
    if (i % 2) scale = static_cast<float>(random() % 79 + 1) / 10;  // where rules differ
    EXPECT(extent(n, scale) == OutputSize(n, scale));
  }
  for (float scale : {1.0f, 2.0f, 2.5f, 0.5f, 1048576.0f, 1.0f / 1048576}) {
    for (int64_t n : {int64_t{1}, int64_t{2}, int64_t{65535}, kLongestAxis}) {
      EXPECT(extent(n, scale) == OutputSize(n, scale));
    }
  }
}

Field Text(const char* name, const char* text) {
  return {name, FieldType::kText, text, static_cast<int64_t>(std::strlen(text))};
}

void TestSettings() {
  const float scales[] = {1, 1, 2.5f, 3}, a = -0.5f, infinite = INFINITY, none[] = {2, 1, 2, 2};
  const int32_t on = 1, two = 2;
  Settings settings;
  const Field given{"scales", FieldType::kFloat32, scales, 4};
  EXPECT(ReadSettings(NodeType::kScales, {given}, &settings).ok());
  EXPECT(settings.scale_height == 2.5f && settings.scale_width == 3);
  EXPECT(settings.attributes.cubic_coeff_a == -0.75f && !settings.attributes.antialias);
  EXPECT(ReadSettings(NodeType::kSizes,
                      {Text("coordinate_transformation_mode", "align_corners"),
                       {"cubic_coeff_a", FieldType::kFloat32, &a, 1},
                       {"antialias", FieldType::kInt32, &on, 1},
                       {"exclude_outside", FieldType::kInt32, &on, 1}},
                      &settings)
             .ok());
  EXPECT(settings.attributes.coordinate_transformation_mode == CoordinateMode::kAlignCorners);
  EXPECT(settings.attributes.cubic_coeff_a == a && settings.attributes.antialias);
  EXPECT(settings.attributes.exclude_outside);

  const auto refused = [&](NodeType type, const Field& field, const char* says) {
    const Status status = ReadSettings(type, {given, field}, &settings);
    EXPECT(!status.ok() && status.message.find(says) != std::string::npos);
  };
  refused(NodeType::kSizes, Text("coordinate_transformation_mode", "bilinear"),
          "coordinate_transformation_mode: got 'bilinear', expected one of half_pixel, ");
  refused(NodeType::kSizes, {"cubic_coeff_a", FieldType::kFloat32, &infinite, 1}, "cubic_coeff_a");
  refused(NodeType::kSizes, {"cubic_coeff_a", FieldType::kInt32, &on, 1}, "cubic_coeff_a");
  refused(NodeType::kSizes, {"antialias", FieldType::kInt32, &two, 1}, "antialias: got 2");
  refused(NodeType::kSizes, {"exclude_outside", FieldType::kText, "1", 1}, "exclude_outside");
  refused(NodeType::kScales, {"scales", FieldType::kFloat32, none, 4}, "scales");
  refused(NodeType::kScales, {"scales", FieldType::kInt32, &on, 1}, "scales");
  const float huge = 2097152.0f, tiny = 1 / huge;
  for (const float* scale : {&huge, &tiny}) {
    refused(NodeType::kScales, {"scales", FieldType::kFloat32, scale, 1}, "at least 2^-20 and at");
  }
  refused(NodeType::kSizes, Text("rounding", "pillow"), "rounding: got 'pillow', expected exact");
  refused(NodeType::kSizes, {"rounding", FieldType::kInt32, &on, 1}, "rounding: got ''");
  EXPECT(ReadSettings(NodeType::kSizes,
                      {Text("rounding", "exact"), Text("note", "of another tool")}, &settings)
             .ok());
  for (const NodeType type : {NodeType::kScales, NodeType::kSizes}) {
    const std::vector<const char*> names = FieldNames(type);
    EXPECT(names.size() == (type == NodeType::kScales ? 6u : 5u));
    EXPECT(std::string(names.back()) == (type == NodeType::kScales ? "scales" : "rounding"));
  }
  EXPECT(std::string(NameOf(CoordinateMode::kAsymmetric)) == "asymmetric");
  const Status missing = ReadSettings(NodeType::kScales, {}, &settings);
  EXPECT(!missing.ok() && missing.message.find("the attribute is missing") != std::string::npos);
}

Shape MakeShape(const std::vector<int64_t>& extents) {
  Shape shape;
  shape.rank = static_cast<int32_t>(extents.size());
  for (size_t i = 0; i < extents.size(); ++i) shape.extent[i] = extents[i];
  return shape;
}

void TestProblems() {
  Settings settings;
  settings.scale_height = settings.scale_width = 2.7f;
  Problem p;
  const auto make = [&](Layout layout, const std::vector<int64_t>& x,
                        const std::vector<int64_t>& y) {
    return MakeProblem(settings, DataType::kFloat16, layout, MakeShape(x), MakeShape(y), &p);
  };
  EXPECT(make(Layout::kChannelsLast, {2, 3, 4, 6}, {2, 3, 10, 16}).ok());
  EXPECT(p.batch == 2 && p.channels == 3 && p.out_width == 16 && p.scale_width == 2.7f);
  EXPECT(SourceOf(p).stride[3] == 3 && SourceOf(p).stride[1] == 1);
  EXPECT(DestinationOf(p).stride[2] == 48 && DestinationOf(p).stride[0] == 480);
  EXPECT(make(Layout::kChannelsFirst, {4, 6}, {10, 16}).ok());
  EXPECT(p.batch == 1 && p.channels == 1 && SourceOf(p).stride[2] == 6);
  EXPECT(!make(Layout::kChannelsFirst, {4, 6}, {10, 17}).ok());              // not the scale's size
  EXPECT(!make(Layout::kChannelsFirst, {1, 2, 4, 6}, {1, 3, 10, 16}).ok());  // channels
  EXPECT(!make(Layout::kChannelsFirst, {6}, {16}).ok());
  EXPECT(!make(Layout::kChannelsFirst, {0, 6}, {0, 16}).ok());
  settings.type = NodeType::kSizes;
  EXPECT(make(Layout::kChannelsFirst, {3, 4, 6}, {3, 5, 9}).ok());
  EXPECT(p.scale_height == 1.25 && p.scale_width == 1.5);
  EXPECT(!make(Layout::kChannelsFirst, {3, 4, 6}, {3, 0, 9}).ok());
}

void TestWorkspaces() {
  std::mt19937_64 random(2);
  const auto draw = [&](int64_t most) { return static_cast<int64_t>(random() % most) + 1; };
  Settings settings;
  settings.type = NodeType::kSizes;
  int64_t with = 0;
  for (int i = 0; i < 20000; ++i) {
    settings.attributes.antialias = i % 2;
    const Shape x = MakeShape({draw(3), draw(4), draw(4000), draw(4000)});
    Shape y = x;
    y.extent[2] = draw(4000);
    y.extent[3] = draw(4000);
    Problem p;
    EXPECT(MakeProblem(settings, DataType::kFloat32, Layout::kChannelsFirst, x, y, &p).ok());
    cuda::LaunchPlan plan;
    EXPECT(cuda::MakePlan(p, SourceOf(p), DestinationOf(p), &plan).ok());
    EXPECT(plan.workspace_bytes <= MostWorkspaceBytes(x, y));
    with += plan.workspace_bytes > 0;
  }
  EXPECT(with > 1000);
}

}  // namespace

int main() {
  TestExtents();
  TestSettings();
  TestProblems();
  TestWorkspaces();
  return sr_ops::test::ExitStatus();
}
