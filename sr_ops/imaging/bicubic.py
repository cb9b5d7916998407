"""Plain bicubic through the numpy front end: whole pictures, and any part of a result from a crop.

What is computed in parts has the bits of the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import sr_ops.numpy
from sr_ops.errors import InvalidArgumentError
from sr_ops.imaging.geometry import Geometry, Rectangle

__all__ = ["BACKENDS", "Resampling", "check_backend", "plain", "request", "resample_image"]

Image = NDArray[Any]
Planes = NDArray[np.float32]

BACKENDS = ("auto", "numpy", "torch", "ort")


def check_backend(backend: str) -> None:
    """Backends run networks; bicubic is the numpy front end's, whichever is named.

    Raises:
        InvalidArgumentError: an unknown backend.
    """
    if backend not in BACKENDS:
        raise InvalidArgumentError(
            f"backend: got {backend!r}, expected one of {', '.join(BACKENDS)}"
        )


class Resampling(NamedTuple):
    """The operator from one picture to another.

    Attributes:
        source: (H, W) before, in pixels.
        request: ``scale`` or ``size``, as the operator has them.
        attributes: further keywords of the operator.
    """

    source: tuple[int, int]
    request: Mapping[str, Any]
    attributes: Mapping[str, Any]

    def reads(self, window: Rectangle) -> Rectangle:
        """The part of the source that a part of the result needs.

        >>> Resampling((100, 100), {"scale": 2}, {}).reads(Rectangle(slice(50, 52), slice(0, 200)))
        Rectangle(rows=slice(23, 28, None), columns=slice(0, 100, None))
        """
        top, left, height, width = sr_ops.numpy.source_rectangle(
            self.source, **self.request, window=_box(window), **self.attributes
        )
        return Rectangle(slice(top, top + height), slice(left, left + width))

    def planes(self, planes: Planes, held: Rectangle, window: Rectangle) -> Planes:
        """A part of the result.

        Args:
            planes: (C, h, w), the part ``held`` of the source.
            held: holds what ``window`` needs.
            window: the part of the result.
        """
        result: Planes = sr_ops.numpy.dynamic_upscale(
            planes[None],
            **self.request,
            window=_box(window),
            crop=(held.rows.start, held.columns.start),
            source_size=self.source,
            **self.attributes,
        )[0]
        return result


def plain(geometry: Geometry) -> Resampling:
    """A picture resized, antialiased where it shrinks."""
    source = (geometry.height, geometry.width)
    return Resampling(source, request(geometry), {"antialias": True})


def request(geometry: Geometry) -> dict[str, Any]:
    """What the operator is asked for: the scale, or the size where that was given."""
    if geometry.by_scale:
        return {"scale": (geometry.scale_height, geometry.scale_width)}
    return {"size": (geometry.out_height, geometry.out_width)}


def resample_image(image: Image, geometry: Geometry) -> Image:
    """A whole picture, (H, W) or (H, W, C), of any dtype that the numpy front end takes."""
    layout = "HWC" if image.ndim == 3 else "HW"
    return sr_ops.numpy.dynamic_upscale(image, **request(geometry), layout=layout, antialias=True)


def _box(window: Rectangle) -> tuple[int, int, int, int]:
    """(top, left, height, width)."""
    rows, columns = window
    return rows.start, columns.start, rows.stop - rows.start, columns.stop - columns.start
