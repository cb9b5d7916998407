"""Colour under transparency, so that a network sees no rim where a thing ends.

A network takes colour as it stands in the picture, and what stands under a transparent pixel is
anything, mostly black. So the colours that can be seen are extended outward, as far as a network
looks, before it gets them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr_ops.imaging import colour

__all__ = ["extend_colours", "is_opaque", "is_transparent"]

Image = NDArray[Any]
Plane = NDArray[np.float32]

#: Of full opacity: below it a pixel's colour is known too badly to be shown to a network.
_FAINT = np.float32(8 / 255)
#: Halvings: colours reach 2**4 pixels and more outward.
_LEVELS = 4
_BAND = 256  # rows at a time, a multiple of 2**_LEVELS
_MARGIN = 64  # rows beside them, from which colours can come


def is_opaque(image: Image) -> bool:
    """Whether the alpha channel of (H, W, 4) hides nothing."""
    top = 1 if image.dtype.kind == "f" else np.iinfo(image.dtype).max
    return bool((image[..., 3] >= top).all())


def is_transparent(image: Image) -> bool:
    """Whether the alpha channel of (H, W, 4) hides everything."""
    return not bool((image[..., 3] > 0).any())


def extend_colours(image: Image) -> Image:
    """(H, W, 4) whose transparent pixels have the colours of what is seen beside them.

    Every pixel's colour depends on those near it alone, so that a band at a time can be done.

    >>> picture = np.zeros((1, 3, 4), np.uint8)
    >>> picture[0, 0] = 230, 40, 40, 255
    >>> extend_colours(picture)[0, 1].tolist()
    [230, 40, 40, 0]
    """
    result: Image = image.copy()
    for top in range(0, len(image), _BAND):
        first, last = max(top - _MARGIN, 0), min(top + _BAND + _MARGIN, len(image))
        band = colour.to_unit(image[first:last])
        alpha = np.clip(band[..., 3], 0, 1)
        faint = alpha[top - first : top - first + _BAND] <= _FAINT
        if not faint.any() or (alpha <= _FAINT).all():
            continue
        filled = _filled(band[..., :3], alpha, _LEVELS)[top - first : top - first + _BAND]
        rows = result[top : top + _BAND]
        rows[..., :3][faint] = colour.from_unit(filled[faint], image.dtype)
    return result


def _filled(rgb: Plane, alpha: Plane, levels: int) -> Plane:
    """Colours where alpha is faint, from the 3 x 3 pixels around, or from a coarser picture."""
    weighted = np.concatenate([rgb * alpha[..., None], alpha[..., None]], axis=-1)
    around = _sums_around(weighted)
    near = around[..., 3:] > _FAINT
    mean = np.divide(around[..., :3], around[..., 3:], out=rgb.copy(), where=near)
    if levels:
        pairs = np.pad(weighted, ((0, len(rgb) % 2), (0, rgb.shape[1] % 2), (0, 0)))
        blocks = pairs[::2, ::2] + pairs[1::2, ::2] + pairs[::2, 1::2] + pairs[1::2, 1::2]
        weight = blocks[..., 3]
        colours = np.divide(
            *(blocks[..., :3], weight[..., None]),
            out=np.zeros_like(blocks[..., :3]),
            where=weight[..., None] > 0,
        )
        coarse = _filled(colours, np.minimum(weight, 1), levels - 1)
        far = coarse.repeat(2, axis=0).repeat(2, axis=1)[: len(rgb), : rgb.shape[1]]
        mean = np.where(near, mean, far)
    return np.asarray(np.where(alpha[..., None] > _FAINT, rgb, mean))


def _sums_around(planes: Plane) -> Plane:
    padded = np.pad(planes, ((1, 1), (1, 1), (0, 0)))
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return np.asarray(rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:])
