"""One tile of the result: which source pixels it needs, and how they become its pixels.

Two engines with the same two methods. ``Window`` computes any rectangle of the result from a crop:
the operator's part by the operator's own window, the network's part with a margin as wide as it
sees.
``Whole`` runs a model whose receptive field is unknown, operator included, on the whole picture.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sr_ops import _arguments
from sr_ops.imaging.bicubic import Resampling, plain, request
from sr_ops.imaging.geometry import Geometry, Rectangle
from sr_ops.imaging.network import Network
from sr_ops.models.scale_split import remaining_scale
from sr_ops.models.traits import Traits

__all__ = ["Whole", "Window"]

Planes = NDArray[np.float32]


class Whole:
    """The whole picture at once, through the model itself."""

    def __init__(self, geometry: Geometry, network: Network) -> None:
        self.source = _whole(geometry.height, geometry.width)
        self._geometry = geometry
        self._network = network

    def network(self, planes: Planes) -> Planes:
        """(C, h, w) of ``source`` through the network."""
        g = self._geometry
        result: Planes = self._network.run(planes[None], (g.scale_height, g.scale_width))[0]
        if result.shape[1:] == (g.out_height, g.out_width):
            return result
        # A network that nothing is known about: what it makes of the scale is its own affair.
        size = (g.out_height, g.out_width)
        rest = Resampling(result.shape[1:], {"size": size}, {"antialias": True})
        return rest.planes(result, _whole(*result.shape[1:]), _whole(*size))

    def bicubic(self, planes: Planes) -> Planes:
        """(C, h, w) of ``source`` resampled."""
        g = self._geometry
        return plain(g).planes(planes, self.source, _whole(g.out_height, g.out_width))


class Window:
    """A rectangle of the result, from the crop ``source`` of the picture."""

    def __init__(self, geometry: Geometry, network: Network | None, wanted: Rectangle) -> None:
        self._wanted = wanted
        self._plain = plain(geometry)
        self._network = network
        self.source = self._plain.reads(wanted)
        if network is None:
            return
        if network.traits.enlarged_before:
            self._enlarge_before(geometry, network)
        else:
            self._resize_after(geometry, network)

    def _enlarge_before(self, g: Geometry, network: Network) -> None:
        """A network of the enlarged picture sees ``radius`` pixels of the result around."""
        radius = network.traits.radius
        assert radius is not None  # else the network gets the picture whole
        size = (g.out_height, g.out_width)
        self._wide = _piece(_grown(self._wanted, radius, size), network.traits, size)
        self._resampling = Resampling((g.height, g.width), request(g), {})
        self.source = _union(self.source, self._resampling.reads(self._wide))

    def _resize_after(self, g: Geometry, network: Network) -> None:
        """A network of a factor of its own sees ``radius`` pixels of the picture around."""
        factor, radius = network.traits.factor, network.traits.radius
        enlarged = (g.height * factor, g.width * factor)
        kernel = {"cubic_coeff_a": -0.5, "antialias": True, "exclude_outside": True}
        rest = _remaining_request(g, factor)
        self._is_exact = rest in ({"scale": (1.0, 1.0)}, {"size": enlarged})
        self._resampling = Resampling(enlarged, rest, kernel)
        needed = self._resampling.reads(self._wanted)
        seen = Rectangle(*(slice(s.start // factor, math.ceil(s.stop / factor)) for s in needed))
        margin = max(g.height, g.width) if radius is None else radius
        size = (g.height, g.width)
        self.source = _union(self.source, _grown(seen, margin, size))
        self.source = _piece(self.source, network.traits, size)
        rows, columns = self.source
        self._enlarged = Rectangle(
            slice(rows.start * factor, rows.stop * factor),
            slice(columns.start * factor, columns.stop * factor),
        )

    def network(self, planes: Planes) -> Planes:
        """(C, h, w) of ``source`` through the network, cut to the rectangle."""
        assert self._network is not None
        factor = self._network.traits.factor
        if self._network.traits.enlarged_before:
            upscaled = self._resampling.planes(planes, self.source, self._wide)
            result: Planes = self._network.run(upscaled[None], (1.0, 1.0))[0]
            return _cut(result, self._wide, self._wanted)
        enlarged = self._network.run(planes[None], (float(factor), float(factor)))[0]
        if self._is_exact:
            return _cut(enlarged, self._enlarged, self._wanted)
        return self._resampling.planes(enlarged, self._enlarged, self._wanted)

    def bicubic(self, planes: Planes) -> Planes:
        """(C, h, w) of ``source`` resampled to the rectangle."""
        return self._plain.planes(planes, self.source, self._wanted)


def _remaining_request(g: Geometry, factor: int) -> dict[str, tuple[float, float]]:
    """What is left to do after the network: a scale, as the model itself has it, or the size."""
    sides = ((g.height, g.out_height, g.scale_height), (g.width, g.out_width, g.scale_width))
    scales = [remaining_scale(scale, factor, before) for before, _, scale in sides]
    reached = [
        _arguments.output_size(before * factor, rest)
        for (before, _, _), rest in zip(sides, scales, strict=True)
    ]
    if g.by_scale and reached == [g.out_height, g.out_width]:
        return {"scale": (scales[0], scales[1])}
    return {"size": (g.out_height, g.out_width)}


def _whole(height: int, width: int) -> Rectangle:
    return Rectangle(slice(0, height), slice(0, width))


def _grown(part: Rectangle, margin: int, size: tuple[int, int]) -> Rectangle:
    """With a margin on each side, inside a picture of ``size``."""
    rows, columns = (
        slice(max(side.start - margin, 0), min(side.stop + margin, length))
        for side, length in zip(part, size, strict=True)
    )
    return Rectangle(rows, columns)


def _piece(part: Rectangle, traits: Traits, size: tuple[int, int]) -> Rectangle:
    """Grown to what the network takes: not too small, and at multiples or up to the edges."""
    rows, columns = (
        _side(side, traits.multiple, traits.smallest, length)
        for side, length in zip(part, size, strict=True)
    )
    return Rectangle(rows, columns)


def _side(side: slice, multiple: int, smallest: int, length: int) -> slice:
    start = min(side.start, max(0, min(side.stop, length) - smallest)) // multiple * multiple
    stop = max(side.stop, min(start + smallest, length))
    return slice(start, min(-(-stop // multiple) * multiple, length))


def _union(a: Rectangle, b: Rectangle) -> Rectangle:
    """The smallest rectangle around both."""
    rows, columns = (
        slice(min(one.start, other.start), max(one.stop, other.stop))
        for one, other in zip(a, b, strict=True)
    )
    return Rectangle(rows, columns)


def _cut(planes: Planes, held: Rectangle, part: Rectangle) -> Planes:
    """The part of planes that hold the rectangle ``held``."""
    rows, columns = (
        slice(inner.start - outer.start, inner.stop - outer.start)
        for inner, outer in zip(part, held, strict=True)
    )
    return np.asarray(planes[:, rows, columns])
