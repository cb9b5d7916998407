"""Colour and number forms of pictures: whatever comes in becomes float32 in 0..1 and goes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr_ops._masked import refuse_masked
from sr_ops.errors import ImageError, InvalidTypeError
from sr_ops.models.ycbcr import CHROMA_CENTRE, RGB_TO_YCBCR

__all__ = [
    "check_image",
    "from_unit",
    "luma",
    "premultiply",
    "rgb_to_ycbcr",
    "store",
    "to_planes",
    "to_unit",
    "unpremultiply",
    "ycbcr_to_rgb",
]

Image = NDArray[Any]
#: (C, H, W) where a function says so, else any shape.
Planes = NDArray[np.float32]

_RGB_TO_YCBCR = np.array(RGB_TO_YCBCR)
_YCBCR_TO_RGB = np.linalg.inv(_RGB_TO_YCBCR)
#: Half a level of a 16-bit alpha channel.
_INVISIBLE = 0.5 / 65535
_CHROMA_CENTRE = np.float32(CHROMA_CENTRE[1])
#: Whose float32 values take 256 KiB: more steps in the cache, fewer calls.
_BAND_PIXELS = 65536


def check_image(image: Any) -> Image:
    """A picture in a form that the pipeline takes.

    Returns:
        ``image``, (H, W) or (H, W, C) with C of 1, 3 or 4; uint8, uint16, float16, float32 or
        float64.

    Raises:
        InvalidTypeError: not an array, or another dtype.
        ImageError: another shape, or an empty picture.
    """
    refuse_masked("image", image)
    if not isinstance(image, np.ndarray):
        raise InvalidTypeError(f"image: got {type(image).__name__}, expected a numpy array")
    if image.dtype not in (np.uint8, np.uint16) and image.dtype.kind != "f":
        raise InvalidTypeError(f"image: got dtype {image.dtype}, expected uint8, uint16 or float")
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)):
        raise ImageError(
            f"image: got shape {image.shape}, expected (H, W) gray, (H, W, 3) RGB or (H, W, 4) RGBA"
        )
    if image.size == 0:
        raise ImageError(f"image: got shape {image.shape}, expected at least one pixel")
    return image


def to_unit(image: Image) -> Planes:
    """float32, with the range of an integer dtype mapped to 0..1."""
    if image.dtype.kind == "f":
        return image.astype(np.float32)
    return np.asarray(image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max))


def from_unit(image: Planes, dtype: Any) -> Image:
    """The way back: rounded half to even and clamped for an integer dtype, as it is for a float."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return image.astype(dtype)
    top = np.float32(np.iinfo(dtype).max)
    levels = image * top
    np.clip(levels, 0, top, out=levels)
    return np.asarray(np.rint(levels, out=levels), dtype)


def to_planes(image: Image) -> Planes:
    """:func:`to_unit` of (H, W) or (H, W, C) as (C, H, W)."""
    channels = image[..., None] if image.ndim == 2 else image
    top = np.float32(1 if image.dtype.kind == "f" else np.iinfo(image.dtype).max)
    planes = np.empty((channels.shape[2], *image.shape[:2]), np.float32)
    for c, plane in enumerate(planes):
        plane[...] = channels[..., c]
        if top != 1:
            np.divide(plane, top, out=plane)
    return planes


def store(planes: Planes, into: Image) -> None:
    """:func:`from_unit` of (C, H, W) to (H, W) or (H, W, C)."""
    channels = into[..., None] if into.ndim == 2 else into
    for c, plane in enumerate(planes):
        if into.dtype.kind == "f":
            channels[..., c] = plane
            continue
        top = np.float32(np.iinfo(into.dtype).max)
        levels = plane * top
        np.clip(levels, 0, top, out=levels)
        channels[..., c] = np.rint(levels, out=levels)


def premultiply(rgba: Planes) -> None:
    """(4, H, W), in place: colour times alpha. What is transparent has no say in averages of it."""
    rgba[:3] *= rgba[3]


def unpremultiply(rgba: Planes) -> None:
    """In place: colour over alpha, before that is clamped; black where nothing can be seen."""
    alpha = rgba[3]
    hidden = ~(alpha > _INVISIBLE)
    with np.errstate(divide="ignore", invalid="ignore"):
        rgba[:3] /= alpha
    if hidden.any():
        np.copyto(rgba[:3], np.float32(0), where=hidden)
    np.clip(alpha, 0, 1, out=alpha)


def rgb_to_ycbcr(rgb: Planes) -> Planes:
    """(3, H, W) RGB in 0..1 to full-range BT.601 Y, Cb, Cr in 0..1."""
    mixed = _mixed(_RGB_TO_YCBCR, rgb)
    mixed[1:] += _CHROMA_CENTRE
    return mixed


def ycbcr_to_rgb(ycbcr: Sequence[Planes]) -> Planes:
    """The inverse of :func:`rgb_to_ycbcr`, not clamped: three of (H, W) to (3, H, W)."""
    return _mixed(_YCBCR_TO_RGB, ycbcr, (0, _CHROMA_CENTRE, _CHROMA_CENTRE))


def luma(rgb: Planes) -> Planes:
    """(1, H, W) luma of (3, H, W)."""
    return _mixed(_RGB_TO_YCBCR[:1], rgb)


def _mixed(
    matrix: NDArray[Any], planes: Planes | Sequence[Planes], centres: Sequence[Any] = ()
) -> Planes:
    """``matrix @ (planes - centres)`` for planes of (H, W), a few rows at a time.

    Not by a product of matrices: that takes five times as long with so small a matrix, and the
    threads of the library behind it go on spinning when it is done.
    """
    height, width = planes[0].shape
    result = np.empty((len(matrix), height, width), np.float32)
    rounded = matrix.round(7).astype(np.float32)  # zeros where the inverse has 1e-9
    for rows in _bands(height, width):
        band = [plane[rows] for plane in planes]
        product = np.empty_like(band[0])
        for c, centre in enumerate(centres):
            if centre:
                band[c] = band[c] - centre
        for weights, mixture in zip(rounded, result, strict=True):
            total = np.multiply(band[0], weights[0], out=mixture[rows])
            for weight, plane in zip(weights[1:], band[1:], strict=True):
                if weight:
                    total += np.multiply(plane, weight, out=product)
    return result


def _bands(height: int, width: int) -> Iterator[slice]:
    """All rows, in parts that stay in a core's cache while several steps are done to them."""
    rows = max(1, _BAND_PIXELS // width)
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))
