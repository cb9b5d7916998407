#include "runtime.h"

#include <dlfcn.h>
#include <sr_ops/ort.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>

#include "ort/operators.h"

namespace sr_ops::test {
namespace {

struct Runtime {
  const OrtApiBase* base = nullptr;
  const OrtApiBase* base_for_operators = nullptr;
  const OrtApi* api = nullptr;
  OrtEnv* env = nullptr;
  OrtMemoryInfo* memory = nullptr;
};
Runtime runtime;

/// Whether the call succeeded; its message goes to `error`.
bool Ok(OrtStatus* status, std::string* error) {
  if (!status) return true;
  *error = runtime.api->GetErrorMessage(status);
  if (error->empty()) *error = "an error without a message";
  runtime.api->ReleaseStatus(status);
  return false;
}

[[noreturn]] void Exit(const std::string& message) {
  std::cerr << message << "\n";
  std::_Exit(EXIT_FAILURE);
}

struct Release {
  void operator()(OrtSessionOptions* options) const { runtime.api->ReleaseSessionOptions(options); }
  void operator()(OrtValue* value) const { runtime.api->ReleaseValue(value); }
  void operator()(OrtTensorTypeAndShapeInfo* info) const {
    runtime.api->ReleaseTensorTypeAndShapeInfo(info);
  }
};
template <typename T>
using Owned = std::unique_ptr<T, Release>;

bool SetOptions(OrtSessionOptions* options, const std::string& library, int threads,
                std::string* error) {
  const OrtApi& api = *runtime.api;
  if (!Ok(api.SetIntraOpNumThreads(options, threads), error)) return false;
  if (!Ok(api.SetSessionLogSeverityLevel(options, ORT_LOGGING_LEVEL_FATAL), error)) return false;
  if (library.empty())
    return Ok(SrOpsRegisterCustomOps(options, runtime.base_for_operators), error);
  return Ok(api.RegisterCustomOpsLibrary_V2(options, library.c_str()), error);
}

size_t SizeOfElement(int32_t type) {
  switch (type) {
    case kElementDouble:
    case kElementInt64: return 8;
    case kElementFloat:
    case kElementInt32: return 4;
    case kElementFloat16:
    case kElementBFloat16: return 2;
    default: return 1;
  }
}

bool Read(OrtValue* value, Tensor* tensor, std::string* error) {
  const OrtApi& api = *runtime.api;
  OrtTensorTypeAndShapeInfo* raw = nullptr;
  if (!Ok(api.GetTensorTypeAndShape(value, &raw), error)) return false;
  const Owned<OrtTensorTypeAndShapeInfo> info(raw);
  ONNXTensorElementDataType type;
  size_t rank = 0, count = 0;
  if (!Ok(api.GetTensorElementType(raw, &type), error)) return false;
  if (!Ok(api.GetDimensionsCount(raw, &rank), error)) return false;
  if (!Ok(api.GetTensorShapeElementCount(raw, &count), error)) return false;
  tensor->type = type;
  tensor->shape.resize(rank);
  if (!Ok(api.GetDimensions(raw, tensor->shape.data(), rank), error)) return false;
  void* data = nullptr;
  if (!Ok(api.GetTensorMutableData(value, &data), error)) return false;
  tensor->bytes.assign(static_cast<const char*>(data), count * SizeOfElement(tensor->type));
  return true;
}

}  // namespace

const OrtApi& LoadRuntime(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) Exit(std::string("ONNX Runtime cannot be loaded: ") + dlerror());
  using GetApiBase = const OrtApiBase* (*)();
  const auto get_base = reinterpret_cast<GetApiBase>(dlsym(library, "OrtGetApiBase"));
  if (!get_base) Exit(path + " has no OrtGetApiBase");
  runtime.base = runtime.base_for_operators = get_base();
  runtime.api = runtime.base->GetApi(ort::kApiVersion);
  if (!runtime.api) Exit(path + " is older than ONNX Runtime 1.17");
  std::string error;
  const OrtApi& api = *runtime.api;
  if (!Ok(api.CreateEnv(ORT_LOGGING_LEVEL_FATAL, "test", &runtime.env), &error)) Exit(error);
  if (!Ok(api.CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &runtime.memory),
          &error)) {
    Exit(error);
  }
  return api;
}

const OrtApiBase& ApiBase() { return *runtime.base; }

void RegisterThrough(const OrtApiBase& base) { runtime.base_for_operators = &base; }

Session::Session(const std::string& model, const std::string& library, int threads) {
  OrtSessionOptions* raw = nullptr;
  if (!Ok(runtime.api->CreateSessionOptions(&raw), &error_)) return;
  const Owned<OrtSessionOptions> options(raw);
  if (!SetOptions(raw, library, threads, &error_)) return;
  Ok(runtime.api->CreateSessionFromArray(runtime.env, model.data(), model.size(), raw, &session_),
     &error_);
}

Session::~Session() {
  if (session_) runtime.api->ReleaseSession(session_);
}

bool Session::Run(const std::vector<std::pair<const char*, Tensor>>& feeds, Tensor* y,
                  std::string* error) const {
  const OrtApi& api = *runtime.api;
  std::vector<Owned<OrtValue>> owned;
  std::vector<const OrtValue*> values;
  std::vector<const char*> names;
  for (const auto& [name, tensor] : feeds) {
    OrtValue* value = nullptr;
    if (!Ok(api.CreateTensorWithDataAsOrtValue(
                runtime.memory, const_cast<char*>(tensor.bytes.data()), tensor.bytes.size(),
                tensor.shape.data(), tensor.shape.size(),
                static_cast<ONNXTensorElementDataType>(tensor.type), &value),
            error)) {
      return false;
    }
    owned.emplace_back(value);
    values.push_back(value);
    names.push_back(name);
  }
  const char* const output_name = "Y";
  OrtValue* output = nullptr;
  if (!Ok(api.Run(session_, nullptr, names.data(), values.data(), values.size(), &output_name, 1,
                  &output),
          error)) {
    return false;
  }
  const Owned<OrtValue> result(output);
  return Read(output, y, error);
}

}  // namespace sr_ops::test
