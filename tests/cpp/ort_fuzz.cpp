// Fuzzing the operators through real sessions of ONNX Runtime: attributes, types, shapes, what is
// constant and what is fed. The input's bytes are read as a model and its inputs. A sound model
// must give the core's own bits; a faulty one must be refused with a message, when it is loaded or
// when it is run. The process lives either way.
//
// The environment variable SR_OPS_ONNXRUNTIME_LIBRARY names ONNX Runtime's library. Driven like
// core_fuzz.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include "core/cpu/target.h"
#include "core/pillow_axis.h"
#include "core/resample.h"
#include "core/scale.h"
#include "fuzz_problem.h"
#include "problems.h"
#include "runtime.h"

namespace sr_ops::test {
namespace {

constexpr int64_t kMostElements = 1 << 12;

constexpr int32_t kElementTypes[] = {kElementFloat,    kElementDouble, kElementFloat16,
                                     kElementBFloat16, kElementUInt8,  kElementInt8};
constexpr const char* kModes[] = {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
                                  "align_corners", "asymmetric"};

/// A model, its inputs and the problem that it stands for.
struct Trial {
  Model model;
  Tensor x;
  Tensor request;
  Problem problem;
};

template <typename T>
std::string AsBytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

void SetScales(FuzzBytes* bytes, Trial* trial) {
  Problem& p = trial->problem;
  // volatile: GCC 12 at -O2 optimises pairs of double -> float -> double away as if nothing were
  // rounded.
  const volatile float height = static_cast<float>(p.scale_height);
  const volatile float width = static_cast<float>(p.scale_width);
  p.scale_height = height;
  p.scale_width = width;
  p.out_height = OutputSize(p.in_height, height);
  p.out_width = OutputSize(p.in_width, width);
  std::vector<float> scales{height, width};
  if (bytes->Below(2)) scales.insert(scales.begin(), {1, 1});
  trial->request = {kElementFloat, {static_cast<int64_t>(scales.size())}, AsBytes(scales)};
}

void SetSizes(FuzzBytes* bytes, Trial* trial) {
  Problem& p = trial->problem;
  p.scale_height = static_cast<double>(p.out_height) / static_cast<double>(p.in_height);
  p.scale_width = static_cast<double>(p.out_width) / static_cast<double>(p.in_width);
  std::vector<int64_t> sizes{p.out_height, p.out_width};
  if (bytes->Below(2)) sizes.insert(sizes.begin(), {p.batch, p.channels});
  trial->request = {kElementInt64, {static_cast<int64_t>(sizes.size())}, AsBytes(sizes)};
  trial->model.op = "DynamicUpscaleToSizes";
}

/// A model without faults. False where the input asks for more than is to be computed.
bool TakeSound(FuzzBytes* bytes, Trial* trial) {
  Problem& p = trial->problem;
  p = TakeProblem(bytes, 6);
  if (!CheckPillow(p).ok()) p.attributes.rounding = Rounding::kExact;  // refused when it is loaded
  p.direction = Direction::kForward;
  p.layout = Layout::kChannelsFirst;
  if (bytes->Below(2)) {
    SetScales(bytes, trial);
  } else if (WithinAxes(p)) {
    SetSizes(bytes, trial);
  }
  const int64_t batch = p.batch, channels = p.channels;
  if (!Reduce(&p, kMostElements)) return false;
  if (p.batch != batch || p.channels != channels) {
    p.batch = p.channels = 1;  // what SetSizes may have written
    if (trial->request.shape[0] == 4 && trial->request.type == kElementInt64) {
      trial->request.bytes = AsBytes(std::vector<int64_t>{1, 1, p.out_height, p.out_width});
    }
  }
  Random random(bytes->Take<uint8_t>());
  const Buffer x = DenseBuffer(random, SourceShape(p), p.layout, p.dtype);
  const int32_t type = kElementTypes[static_cast<int>(p.dtype)];
  trial->x = {
      type, {p.batch, p.channels, p.in_height, p.in_width}, {x.bytes.begin(), x.bytes.end()}};
  Model& model = trial->model;
  model.element_type = type;
  model.request_type = trial->request.type;
  if (bytes->Below(2)) model.constant = &trial->request;
  if (bytes->Below(2)) model.declared_shape = trial->x.shape;
  const Attributes& a = p.attributes;
  model.attributes = {
      {"coordinate_transformation_mode", kString, 0, 0,
       kModes[static_cast<int>(a.coordinate_transformation_mode)]},
      {"cubic_coeff_a", kFloat, a.cubic_coeff_a, 0, ""},
      {"antialias", kInt, 0, a.antialias, ""},
      {"exclude_outside", kInt, 0, a.exclude_outside, ""},
      {"rounding", kString, 0, 0, a.rounding == Rounding::kPillow ? "pillow" : "exact"},
  };
  return true;
}

// ---- faults ---------------------------------------------------------------------------------

int64_t TakeAnyExtent(FuzzBytes* bytes) {
  const uint8_t kind = bytes->Take<uint8_t>();
  return kind < 0xc0 ? kind % 8 - 1 : bytes->Take<int64_t>();
}

void CorruptAttribute(FuzzBytes* bytes, Trial* trial) {
  constexpr AttributeType kTypes[] = {kFloat, kInt, kString, kTensor, kFloats, kInts};
  Attribute& attribute = trial->model.attributes[static_cast<size_t>(bytes->Below(4))];
  attribute.type = kTypes[bytes->Below(6)];
  attribute.number = bytes->Take<float>();
  attribute.integer = bytes->Below(2) ? bytes->Below(4) : bytes->Take<int64_t>();
  if (bytes->Below(2)) attribute.text.resize(static_cast<size_t>(bytes->Below(256)), 'x');
  if (bytes->Below(8) == 0) attribute.name += "_";
}

void CorruptNames(FuzzBytes* bytes, Trial* trial) {
  constexpr const char* kNames[] = {"X", "request", "", "Y"};
  std::vector<std::string>& names = bytes->Below(2) ? trial->model.inputs : trial->model.outputs;
  names.resize(static_cast<size_t>(bytes->Below(4)));
  for (std::string& name : names) name = kNames[bytes->Below(4)];
}

void CorruptTypes(FuzzBytes* bytes, Trial* trial) {
  const int32_t type = static_cast<int32_t>(bytes->Below(24));
  if (bytes->Below(2)) {
    trial->model.element_type = type;
  } else {
    trial->model.request_type = type;
  }
  if (bytes->Below(4) == 0) trial->model.op = "DynamicDownscale";
}

void CorruptDeclaredShape(FuzzBytes* bytes, Trial* trial) {
  std::vector<int64_t>& shape = trial->model.declared_shape;
  shape.resize(static_cast<size_t>(bytes->Below(7)));
  for (int64_t& extent : shape) extent = TakeAnyExtent(bytes);
}

// What is legal and takes gigabytes is no fault: small, or too large for any output.
int64_t TakeAnyRequest(FuzzBytes* bytes) {
  constexpr int64_t kTooMany = int64_t{1} << 41;
  const int64_t value = TakeAnyExtent(bytes);
  return value > 64 && value < kTooMany ? value + kTooMany : value;
}

// Another number of values, other values; the tensor itself stays a sound one.
void CorruptRequest(FuzzBytes* bytes, Trial* trial) {
  Tensor& request = trial->request;
  const size_t size = request.type == kElementInt64 ? 8 : 4;
  const int64_t count = bytes->Below(6);
  request.shape = {count};
  if (bytes->Below(4) == 0) request.shape.push_back(1);
  if (count == 1 && bytes->Below(2)) request.shape.clear();
  request.bytes.resize(static_cast<size_t>(count) * size, '\x3f');
  for (size_t i = 0; i < request.bytes.size(); i += size) {
    if (bytes->Below(2)) continue;
    const int64_t integer = TakeAnyRequest(bytes);
    const float number = static_cast<float>(integer);
    if (size == 8) {
      std::memcpy(&request.bytes[i], &integer, size);
    } else {
      std::memcpy(&request.bytes[i], &number, size);
    }
  }
}

// Another rank or other extents, with as many bytes as they need.
void CorruptX(FuzzBytes* bytes, Trial* trial) {
  Tensor& x = trial->x;
  x.shape.resize(static_cast<size_t>(bytes->Below(6)));
  size_t count = 1;
  for (int64_t& extent : x.shape) {
    extent = bytes->Below(9);
    count *= static_cast<size_t>(extent);
  }
  x.bytes.assign(count * static_cast<size_t>(SizeOf(trial->problem.dtype)), '\x30');
}

void Spoil(FuzzBytes* bytes, Trial* trial) {
  using Fault = void (*)(FuzzBytes*, Trial*);
  constexpr Fault kFaults[] = {CorruptAttribute,     CorruptNames,   CorruptTypes,
                               CorruptDeclaredShape, CorruptRequest, CorruptX};
  for (int64_t faults = 1 + bytes->Below(3); faults > 0; --faults) {
    kFaults[bytes->Below(6)](bytes, trial);
  }
}

// ---- running --------------------------------------------------------------------------------

[[noreturn]] void Fail(const Trial& trial, const std::string& what) {
  std::cerr << "FAILED: " << what << ": " << Describe(trial.problem) << "\n";
  std::abort();
}

bool Run(const Trial& trial, int threads, Tensor* y, std::string* error) {
  const Session session(Serialize(trial.model), "", threads);
  *error = session.error();
  if (!error->empty()) return false;
  std::vector<std::pair<const char*, Tensor>> feeds{{"X", trial.x}};
  if (!trial.model.constant) feeds.emplace_back("request", trial.request);
  return session.Run(feeds, y, error);
}

/// What the core says, computed without ONNX Runtime; false where it refuses.
bool Expect(const Trial& trial, std::string* expected) {
  const Problem& p = trial.problem;
  expected->assign(static_cast<size_t>(DestinationShape(p).elements() * SizeOf(p.dtype)), '\0');
  const auto dense = [&](int64_t height, int64_t width) {
    const int64_t plane = height * width;
    return std::vector<int64_t>{p.channels * plane, plane, width, 1};
  };
  ConstView from{trial.x.bytes.data(), {}};
  View to{expected->data(), {}};
  const auto in = dense(p.in_height, p.in_width), out = dense(p.out_height, p.out_width);
  std::copy_n(in.begin(), 4, from.stride);
  std::copy_n(out.begin(), 4, to.stride);
  return Apply(p, from, to, 1).ok();
}

void CheckSound(const Trial& trial, int threads) {
  Tensor y;
  std::string error, expected;
  const bool ran = Run(trial, threads, &y, &error);
  if (ran != Expect(trial, &expected)) Fail(trial, ran ? "accepted" : "refused, " + error);
  if (!ran) return;
  const Problem& p = trial.problem;
  const std::vector<int64_t> shape{p.batch, p.channels, p.out_height, p.out_width};
  if (y.type != trial.x.type || y.shape != shape) Fail(trial, "another type or shape");
  // Bit for bit: the values are finite, and so are weights unless cubic_coeff_a is absurd.
  if (y.bytes != expected && std::abs(p.attributes.cubic_coeff_a) < 1e30f) {
    Fail(trial, "other values than the core");
  }
}

}  // namespace

void RunInput(const uint8_t* data, size_t size) {
  static const char* const library = std::getenv("SR_OPS_ONNXRUNTIME_LIBRARY");
  static const OrtApi& api = LoadRuntime(library ? library : "libonnxruntime.so.1");
  static_cast<void>(api);
  FuzzBytes bytes(data, size);
  const bool sound = bytes.Below(2) != 0;
  const int threads = bytes.Below(16) == 0 ? 2 : 1;
  Trial trial;
  if (!TakeSound(&bytes, &trial)) return;
  if (sound) return CheckSound(trial, threads);
  Spoil(&bytes, &trial);
  Tensor y;
  std::string error;
  if (!Run(trial, threads, &y, &error) && error.empty()) Fail(trial, "refused without a message");
}

}  // namespace sr_ops::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sr_ops::test::RunInput(data, size);
  return 0;
}
