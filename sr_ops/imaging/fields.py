"""How far a network sees, found out from the network itself.

First its structure: which outputs can depend on which pixels, by a run in which every pixel from
some column on is NaN. Then its values: what it makes of a part of a noisy picture must be the part
of what it makes of the whole. Only a network that passes both can be cut into tiles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sr_ops.errors import SrOpsError

__all__ = ["Field", "find_field"]

Planes = NDArray[np.float32]
Run = Callable[[Planes], Planes]

#: Pixels of a strip across and, at most, along: a network that sees farther than half of the
#: longest is as good as one that sees everything.
_ACROSS = 64
_LENGTHS = (128, 256, 512)
#: Pieces may have to begin at multiples of one of these: strides, pixels in channels, windows.
_MULTIPLES = (1, 2, 4, 8, 16, 32, 64)
#: Of the largest value of the result, by which a part may differ from the whole.
_TOLERANCE = 1e-5


class Field(NamedTuple):
    """How a network looks at a picture, in pixels of what its convolutions see.

    Attributes:
        radius: how far an output pixel sees.
        multiple: at multiples of which a part of a picture must begin.
    """

    radius: int
    multiple: int


def find_field(
    structure: Run,
    run: Run,
    channels: int,
    factor: int,
    *,
    size: tuple[int, int] | None = None,
    least: int = 1,
) -> Field | None:
    """How far a network sees; None where that is the whole picture, or cannot be told.

    Args:
        structure: the network without its values: (1, channels, H, W) to (1, C, factor * H,
            factor * W), NaN where the result depends on a NaN.
        run: the network.
        channels: that it takes.
        factor: by which it enlarges.
        size: (H, W), of a network that takes no other.
        least: a multiple that it is known to want.
    """
    try:
        radius = _radius(structure, channels, factor, size)
        if radius is None:
            return None
        for multiple in (m for m in _MULTIPLES if m % least == 0):
            if _parts_agree(run, channels, factor, Field(radius, multiple), size):
                return Field(radius, multiple)
    except (SrOpsError, RuntimeError, ValueError, IndexError, AssertionError):
        pass  # a network that refuses the strips: nothing is known of it
    return None


def _radius(structure: Run, channels: int, factor: int, size: tuple[int, int] | None) -> int | None:
    shapes = [size] if size else [(_ACROSS, length) for length in _LENGTHS]
    radius = 0
    for turned in (False, True):
        reach = None
        for shape in shapes:
            along = shape if size or not turned else shape[::-1]
            reach = _reach(structure, channels, factor, along, axis=2 if turned else 3)
            if reach is not None:
                break
        if reach is None:
            return None
        radius = max(radius, reach)
    return radius


def _reach(
    structure: Run, channels: int, factor: int, shape: tuple[int, int], axis: int
) -> int | None:
    """How far unknown pixels beyond a line are felt on its other side; None: up to the end."""
    length = shape[axis - 2]
    line = length // 2
    reaches = []
    for unknown in (slice(line, None), slice(0, line)):
        planes = np.zeros((1, channels, *shape), np.float32)
        np.moveaxis(planes, axis, 0)[unknown] = np.nan
        result = np.isnan(structure(planes))
        marked = np.flatnonzero(result.any(axis=tuple(a for a in range(4) if a != axis)))
        if result.shape[axis] != length * factor or not len(marked):
            return None
        first, last = marked[0], marked[-1]
        if unknown.start:
            clean, reach = first, line - first // factor
        else:
            clean, reach = result.shape[axis] - 1 - last, last // factor + 1 - line
        if clean <= 0:
            return None
        reaches.append(int(reach))
    return max(0, *reaches)


def _parts_agree(
    run: Run, channels: int, factor: int, field: Field, size: tuple[int, int] | None
) -> bool:
    """Whether two pictures that share a part, ``multiple`` pixels apart, give the same for it."""
    rng = np.random.default_rng(0)
    edge, step = field.radius * factor, field.multiple * factor
    for axis in (2, 3):
        shape = list(size or (_ACROSS, _ACROSS))
        if size is None:
            shape[axis - 2] = -(-(2 * field.radius + field.multiple + 32) // 64) * 64
        large = list(shape)
        large[axis - 2] += field.multiple
        noise = rng.random((channels, *large), np.float32)
        first, second = (
            np.moveaxis(run(np.ascontiguousarray(_part(noise, axis, begin, shape)[None])), axis, 0)
            for begin in (0, field.multiple)
        )
        first = first[step + edge : len(first) - edge]
        second = second[edge : len(second) - step - edge]
        if first.shape != second.shape or not len(first) or not np.isfinite(first).all():
            return False
        limit = _TOLERANCE * max(1.0, float(np.abs(first).max()))
        if float(np.abs(first - second).max()) > limit:
            return False
    return True


def _part(noise: Planes, axis: int, begin: int, shape: list[int]) -> Planes:
    return noise[:, begin : begin + shape[0]] if axis == 2 else noise[..., begin : begin + shape[1]]
