#include "core/destination.h"

#include <algorithm>
#include <cstdlib>

namespace sr_ops {

DestinationFault CheckDestination(const int64_t (&shape)[4], int64_t (&stride)[4], Layout* layout) {
  const int64_t channels = shape[1], width = shape[3];
  const bool pixels = channels > 1 && stride[1] == 1 && (width == 1 || stride[3] == channels);
  if (!pixels && width > 1 && stride[3] != 1) return DestinationFault::kRowsNotDense;
  stride[3] = pixels ? channels : 1;
  *layout = pixels ? Layout::kChannelsLast : Layout::kChannelsFirst;

  int axes[4] = {0, 1, 2, 3};
  std::sort(axes, axes + 4,
            [&](int a, int b) { return std::abs(stride[a]) < std::abs(stride[b]); });
  int64_t reach = 0;  // distance in elements between the first and the last of the inner axes
  for (int axis : axes) {
    if (shape[axis] == 1) continue;
    if (std::abs(stride[axis]) <= reach) return DestinationFault::kSharesMemory;
    reach += (shape[axis] - 1) * std::abs(stride[axis]);
  }
  return DestinationFault::kNone;
}

}  // namespace sr_ops
