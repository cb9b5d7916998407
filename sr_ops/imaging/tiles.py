"""Into how many rectangles the result is cut, so that memory stays bounded."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path

from sr_ops import _arguments
from sr_ops.errors import InvalidArgumentError, InvalidTypeError
from sr_ops.imaging.geometry import Geometry, Rectangle
from sr_ops.models.traits import Traits

__all__ = [
    "DEFAULT_MEMORY",
    "available_memory",
    "bands",
    "check",
    "fits_whole",
    "plan",
    "whole_bytes",
]

DEFAULT_MEMORY = 1 << 30  # bytes
SMALLEST_TILE = 16  # pixels of the result

#: Bytes for each pixel of the result in the float pictures and matrices around a network.
_PIPELINE_BYTES = 100
#: Pixels of the result whose few float planes stay in a processor's second-level cache.
_BAND = 1 << 16
#: A runtime's workspace and copies, as a multiple of two neighbouring layers' activations.
_WORKSPACE = 2


def plan(
    geometry: Geometry, traits: Traits | None, tile: int | str | None, max_memory: int
) -> list[Rectangle]:
    """Rectangles that cover the result, row by row.

    Args:
        geometry: sizes.
        traits: of the network, if there is one; where it does not say how far it sees, its tiles
            have no margin.
        tile: side of the rectangles in pixels of the result, None for one rectangle, or "auto": as
            large as ``max_memory`` allows.
        max_memory: bytes for what one rectangle needs while it is computed.

    Raises:
        InvalidArgumentError, InvalidTypeError: a bad ``tile`` or ``max_memory``.

    >>> from sr_ops.imaging.geometry import resolve
    >>> [r.columns for r in plan(resolve((10, 30), scale=2), None, 40, DEFAULT_MEMORY)]
    [slice(0, 40, None), slice(40, 60, None)]
    """
    check(tile, max_memory)
    height, width = geometry.out_height, geometry.out_width
    if tile == "auto":
        side = _affordable(geometry, traits, max_memory)
    elif tile is None:
        side = max(height, width)
    else:
        side = _checked_tile(tile)
    return [
        Rectangle(slice(top, min(top + side, height)), slice(left, min(left + side, width)))
        for top in range(0, height, side)
        for left in range(0, width, side)
    ]


def bands(rectangle: Rectangle) -> Iterator[Rectangle]:
    """A rectangle in pieces of whole rows, each small enough for a processor's caches.

    >>> [b.rows for b in bands(Rectangle(slice(0, 40), slice(0, 4096)))]
    [slice(0, 16, None), slice(16, 32, None), slice(32, 40, None)]
    """
    rows, columns = rectangle
    step = max(_BAND // (columns.stop - columns.start), SMALLEST_TILE)
    for top in range(rows.start, rows.stop, step):
        yield Rectangle(slice(top, min(top + step, rows.stop)), columns)


def fits_whole(geometry: Geometry, traits: Traits, tile: int | str | None, max_memory: int) -> bool:
    """Whether the result is one piece, as far as is known without the margin.

    Args:
        geometry: sizes.
        traits: of the network.
        tile, max_memory: as :func:`plan` has them.

    Raises:
        InvalidArgumentError, InvalidTypeError: as :func:`plan`.
    """
    _check_memory(max_memory)
    if tile is None:
        return True
    longest = max(geometry.out_height, geometry.out_width)
    if tile != "auto":
        return _checked_tile(tile) >= longest
    return whole_bytes(geometry, traits) <= max_memory


def check(tile: int | str | None, max_memory: int) -> None:
    """Whether both are what :func:`plan` takes.

    Raises:
        InvalidArgumentError, InvalidTypeError: one is not.
    """
    _check_memory(max_memory)
    if tile is not None and tile != "auto":
        _checked_tile(tile)


def _check_memory(max_memory: int) -> None:
    if isinstance(max_memory, bool) or not isinstance(max_memory, int):
        raise InvalidTypeError(
            f"max_memory: got {_arguments.shown(max_memory)}, expected a number of bytes"
        )
    if max_memory < 1:
        raise InvalidArgumentError(
            f"max_memory: got {_arguments.shown(max_memory)}, expected at least 1"
        )


def _checked_tile(tile: int | str) -> int:
    if isinstance(tile, bool) or not isinstance(tile, int):
        raise InvalidTypeError(
            f"tile: got {_arguments.shown(tile)}, expected an integer, 'auto' or None"
        )
    if tile < SMALLEST_TILE:
        raise InvalidArgumentError(
            f"tile: got {_arguments.shown(tile)}, expected at least {SMALLEST_TILE}"
        )
    return tile


def _affordable(geometry: Geometry, traits: Traits | None, max_memory: int) -> int:
    """The largest side whose rectangle, margins included, fits into ``max_memory``."""
    if whole_bytes(geometry, traits) <= max_memory:
        return max(geometry.out_height, geometry.out_width)  # no margins beyond the picture
    margin = _margin(geometry, traits)
    per_pixel = _bytes_per_pixel(geometry, traits)
    longest = int(math.sqrt(max_memory / per_pixel))
    if longest - 2 * margin >= SMALLEST_TILE:
        return longest - 2 * margin
    least = (SMALLEST_TILE + 2 * margin) ** 2 * per_pixel
    fitting = [
        overlap
        for overlap in range(traits.radius or 0 if traits else 0)
        if longest - 2 * _margin(geometry, traits, overlap) >= SMALLEST_TILE
    ]
    raise InvalidArgumentError(
        f"max_memory: {max_memory} bytes are too little for this model and scale; pass at least "
        f"{math.ceil(least / 2**20)} MiB (--max-memory {math.ceil(least / 2**20)}M, times --jobs)"
        + (f", or overlap (--overlap) {fitting[-1]}, with which seams may show" if fitting else "")
    )


def _margin(geometry: Geometry, traits: Traits | None, radius: int | None = None) -> int:
    """Pixels of the result around a rectangle for which the network works, too."""
    if traits is None:
        return 0
    margin = (radius if radius is not None else traits.radius or 0) + traits.multiple - 1
    if traits.enlarged_before:
        return margin
    # Its convolutions see the small picture.
    return math.ceil(margin * max(geometry.scale_height, geometry.scale_width))


def whole_bytes(geometry: Geometry, traits: Traits | None) -> float:
    """What the result in one piece needs while it is computed."""
    return geometry.out_height * geometry.out_width * _bytes_per_pixel(geometry, traits)


def _bytes_per_pixel(geometry: Geometry, traits: Traits | None) -> float:
    """Of the result, while it is computed."""
    if traits is None:
        return _PIPELINE_BYTES
    network_bytes = 4.0 * traits.memory * _WORKSPACE
    if not traits.enlarged_before:
        network_bytes /= geometry.scale_height * geometry.scale_width
    return network_bytes + _PIPELINE_BYTES


def available_memory() -> int:
    """Bytes of memory that a result may take here; without a limit where nobody says."""
    return min(_limits(), default=2**63)


def _limits() -> Iterator[int]:
    """What the machine has, what of it is free (Linux), what the container may use (cgroup v2)."""
    with contextlib.suppress(AttributeError, ValueError, OSError):
        yield os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, KeyError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        kibibytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
        yield (kibibytes["MemAvailable"] + kibibytes["SwapFree"]) * 1024
    with contextlib.suppress(OSError, ValueError):  # "max" where there is no limit
        yield int(Path("/sys/fs/cgroup/memory.max").read_text())
