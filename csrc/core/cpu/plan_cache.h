// Plans by problem: bounded, least recently used out first, thread-safe.
#pragma once

#include <memory>

#include "core/types.h"

namespace sr_ops {

class Plan;

/// The plan of a valid problem. May throw std::bad_alloc.
std::shared_ptr<const Plan> CachedPlan(const Problem& problem);

}  // namespace sr_ops
