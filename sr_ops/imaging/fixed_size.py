"""A network that takes pictures of one size only, for pictures of every size: in windows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sr_ops.errors import InvalidArgumentError

__all__ = ["in_windows"]

Planes = NDArray[np.float32]


def in_windows(
    run: Callable[[Planes], Planes],
    size: tuple[int, int],
    factor: int,
    margin: int,
    multiple: int = 1,
) -> Callable[[Planes], Planes]:
    """What runs a network of one size on planes of every size.

    A picture that is smaller is continued by its last pixels. A larger one is covered by windows,
    of which each gives what lies at least ``margin`` from its edges, and everything up to the
    picture's own edges.

    Args:
        run: (1, C, *size) to (1, C', factor * H, factor * W).
        size: (H, W) that it takes.
        factor: by which it enlarges.
        margin: pixels.
        multiple: at multiples of it windows begin.

    Raises:
        InvalidArgumentError: nothing of a window is left within its margins.

    >>> double = in_windows(lambda x: x.repeat(2, 2).repeat(2, 3), (8, 8), 2, 2)
    >>> double(np.zeros((1, 3, 5, 30), np.float32)).shape
    (1, 3, 10, 60)
    """
    if min(size) - 2 * margin < multiple:
        raise InvalidArgumentError(
            f"overlap: {margin} pixels on each side leave nothing of the network's {size[1]} x "
            f"{size[0]}; pass a smaller one, at most {max(0, (min(size) - multiple) // 2)}"
        )

    def run_all(planes: Planes) -> Planes:
        height, width = planes.shape[2:]
        missing = [
            side - length if length < side else (side - length) % multiple
            for side, length in zip(size, (height, width), strict=True)
        ]
        planes = np.pad(planes, ((0, 0), (0, 0), (0, missing[0]), (0, missing[1])), "edge")
        result: Planes | None = None
        for top, rows in _windows(planes.shape[2], size[0], margin, multiple):
            for left, columns in _windows(planes.shape[3], size[1], margin, multiple):
                window = planes[:, :, top : top + size[0], left : left + size[1]]
                part = run(np.ascontiguousarray(window))
                if result is None:
                    shape = (*part.shape[:2], planes.shape[2] * factor, planes.shape[3] * factor)
                    result = np.empty(shape, part.dtype)
                result[:, :, _times(rows, factor), _times(columns, factor)] = part[
                    :,
                    :,
                    _times(rows, factor, top),
                    _times(columns, factor, left),
                ]
        assert result is not None
        return np.ascontiguousarray(result[:, :, : height * factor, : width * factor])

    return run_all


def _windows(length: int, side: int, margin: int, multiple: int) -> list[tuple[int, slice]]:
    """Where windows begin, and which part of the result each gives."""
    step = (side - 2 * margin) // multiple * multiple
    starts = [*range(0, length - side, step), length - side]
    bounds = [0, *(start + margin for start in starts[1:]), length]
    return [(s, slice(bounds[i], bounds[i + 1])) for i, s in enumerate(starts)]


def _times(part: slice, factor: int, origin: int = 0) -> slice:
    return slice((part.start - origin) * factor, (part.stop - origin) * factor)
