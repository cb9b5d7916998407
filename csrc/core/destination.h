// Whether a buffer that came with arbitrary strides can be written to, and in which layout.
#pragma once

#include <cstdint>

#include "core/linkage.h"
#include "core/types.h"

namespace sr_ops {

enum class DestinationFault {
  kNone,
  kRowsNotDense,  ///< neither rows of W nor rows of W x C elements are contiguous
  kSharesMemory,  ///< two index tuples may mean the same element
};

/// Finds the layout of a non-empty (N, C, H, W) destination. An axis of one element may carry any
/// stride: it is given the one that a dense array would have.
SR_OPS_FOR_FRONT_ENDS DestinationFault CheckDestination(const int64_t (&shape)[4],
                                                        int64_t (&stride)[4], Layout* layout);

}  // namespace sr_ops
