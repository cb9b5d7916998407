// The entry point that ONNX Runtime looks up in a custom-op library. It only forwards, so that a
// program that links the operators statically does without this symbol.
#include "sr_ops/ort.h"

OrtStatus* ORT_API_CALL RegisterCustomOps(OrtSessionOptions* options,
                                          const OrtApiBase* api_base) noexcept {
  return SrOpsRegisterCustomOps(options, api_base);
}
