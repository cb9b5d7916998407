/**
 * @file
 * The ONNX Runtime operators DynamicUpscale and DynamicUpscaleToSizes (domain "sr_ops", version 1).
 *
 * Linked: call SrOpsRegisterCustomOps(), from the CMake target sr_ops::ort or sr_ops::ort_static.
 * Loaded at run time instead: give the path of libsr_ops_ort to RegisterCustomOpsLibrary_V2 or
 * Ort::SessionOptions::RegisterCustomOpsLibrary; nothing of this header is needed then.
 *
 * Needs onnxruntime_c_api.h of ONNX Runtime 1.17 or newer on the include path. Nothing of ONNX
 * Runtime is linked: the operators call it through the OrtApiBase that they are given.
 */
#ifndef SR_OPS_ORT_H_
#define SR_OPS_ORT_H_

#include <onnxruntime_c_api.h>

#include "sr_ops/export.h"
#include "sr_ops/version.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes the operators known to every session that is created from `options`.
 *
 * @code
 *   Ort::SessionOptions options;
 *   Ort::ThrowOnError(SrOpsRegisterCustomOps(options, OrtGetApiBase()));
 * @endcode
 *
 * @param options belongs to the caller. The operators themselves have static storage: nothing to
 *     keep or to release. Registering a second time with the same options is harmless.
 * @param api_base what OrtGetApiBase() returns in the process; not kept.
 * @return null on success; otherwise a status that the caller releases: ORT_FAIL where the runtime
 *     is older than 1.17, ORT_INVALID_ARGUMENT where `options` is null.
 *
 * Thread-safe for different options. Sessions may then run from any number of threads.
 */
SR_OPS_API OrtStatus* ORT_API_CALL
SrOpsRegisterCustomOps(OrtSessionOptions* options, const OrtApiBase* api_base) SR_OPS_NOEXCEPT;

#ifndef SR_OPS_STATIC
/**
 * SrOpsRegisterCustomOps() under the name that ONNX Runtime looks up in a library of custom
 * operators. In the shared library only: a program may link several such libraries statically.
 *
 * @param options as there.
 * @param api_base as there.
 * @return as there. Thread-safe likewise.
 */
SR_OPS_API OrtStatus* ORT_API_CALL RegisterCustomOps(OrtSessionOptions* options,
                                                     const OrtApiBase* api_base) SR_OPS_NOEXCEPT;
#endif

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* SR_OPS_ORT_H_ */
