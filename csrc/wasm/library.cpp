// The functions that JavaScript calls (js/library.js): sr_ops/core.h with numbers in place of
// structures. One thread, one request at a time.
#include <cstdlib>

#include "sr_ops/core.h"
#include "wasm/request.h"

#define SR_OPS_WEB_API extern "C" __attribute__((used, visibility("default")))

namespace sr_ops::web {
namespace {

Request request;
sr_ops_status last_status;

sr_ops_description Describe(const Request& r) {
  sr_ops_description d = sr_ops_default_description();
  d.dtype = static_cast<sr_ops_dtype>(r.dtype);
  d.layout = static_cast<sr_ops_layout>(r.layout);
  d.shape[0] = static_cast<int64_t>(r.batch);
  d.shape[1] = static_cast<int64_t>(r.channels);
  d.shape[2] = static_cast<int64_t>(r.height);
  d.shape[3] = static_cast<int64_t>(r.width);
  d.scale_height = static_cast<float>(r.scale_height);
  d.scale_width = static_cast<float>(r.scale_width);
  if (r.scale_height == 0) {
    d.out_height = static_cast<int64_t>(r.out_height);
    d.out_width = static_cast<int64_t>(r.out_width);
  }
  d.coordinate_transformation_mode =
      static_cast<sr_ops_coordinate_mode>(r.coordinate_transformation_mode);
  d.cubic_coeff_a = static_cast<float>(r.cubic_coeff_a);
  d.exclude_outside = static_cast<int32_t>(r.exclude_outside);
  d.antialias = static_cast<int32_t>(r.antialias);
  d.rounding = static_cast<sr_ops_rounding>(r.rounding);
  const double window[4] = {r.window_top, r.window_left, r.window_height, r.window_width};
  for (int i = 0; i < 4; ++i) d.window[i] = static_cast<int64_t>(window[i]);
  return d;
}

/// What the window reads is all that there is.
void SetCrop(const Request& r, sr_ops_description* d) {
  const double crop[4] = {r.source_top, r.source_left, r.source_height, r.source_width};
  for (int i = 0; i < 4; ++i) d->crop[i] = static_cast<int64_t>(crop[i]);
}

void Complete(const int64_t (&size)[2], const int64_t (&source)[4], Request* r) {
  r->out_height = static_cast<double>(size[0]);
  r->out_width = static_cast<double>(size[1]);
  if (r->window_height == 0) {
    r->window_height = r->out_height;
    r->window_width = r->out_width;
  }
  double* const read[4] = {&r->source_top, &r->source_left, &r->source_height, &r->source_width};
  for (int i = 0; i < 4; ++i) *read[i] = static_cast<double>(source[i]);
}

}  // namespace
}  // namespace sr_ops::web

using sr_ops::web::last_status;
using sr_ops::web::request;

/// Where the request lies: a double for each of sr_ops_web_fields().
SR_OPS_WEB_API double* sr_ops_web_request() { return reinterpret_cast<double*>(&request); }

SR_OPS_WEB_API const char* sr_ops_web_fields() { return sr_ops::web::kFieldNames; }

/// Checks the request and completes it. Returns an sr_ops_status_code, as all do that can fail.
SR_OPS_WEB_API int sr_ops_web_measure() {
  const sr_ops_description d = sr_ops::web::Describe(request);
  int64_t size[2], source[4];
  last_status = sr_ops_output_size(&d, size);
  if (last_status.code == SR_OPS_OK) last_status = sr_ops_source_rectangle(&d, source);
  if (last_status.code == SR_OPS_OK) sr_ops::web::Complete(size, source, &request);
  return last_status.code;
}

/// Computes the window of a measured request from the part of the source that it reads. Both
/// buffers are dense, in the request's layout.
SR_OPS_WEB_API int sr_ops_web_upscale(const void* source, void* result) {
  sr_ops_description d = sr_ops::web::Describe(request);
  sr_ops::web::SetCrop(request, &d);
  last_status = sr_ops_dynamic_upscale(&d, source, result, nullptr);
  return last_status.code;
}

/// Why the last call failed.
SR_OPS_WEB_API const char* sr_ops_web_message() { return last_status.message; }

SR_OPS_WEB_API const char* sr_ops_web_version() { return sr_ops_version(); }

/// Null where there is no more memory.
SR_OPS_WEB_API void* sr_ops_web_allocate(size_t bytes) { return std::malloc(bytes ? bytes : 1); }

SR_OPS_WEB_API void sr_ops_web_release(void* memory) { std::free(memory); }
