// Problems as the C interface describes them.
#pragma once

#include <sr_ops/core.h>

#include <algorithm>

#include "problems.h"

namespace sr_ops::test {

inline sr_ops_description DescriptionOf(const Problem& p, bool by_size) {
  sr_ops_description d = sr_ops_default_description();
  const int64_t shape[4] = {p.batch, p.channels, p.in_height, p.in_width};
  std::copy_n(shape, 4, d.shape);
  d.dtype = static_cast<sr_ops_dtype>(p.dtype);
  d.layout = static_cast<sr_ops_layout>(p.layout);
  d.coordinate_transformation_mode =
      static_cast<sr_ops_coordinate_mode>(p.attributes.coordinate_transformation_mode);
  d.cubic_coeff_a = p.attributes.cubic_coeff_a;
  d.exclude_outside = p.attributes.exclude_outside;
  d.antialias = p.attributes.antialias;
  if (by_size) {
    d.out_height = p.out_height;
    d.out_width = p.out_width;
  } else {
    d.scale_height = static_cast<float>(p.scale_height);
    d.scale_width = static_cast<float>(p.scale_width);
  }
  return d;
}

inline bool IsBySize(const Problem& p) {
  return p.scale_height == static_cast<double>(p.out_height) / static_cast<double>(p.in_height) &&
         p.scale_width == static_cast<double>(p.out_width) / static_cast<double>(p.in_width);
}

}  // namespace sr_ops::test
