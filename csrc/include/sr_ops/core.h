/**
 * @file
 * Dynamic bicubic upscaling of raw buffers: no runtime, no framework, no exceptions.
 *
 * Plain C; for C++ as well. Link the CMake target sr_ops::core or sr_ops::core_static.
 *
 * @code
 *   sr_ops_description d = sr_ops_default_description();
 *   d.dtype = SR_OPS_UINT8;
 *   d.layout = SR_OPS_NHWC;                             // a picture as most libraries hold it
 *   d.shape[0] = 1, d.shape[1] = 3, d.shape[2] = height, d.shape[3] = width;
 *   d.scale_height = d.scale_width = 2.7f;
 *   int64_t size[2];
 *   sr_ops_status status = sr_ops_output_size(&d, size);
 *   // ... allocate 1 * size[0] * size[1] * 3 bytes for y ...
 *   if (status.code == SR_OPS_OK) status = sr_ops_dynamic_upscale(&d, x, y, NULL);
 *   if (status.code != SR_OPS_OK) puts(status.message);
 * @endcode
 *
 * Once a call has used the library's own threads, its code must stay in the process: they sleep in
 * it between calls. The shared library sees to that (after dlclose it stays loaded); whoever links
 * the static one into a library that may be unloaded links that with -Wl,-z,nodelete.
 *
 * The meaning of every number is that of ONNX Resize (opset 19, mode "cubic"), in exact
 * coordinates; results have the same bits as those of sr_ops in Python, PyTorch and ONNX Runtime.
 */
#ifndef SR_OPS_CORE_H_
#define SR_OPS_CORE_H_

#include <stdint.h>
#include <string.h>

#include "sr_ops/export.h"
#include "sr_ops/version.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Element type of x and y; one of the SR_OPS_… below. */
typedef int32_t sr_ops_dtype;
enum {
  SR_OPS_FLOAT32 = 0,
  SR_OPS_FLOAT64 = 1,
  SR_OPS_FLOAT16 = 2,  /**< IEEE binary16 */
  SR_OPS_BFLOAT16 = 3, /**< the upper half of a float32 */
  SR_OPS_UINT8 = 4,    /**< results are rounded (see sr_ops_rounding) and clamped to 0..255 */
  SR_OPS_INT8 = 5,     /**< rounded half to even and clamped to -128..127 */
  SR_OPS_UINT16 = 6    /**< the same, to 0..65535 */
};

/** How a dense buffer lies in memory. */
typedef int32_t sr_ops_layout;
enum {
  SR_OPS_NCHW = 0, /**< planes: all of one channel, then all of the next */
  SR_OPS_NHWC = 1  /**< pixels: the channels of one place side by side */
};

/** How output index i maps to a source coordinate; s is the scale of the axis. */
typedef int32_t sr_ops_coordinate_mode;
enum {
  SR_OPS_HALF_PIXEL = 0,           /**< (i + 0.5) / s - 0.5; PyTorch's and OpenCV's */
  SR_OPS_HALF_PIXEL_SYMMETRIC = 1, /**< as ONNX Resize-19 defines it */
  SR_OPS_PYTORCH_HALF_PIXEL = 2,   /**< half_pixel; 0 where the output axis has one element */
  SR_OPS_ALIGN_CORNERS = 3,        /**< i (n_in - 1) / (n_out - 1) */
  SR_OPS_ASYMMETRIC = 4            /**< i / s */
};

/** How results become integers. */
typedef int32_t sr_ops_rounding;
enum {
  SR_OPS_ROUNDING_EXACT = 0, /**< once, half to even */
  /** The bytes of Pillow's Image.resize(BICUBIC), for SR_OPS_UINT8 and SR_OPS_HALF_PIXEL: its
   * fixed-point arithmetic, with 8 bits between the passes. That has a = -0.5, antialias and
   * exclude_outside by itself, and coordinates that follow from the sizes, whatever the scale. */
  SR_OPS_ROUNDING_PILLOW = 1
};

/** What a call came to. */
typedef int32_t sr_ops_status_code;
enum {
  SR_OPS_OK = 0,
  SR_OPS_INVALID_ARGUMENT = 1, /**< the message names the field, its value and what is accepted */
  SR_OPS_OUT_OF_MEMORY = 2,    /**< tables or scratch memory; y holds unspecified values */
  SR_OPS_INTERNAL_ERROR = 3    /**< please report it, with the message */
};

/** Returned by value; owns nothing. */
typedef struct sr_ops_status {
  sr_ops_status_code code; /**< SR_OPS_OK, or the kind of fault */
  char message[508];       /**< one line, ends in a 0 byte; empty where the code is SR_OPS_OK */
} sr_ops_status;

/**
 * One resampling of (N, C, H, W) images: x, H x W, to y, H_out x W_out. Always start from
 * sr_ops_default_description(); plain data, may be copied and kept.
 *
 * Give either scale_height and scale_width, or out_height and out_width; the other two stay 0.
 */
typedef struct sr_ops_description {
  uint32_t struct_size; /**< of the header the caller was compiled with; leave it alone */
  sr_ops_dtype dtype;   /**< of x and y */
  sr_ops_layout layout; /**< of x and y, where their strides are all 0 */
  sr_ops_coordinate_mode coordinate_transformation_mode; /**< where an output looks in x */
  /** N, C, H, W of x in this order, whatever the layout. N and C >= 0, H and W > 0. */
  int64_t shape[4];
  /** Strides in elements, in the order N, C, H, W, of any sign; all 0: dense, in `layout`. */
  int64_t x_strides[4];
  /** The same for y, which must have dense rows: of W elements, or of W x C with the channels
   * side by side. Rows, planes and images may be any distance apart but not share memory. */
  int64_t y_strides[4];
  int64_t out_height;      /**< pixels; 0: from the scale */
  int64_t out_width;       /**< the same */
  float scale_height;      /**< finite, > 0; H_out is the float32 product H * scale, truncated */
  float scale_width;       /**< the same for W_out and W */
  float cubic_coeff_a;     /**< Keys' a: -0.75 (PyTorch, OpenCV, ONNX), -0.5 (Pillow) */
  int32_t exclude_outside; /**< 0 or 1: drop taps outside of x and renormalise the others */
  int32_t antialias;       /**< 0 or 1: stretch the kernel where the scale is below 1 */
  /** Top, left, height, width: the part of the result that is wanted, in pixels of the result. y is
   * this part alone, with the bits that it has in the whole. All 0: the whole result. */
  int64_t window[4];
  /** Top, left, height, width: the part of the source that x is, in pixels of the source. It must
   * hold what the window reads, see sr_ops_source_rectangle(). All 0: the whole source. `shape`,
   * scale and size are the whole's in any case. */
  int64_t crop[4];
  sr_ops_rounding rounding; /**< of integers */
} sr_ops_description;

/**
 * The threads that a call may use. A null pointer in its place: the calling thread alone.
 * Results do not depend on it, bit for bit.
 */
typedef struct sr_ops_threads {
  int32_t count; /**< how many may work at the same time, the calling one included; >= 1 */
  /**
   * Calls run(run_context, i) once for each i in [0, tasks), on any threads, in any order, and
   * returns when all have returned. Must not throw. Null: the library's own threads, which sleep
   * between calls and are made anew in a forked process.
   */
  void (*parallel_for)(void* context, int64_t tasks, void (*run)(void* run_context, int64_t i),
                       void* run_context);
  void* context; /**< handed to parallel_for; the library does not look at it */
} sr_ops_threads;

/**
 * float32, SR_OPS_NCHW, dense, half_pixel, a = -0.75, no antialias, shape and scale still open.
 */
static inline sr_ops_description sr_ops_default_description(void) {
  sr_ops_description description;
  memset(&description, 0, sizeof description);
  description.struct_size = (uint32_t)sizeof description;
  description.cubic_coeff_a = -0.75f;
  return description;
}

/**
 * The size of the result: of y, unless there is a window.
 *
 * @param description what x is and what is wanted; not kept.
 * @param size receives H_out and W_out; untouched unless the status is SR_OPS_OK.
 * @return SR_OPS_OK, or SR_OPS_INVALID_ARGUMENT with a message.
 *
 * Thread-safe. Allocates no memory unless it fails.
 */
SR_OPS_API sr_ops_status sr_ops_output_size(const sr_ops_description* description,
                                            int64_t size[2]) SR_OPS_NOEXCEPT;

/**
 * The part of the source that the description's window reads: the smallest crop.
 *
 * @param description what x is and what is wanted; its crop is not looked at; not kept.
 * @param rectangle receives top, left, height and width, in pixels of the source; untouched unless
 *     the status is SR_OPS_OK.
 * @return SR_OPS_OK, or SR_OPS_INVALID_ARGUMENT with a message.
 *
 * Thread-safe. Allocates no memory unless it fails.
 */
SR_OPS_API sr_ops_status sr_ops_source_rectangle(const sr_ops_description* description,
                                                 int64_t rectangle[4]) SR_OPS_NOEXCEPT;

/**
 * y = x resampled.
 *
 * @param description what x is and what is wanted; not kept.
 * @param x element (0, 0, 0, 0) of the source; belongs to the caller, is only read. May be null
 *     where N or C is 0.
 * @param y element (0, 0, 0, 0) of the destination, (N, C, H_out, W_out) or, of a window, (N, C,
 *     height, width); belongs to the caller and is written completely. Must not overlap x.
 * @param threads null: the calling thread alone.
 * @return SR_OPS_OK, or an error with a message; SR_OPS_INVALID_ARGUMENT leaves y untouched.
 *
 * Thread-safe: any number of calls at the same time, with equal or different descriptions, as long
 * as no y is used by two. The tables of the last few descriptions are kept in memory, 256 MiB of
 * them at most, so repeating one costs no preparation. A thread keeps up to 1 MiB of scratch memory
 * until it ends.
 */
SR_OPS_API sr_ops_status sr_ops_dynamic_upscale(const sr_ops_description* description,
                                                const void* x, void* y,
                                                const sr_ops_threads* threads) SR_OPS_NOEXCEPT;

/**
 * grad_x = the transpose of sr_ops_dynamic_upscale applied to grad_y: its gradient. Deterministic.
 *
 * @param description the forward call's, unchanged: x_strides are those of grad_x, y_strides those
 *     of grad_y, so here x's must have dense rows and y's may be any. Floating-point types only,
 * and neither a window nor a crop.
 * @param grad_y (N, C, H_out, W_out); belongs to the caller, is only read. May be null where N or C
 *     is 0.
 * @param grad_x (N, C, H, W); belongs to the caller and is written completely. Must not overlap
 *     grad_y.
 * @param threads null: the calling thread alone.
 * @return as sr_ops_dynamic_upscale().
 *
 * Thread-safe like sr_ops_dynamic_upscale().
 */
SR_OPS_API sr_ops_status
sr_ops_dynamic_upscale_backward(const sr_ops_description* description, const void* grad_y,
                                void* grad_x, const sr_ops_threads* threads) SR_OPS_NOEXCEPT;

/** What one call may cost; more is refused before anything is allocated. */
typedef struct sr_ops_limits {
  int64_t work;        /**< multiply-adds; at first 2^41, some minutes on one core */
  int64_t table_bytes; /**< memory while the tables of a description are made; at first 2^32 */
} sr_ops_limits;

/**
 * The limits in force, for all threads. At first those of the environment variables SR_OPS_MAX_WORK
 * and SR_OPS_MAX_TABLE_BYTES, read at the first use; else as above.
 *
 * @param limits receives them; untouched unless the status is SR_OPS_OK.
 * @return SR_OPS_OK, or SR_OPS_INVALID_ARGUMENT: a null pointer, or a variable that holds no
 * integer above 0.
 *
 * Thread-safe.
 */
SR_OPS_API sr_ops_status sr_ops_get_limits(sr_ops_limits* limits) SR_OPS_NOEXCEPT;

/**
 * Sets the limits, for all threads and calls from now on.
 *
 * @param limits both > 0; not kept.
 * @return SR_OPS_OK, or SR_OPS_INVALID_ARGUMENT with a message.
 *
 * Thread-safe.
 */
SR_OPS_API sr_ops_status sr_ops_set_limits(const sr_ops_limits* limits) SR_OPS_NOEXCEPT;

/**
 * The version of the library.
 *
 * @return such as "1.2.3"; static storage. Thread-safe.
 */
SR_OPS_API const char* sr_ops_version(void) SR_OPS_NOEXCEPT;

/**
 * The instruction set in use; the environment variable SR_OPS_TARGET, read at the first use,
 * chooses another one.
 *
 * @return "AVX-512", "AVX2", "SSE4", "NEON" or "SCALAR"; static storage. Thread-safe.
 */
SR_OPS_API const char* sr_ops_instruction_set(void) SR_OPS_NOEXCEPT;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* SR_OPS_CORE_H_ */
