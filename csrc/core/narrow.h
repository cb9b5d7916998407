// Conversions that must not change a value.
#pragma once

#include <stdexcept>

namespace sr_ops {

/// The same integer in another type. Throws std::overflow_error where that type lacks it, which
/// means that a limit was not checked (limits.h): GetPlan reports it.
template <typename To, typename From>
To Narrow(From value) {
  const To narrow = static_cast<To>(value);
  if (static_cast<From>(narrow) != value || (narrow < To{}) != (value < From{})) {
    throw std::overflow_error("a table needs numbers beyond its integers; use other sizes");
  }
  return narrow;
}

}  // namespace sr_ops
