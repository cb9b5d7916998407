// The entry point that ONNX Runtime looks up in a custom-op library. It only forwards, so that a
// program that links the operators statically does without this symbol.
#include "ort/register.h"

#ifdef _WIN32
#define SR_OPS_ORT_EXPORT __declspec(dllexport)
#else
#define SR_OPS_ORT_EXPORT __attribute__((visibility("default")))
#endif

extern "C" SR_OPS_ORT_EXPORT OrtStatus* ORT_API_CALL RegisterCustomOps(OrtSessionOptions* options,
                                                                       const OrtApiBase* api_base) {
  return sr_ops::ort::RegisterOperators(options, api_base);
}
