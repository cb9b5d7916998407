/**
 * @file
 * The ONNX Runtime operators DynamicUpscale and DynamicUpscaleToSizes (domain "sr_ops", version 1).
 *
 * Linked: call SrOpsRegisterCustomOps(), from the CMake target sr_ops::ort or sr_ops::ort_static.
 * Loaded at run time instead: give the path of libsr_ops_ort to RegisterCustomOpsLibrary_V2 or
 * Ort::SessionOptions::RegisterCustomOpsLibrary; nothing of this header is needed then.
 *
 * The same file holds an execution provider, for ONNX Runtime 1.24 and newer: it takes the cubic
 * Resize nodes of any model. Give its path to RegisterExecutionProviderLibrary.
 *
 * Needs onnxruntime_c_api.h of ONNX Runtime 1.17 or newer on the include path. Nothing of ONNX
 * Runtime is linked: the operators call it through the OrtApiBase that they are given.
 */
#ifndef SR_OPS_ORT_H_
#define SR_OPS_ORT_H_

#include <onnxruntime_c_api.h>
#include <stddef.h>

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

typedef struct OrtEpFactory OrtEpFactory; /* which headers older than 1.22 do not know */

/**
 * What ONNX Runtime looks up in a library that RegisterExecutionProviderLibrary is given. Programs
 * call that function, with the path of libsr_ops_ort, and not this one.
 *
 * @param registered_name what the program called the library; not used.
 * @param api_base the runtime's; kept.
 * @param default_logger not used.
 * @param factories receives the one factory, of "SrOpsExecutionProvider".
 * @param max_factories room in `factories`.
 * @param num_factories receives 1.
 * @return null on success; otherwise a status that the caller releases: ORT_FAIL where the runtime
 *     is older than 1.24, ORT_INVALID_ARGUMENT where there is no room.
 *
 * Thread-safe.
 */
SR_OPS_API OrtStatus* CreateEpFactories(const char* registered_name, const OrtApiBase* api_base,
                                        const OrtLogger* default_logger, OrtEpFactory** factories,
                                        size_t max_factories,
                                        size_t* num_factories) SR_OPS_NOEXCEPT;

/**
 * What ONNX Runtime calls when the library is unregistered. The factory stays, for sessions that
 * are still open and for the next registration.
 *
 * @param factory one from CreateEpFactories().
 * @return null. Thread-safe.
 */
SR_OPS_API OrtStatus* ReleaseEpFactory(OrtEpFactory* factory) SR_OPS_NOEXCEPT;
#endif

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* SR_OPS_ORT_H_ */
