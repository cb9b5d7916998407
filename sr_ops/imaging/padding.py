"""Networks that want sides of certain multiples, for pictures of every size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sr_ops.errors import SrOpsError

__all__ = ["padded"]

Planes = NDArray[np.float32]
Run = Callable[[Planes], Planes]

_MULTIPLES = (2, 4, 8, 16, 32, 64)


def padded(run: Run, factor: int) -> Run:
    """What gives ``factor`` times the size for every size.

    Where the network refuses a picture, or gives another size, the picture is continued by its last
    pixels to the next multiple of 2, 4, … 64, and the result is cut. What was found is remembered.

    Args:
        run: (1, C, H, W) to (1, C', factor * H, factor * W) for sides of some multiple.
        factor: by which it enlarges.

    >>> halved = padded(lambda x: x[:, :, : x.shape[2] // 4 * 4, : x.shape[3] // 4 * 4], 1)
    >>> halved(np.zeros((1, 3, 9, 4), np.float32)).shape
    (1, 3, 9, 4)
    """
    multiple = 1

    def attempt(planes: Planes, side: int) -> Planes | None:
        height, width = planes.shape[2:]
        grown = np.pad(planes, ((0, 0), (0, 0), (0, -height % side), (0, -width % side)), "edge")
        result = run(grown)
        if result.shape[2:] != (grown.shape[2] * factor, grown.shape[3] * factor):
            return None
        return np.ascontiguousarray(result[:, :, : height * factor, : width * factor])

    def run_all(planes: Planes) -> Planes:
        nonlocal multiple
        failure: Exception | None = None
        for side in (multiple, *(m for m in _MULTIPLES if m > multiple)):
            try:
                result = attempt(planes, side)
            except (SrOpsError, RuntimeError) as error:
                failure = failure or error
                continue
            if result is not None:
                multiple = side
                return result
        if failure is not None:
            raise failure
        return run(planes)  # of some other size: what to make of it is up to the caller

    return run_all
