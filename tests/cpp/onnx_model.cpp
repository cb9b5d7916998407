#include "onnx_model.h"

#include <cstring>

namespace sr_ops::test {
namespace {

Message ValueInfo(const std::string& name, int32_t type, const std::vector<int64_t>* shape) {
  Message tensor;
  tensor.Int(1, type);
  if (shape) {
    Message dims;
    for (int64_t extent : *shape) {
      Message dim;
      if (extent >= 0) dim.Int(1, extent);
      dims.Sub(1, dim);
    }
    tensor.Sub(2, dims);
  }
  return Message().Text(1, name).Sub(2, Message().Sub(1, tensor));
}

Message Initializer(const std::string& name, const Tensor& tensor) {
  Message message;
  for (int64_t extent : tensor.shape) message.Int(1, extent);
  return message.Int(2, tensor.type).Text(8, name).Text(9, tensor.bytes);
}

Message AttributeMessage(const Attribute& attribute) {
  Message message;
  message.Text(1, attribute.name).Int(20, attribute.type);
  switch (attribute.type) {
    case kFloat: return message.Float(2, attribute.number);
    case kInt: return message.Int(3, attribute.integer);
    case kString: return message.Text(4, attribute.text);
    case kTensor: return message.Sub(5, Initializer("t", Tensor{kElementFloat, {0}, ""}));
    case kFloats: return message.Float(7, attribute.number).Float(7, attribute.number);
    case kInts: return message.Int(8, attribute.integer).Int(8, attribute.integer);
  }
  return message;
}

Message Opset(const std::string& domain, int64_t version) {
  return Message().Text(1, domain).Int(2, version);
}

}  // namespace

void Message::Varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
  bytes_ += static_cast<char>(value);
}

Message& Message::Int(int field, int64_t value) {
  Varint(static_cast<uint64_t>(field) << 3);
  Varint(static_cast<uint64_t>(value));
  return *this;
}

Message& Message::Float(int field, float value) {
  Varint(static_cast<uint64_t>(field) << 3 | 5);
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  bytes_.append(bytes, sizeof value);
  return *this;
}

Message& Message::Text(int field, const std::string& value) {
  Varint(static_cast<uint64_t>(field) << 3 | 2);
  Varint(value.size());
  bytes_ += value;
  return *this;
}

std::string Serialize(const Model& model) {
  Message node;
  for (const std::string& input : model.inputs) node.Text(1, input);
  for (const std::string& output : model.outputs) node.Text(2, output);
  node.Text(3, "node").Text(4, model.op).Text(7, "sr_ops");
  for (const Attribute& attribute : model.attributes) node.Sub(5, AttributeMessage(attribute));
  Message graph;
  graph.Sub(1, node).Text(2, "graph");
  const bool has_shape = !model.declared_shape.empty();
  graph.Sub(11, ValueInfo("X", model.element_type, has_shape ? &model.declared_shape : nullptr));
  if (model.constant) {
    graph.Sub(5, Initializer("request", *model.constant));
  } else {
    graph.Sub(11, ValueInfo("request", model.request_type, nullptr));
  }
  graph.Sub(12, ValueInfo("Y", model.element_type, nullptr));
  return Message().Int(1, 8).Sub(8, Opset("", 18)).Sub(8, Opset("sr_ops", 1)).Sub(7, graph).bytes();
}

}  // namespace sr_ops::test
