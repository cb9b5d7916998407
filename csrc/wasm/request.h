// What JavaScript asks for, as numbers that it can write: one double a field.
#pragma once

namespace sr_ops::web {

/// In the order in which they lie in memory; JavaScript asks for the names.
///
/// Given: what sr_ops_description has, by its names. A window of height 0 is the whole result.
/// Answered by sr_ops_web_measure(): out_ and window_ complete, and the part of the source that the
/// window reads, which is all that sr_ops_web_upscale() wants to see of it.
// clang-format off
#define SR_OPS_WEB_FIELDS(_) \
  _(dtype) _(layout) _(batch) _(channels) _(height) _(width) \
  _(scale_height) _(scale_width) _(out_height) _(out_width) \
  _(coordinate_transformation_mode) _(cubic_coeff_a) _(exclude_outside) _(antialias) _(rounding) \
  _(window_top) _(window_left) _(window_height) _(window_width) \
  _(source_top) _(source_left) _(source_height) _(source_width)
// clang-format on

struct Request {
#define SR_OPS_WEB_FIELD(name) double name;
  SR_OPS_WEB_FIELDS(SR_OPS_WEB_FIELD)
#undef SR_OPS_WEB_FIELD
};

/// The names, with spaces in between.
#define SR_OPS_WEB_NAME(name) " " #name
constexpr const char* kFieldNames = &(SR_OPS_WEB_FIELDS(SR_OPS_WEB_NAME))[1];
#undef SR_OPS_WEB_NAME

}  // namespace sr_ops::web
