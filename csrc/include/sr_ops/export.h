/* How the functions of this library are declared. */
#ifndef SR_OPS_EXPORT_H_
#define SR_OPS_EXPORT_H_

/* SR_OPS_STATIC is set by the CMake targets of the static libraries. */
#if defined(_WIN32) && defined(SR_OPS_BUILDING)
#define SR_OPS_API __declspec(dllexport)
#elif defined(_WIN32) && !defined(SR_OPS_STATIC)
#define SR_OPS_API __declspec(dllimport)
#elif !defined(_WIN32)
#define SR_OPS_API __attribute__((visibility("default")))
#else
#define SR_OPS_API
#endif

#ifdef __cplusplus
#define SR_OPS_NOEXCEPT noexcept
#else
#define SR_OPS_NOEXCEPT
#endif

#endif /* SR_OPS_EXPORT_H_ */
