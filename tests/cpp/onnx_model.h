// ONNX models as bytes, written by hand: small ones around one of our operators, sound or not.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sr_ops::test {

/// A protocol buffer message under construction. Field numbers are onnx.proto's.
class Message {
 public:
  Message& Int(int field, int64_t value);
  Message& Float(int field, float value);
  Message& Text(int field, const std::string& value);  ///< strings, bytes
  Message& Sub(int field, const Message& value) { return Text(field, value.bytes_); }
  const std::string& bytes() const { return bytes_; }

 private:
  void Varint(uint64_t value);
  std::string bytes_;
};

/// onnx.proto's AttributeProto.AttributeType.
enum AttributeType { kFloat = 1, kInt = 2, kString = 3, kTensor = 4, kFloats = 6, kInts = 7 };

/// A node's attribute. What is written is the field of `type`.
struct Attribute {
  std::string name;
  AttributeType type;
  float number = 0;
  int64_t integer = 0;
  std::string text;
};

/// onnx.proto's TensorProto.DataType, which are also ONNX Runtime's numbers.
enum ElementType {
  kElementFloat = 1,
  kElementUInt8 = 2,
  kElementInt8 = 3,
  kElementInt32 = 6,
  kElementInt64 = 7,
  kElementFloat16 = 10,
  kElementDouble = 11,
  kElementBFloat16 = 16,
};

/// A tensor as a model's constant, or as a session's input.
struct Tensor {
  int32_t type = kElementFloat;
  std::vector<int64_t> shape;
  std::string bytes;
};

/// One node `op`(X, request) -> Y.
struct Model {
  std::string op = "DynamicUpscale";
  int32_t element_type = kElementFloat;
  int32_t request_type = kElementFloat;
  std::vector<int64_t> declared_shape;  ///< of X; empty: not even a rank
  const Tensor* constant = nullptr;     ///< the request's value; null: it is fed
  std::vector<Attribute> attributes;
  std::vector<std::string> inputs{"X", "request"};
  std::vector<std::string> outputs{"Y"};
};

/// The bytes of a ModelProto.
std::string Serialize(const Model& model);

}  // namespace sr_ops::test
