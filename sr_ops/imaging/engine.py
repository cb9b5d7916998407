"""One tile of the result: which source pixels it needs, and how they become its pixels.

Two engines with the same two methods. ``Window`` computes any rectangle of the result from a crop:
the operator's part with matrices cut from those of the whole picture, the network's part with a
margin as wide as it sees. ``Whole`` runs a model that sees nobody knows how far, as it is, operator
included, on the whole picture.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sr_ops.imaging import windows
from sr_ops.imaging.bicubic import bicubic_door
from sr_ops.imaging.geometry import Geometry, Rectangle
from sr_ops.imaging.networks import Network
from sr_ops.models.remainder import remaining_scale
from sr_ops.models.traits import Traits

__all__ = ["Whole", "Window"]

Planes = NDArray[np.float32]


class Whole:
    """The whole picture at once, through the model itself."""

    def __init__(self, geometry: Geometry, network: Network) -> None:
        self.source = Rectangle(slice(0, geometry.height), slice(0, geometry.width))
        self._geometry = geometry
        self._network = network

    def network(self, planes: Planes) -> Planes:
        """(C, h, w) of ``source`` through the network."""
        g = self._geometry
        result: Planes = self._network.run(planes[None], (g.scale_height, g.scale_width))[0]
        if result.shape[1:] == (g.out_height, g.out_width):
            return result
        # A network that nothing is known about: what it makes of the scale is its own affair.
        rows, columns = (
            windows.cut(windows.Axis(source, target, target / source, antialias=True), 0, target)
            for source, target in zip(result.shape[1:], (g.out_height, g.out_width), strict=True)
        )
        return windows.resample(result, rows, columns)

    def bicubic(self, planes: Planes) -> Planes:
        """(C, h, w) of ``source`` resampled."""
        image = np.ascontiguousarray(planes.transpose(1, 2, 0))
        resample = bicubic_door("auto")
        return np.asarray(resample(image, self._geometry).transpose(2, 0, 1))


class Window:
    """A rectangle of the result, from the crop ``source`` of the picture."""

    def __init__(self, geometry: Geometry, network: Network | None, target: Rectangle) -> None:
        traits = network.traits if network else None
        g = geometry
        self._rows = _Axis(g.height, g.out_height, g.scale_height, target.rows, traits)
        self._columns = _Axis(g.width, g.out_width, g.scale_width, target.columns, traits)
        self._network = network
        self.source = Rectangle(self._rows.source, self._columns.source)

    def network(self, planes: Planes) -> Planes:
        """(C, h, w) of ``source`` through the network, cut to the rectangle."""
        assert self._network is not None
        factor = self._network.traits.factor
        if factor == 1:
            upscaled = windows.resample(planes, self._rows.wide, self._columns.wide)
            result: Planes = self._network.run(upscaled[None], (1.0, 1.0))[0]
            return np.asarray(result[:, self._rows.inner, self._columns.inner])
        enlarged = self._network.run(planes[None], (float(factor), float(factor)))[0]
        if self._rows.exact and self._columns.exact:
            return np.asarray(enlarged[:, self._rows.exact, self._columns.exact])
        crop = enlarged[:, self._rows.inner, self._columns.inner]
        return windows.resample(crop, self._rows.wide, self._columns.wide)

    def bicubic(self, planes: Planes) -> Planes:
        """(C, h, w) of ``source`` resampled to the rectangle."""
        rows, columns = self._rows.narrow, self._columns.narrow
        crop = planes[:, rows.start : rows.stop, columns.start : columns.stop]
        return windows.resample(crop, rows, columns)


class _Axis:
    """One axis of a window.

    Attributes:
        source: elements of the picture that are needed.
        narrow: plain bicubic, relative to ``source``.
        wide: the operator beside the network, relative to what is resampled.
        inner: factor 1: the window in the network's output; else: what ``wide`` needs of it.
        exact: the window in the network's output, where its factor is the scale.
    """

    def __init__(
        self, source: int, target: int, scale: float, window: slice, traits: Traits | None
    ) -> None:
        plain = windows.Axis(source, target, scale, antialias=True)
        narrow = windows.cut(plain, window.start, window.stop)
        start, stop = narrow.start, narrow.stop
        if traits is not None and traits.factor == 1:
            assert traits.radius is not None  # else the network gets the picture whole
            radius = traits.radius
            first, last = max(window.start - radius, 0), min(window.stop + radius, target)
            wide = windows.cut(windows.Axis(source, target, scale), first, last)
            start, stop = min(start, wide.start), max(stop, wide.stop)
            self.wide = _padded(wide, start, stop)
            self.inner = slice(window.start - first, window.stop - first)
        elif traits is not None:
            factor = traits.factor
            radius = traits.radius if traits.radius is not None else source
            rest_scale = remaining_scale(scale, factor, source)  # as the model itself has it
            rest = windows.Axis(source * factor, target, rest_scale, -0.5, True, True)
            self.wide = windows.cut(rest, window.start, window.stop)
            start = min(start, max(self.wide.start // factor - radius, 0))
            stop = max(stop, min(math.ceil(self.wide.stop / factor) + radius, source))
            offset = start * factor
            self.inner = slice(self.wide.start - offset, self.wide.stop - offset)
            self.exact = (
                slice(window.start - offset, window.stop - offset) if rest_scale == 1 else None
            )
        self.source = slice(start, stop)
        self.narrow = windows.AxisWindow(narrow.start - start, narrow.stop - start, narrow.matrix)


def _padded(window: windows.AxisWindow, start: int, stop: int) -> windows.AxisWindow:
    """The same weights for a longer run of source elements."""
    columns = ((0, 0), (window.start - start, stop - window.stop))
    return windows.AxisWindow(0, stop - start, np.pad(window.matrix, columns))
