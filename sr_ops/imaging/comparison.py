"""A labelled side-by-side of the same detail in several pictures, pixel for pixel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sr_ops.errors import InvalidArgumentError
from sr_ops.imaging import colour
from sr_ops.imaging.io.files import opencv
from sr_ops.imaging.pipeline import upscale_image

__all__ = ["Row", "compare", "compare_upscaled", "nearest"]

Image = NDArray[Any]

_MARGIN = 12
_LINE = 26  # pixels of height for a line of text
_BACKGROUND = (250, 250, 250)
_INK = (30, 30, 30)
_MARK = (255, 190, 0)
_OVERVIEW = 640  # pixels of its longer side, at most
_DETAIL = 240  # pixels of a detail's side in the result, at least


class Row(NamedTuple):
    """One line of a comparison: the same detail of pictures that are equally large.

    Attributes:
        title: what the pictures have in common.
        pictures: label -> (H, W, 3) uint8 RGB, all of one size.
        scale: their size relative to the picture in which the detail is given; one number, or
            that of the height and that of the width.
    """

    title: str
    pictures: Mapping[str, Image]
    scale: float | tuple[float, float]


def compare(source: Image, detail: tuple[int, int, int, int], rows: Sequence[Row]) -> Image:
    """Draw the source with the detail marked, and beside it the detail from every picture.

    The details appear pixel for pixel as the pictures have them; a large source is shrunk.

    Args:
        source: (H, W, 3) uint8 RGB, the picture before it was upscaled.
        detail: (top, left, height, width) in pixels of ``source``.
        rows: one or more, drawn from top to bottom.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        InvalidArgumentError: no rows, or a detail that is not inside ``source``.

    >>> dot = np.zeros((8, 8, 3), np.uint8)
    >>> row = Row("x2", {"bicubic": np.zeros((16, 16, 3), np.uint8)}, 2)
    >>> compare(dot, (0, 0, 4, 4), [row]).ndim
    3
    """
    top, left, height, width = detail
    inside = 0 <= top < top + height <= source.shape[0] and 0 <= left < left + width
    if not rows or not inside or left + width > source.shape[1]:
        raise InvalidArgumentError(
            f"detail: got {detail} of a picture of shape {source.shape} in {len(rows)} rows, "
            "expected a rectangle inside it and at least one row"
        )
    marked = _marked(*_overview(source, detail))
    overview = _beneath([_text("the picture, and the detail", marked.shape[1]), marked])
    lines = [_beneath([_line(row, detail), _blank(_MARGIN, 1)]) for row in rows]
    return _framed(_beside([overview, _beneath(lines)]))


def compare_upscaled(
    source: Image, result: Image, label: str, *, channel_order: str = "rgb"
) -> Image:
    """A comparison of one result with bicubic and with the source's own pixels.

    The detail is the square where the source has the most contrast between neighbours.

    Args:
        source: (H, W[, C]) picture before; and
        result: after; uint8 or uint16, gray or with alpha, which is left out.
        label: what to call the result.
        channel_order: "rgb" or "bgr", of both.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    before, after = _rgb8(source, channel_order), _rgb8(result, channel_order)
    size = after.shape[:2]
    scale_h, scale_w = (new / old for new, old in zip(size, before.shape[:2], strict=True))
    pictures = {"nearest": nearest(before, *size)}
    if not label.startswith("bicubic"):
        pictures["bicubic"] = upscale_image(before, size=size, model=None)
    pictures[label] = after
    factors = (
        f"{scale_h:.4g}" if abs(scale_h / scale_w - 1) < 0.01 else f"{scale_h:.4g},{scale_w:.4g}"
    )
    title = f"x{factors}: {size[1]} x {size[0]}"
    side = max(80, round(_DETAIL / max(scale_h, scale_w)))
    return compare(before, _liveliest(before, side), [Row(title, pictures, (scale_h, scale_w))])


def _rgb8(image: Image, channel_order: str) -> Image:
    if image.dtype != np.uint8:
        image = colour.from_unit(np.clip(colour.to_unit(image), 0, 1), np.uint8)
    if image.ndim == 2 or image.shape[2] == 1:
        image = np.repeat(image.reshape(*image.shape[:2], 1), 3, axis=2)
    colours = image[..., :3]
    return np.ascontiguousarray(colours[..., ::-1] if channel_order == "bgr" else colours)


def _liveliest(image: Image, side: int) -> tuple[int, int, int, int]:
    """(top, left, height, width) of the square with the largest differences between neighbours."""
    gray = image.mean(axis=2)
    energy = np.zeros_like(gray)
    energy[1:] += np.abs(np.diff(gray, axis=0))
    energy[:, 1:] += np.abs(np.diff(gray, axis=1))
    height, width = min(side, gray.shape[0]), min(side, gray.shape[1])
    sums = np.pad(energy.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    windows = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width]
    windows = windows + sums[:-height, :-width]
    top, left = np.unravel_index(int(windows.argmax()), windows.shape)
    return int(top), int(left), height, width


def nearest(image: Image, height: int, width: int) -> Image:
    """Every pixel repeated, so that the source's own pixels can be seen."""
    rows = (np.arange(height) + 0.5) * image.shape[0] / height
    columns = (np.arange(width) + 0.5) * image.shape[1] / width
    return np.ascontiguousarray(image[rows.astype(int)][:, columns.astype(int)])


def _line(row: Row, detail: tuple[int, int, int, int]) -> Image:
    scale_h, scale_w = row.scale if isinstance(row.scale, tuple) else (row.scale, row.scale)
    top, height = (round(extent * scale_h) for extent in (detail[0], detail[2]))
    left, width = (round(extent * scale_w) for extent in (detail[1], detail[3]))
    cells = []
    for label, picture in row.pictures.items():
        crop = picture[top : top + height, left : left + width]
        cells.append(_beneath([_text(label, crop.shape[1]), crop]))
    body = _beside(cells)
    return _beneath([_text(row.title, body.shape[1]), body])


def _overview(
    source: Image, detail: tuple[int, int, int, int]
) -> tuple[Image, tuple[int, int, int, int]]:
    """The source no larger than is good to look at, and where the detail lies in it."""
    shrink = _OVERVIEW / max(source.shape[:2])
    if shrink >= 1:
        return source, detail
    top, left, height, width = (round(extent * shrink) for extent in detail)
    overview = upscale_image(source, max_side=_OVERVIEW, model=None)
    return overview, (top, left, max(height, 1), max(width, 1))


def _marked(source: Image, detail: tuple[int, int, int, int]) -> Image:
    top, left, height, width = detail
    marked = source.copy()
    frame = np.zeros(source.shape[:2], bool)
    frame[max(top - 2, 0) : top + height + 2, max(left - 2, 0) : left + width + 2] = True
    frame[top : top + height, left : left + width] = False
    marked[frame] = _MARK
    return np.asarray(marked)


def _text(text: str, width: int) -> Image:
    """A line of text; as wide as asked for, or as the text needs."""
    cv2 = opencv()
    font, size = cv2.FONT_HERSHEY_SIMPLEX, 0.5
    (needed, _), _ = cv2.getTextSize(text, font, size, 1)
    canvas = _blank(_LINE, max(width, needed + 2))
    return np.asarray(cv2.putText(canvas, text, (0, _LINE - 9), font, size, _INK, 1, cv2.LINE_AA))


def _blank(height: int, width: int) -> Image:
    return np.full((height, width, 3), _BACKGROUND, np.uint8)


def _beneath(parts: Sequence[Image]) -> Image:
    width = max(part.shape[1] for part in parts)
    padded = [np.hstack([part, _blank(part.shape[0], width - part.shape[1])]) for part in parts]
    return np.vstack(padded)


def _beside(parts: Sequence[Image]) -> Image:
    height = max(part.shape[0] for part in parts)
    columns: list[Image] = []
    for part in parts:
        columns += [np.vstack([part, _blank(height - part.shape[0], part.shape[1])])]
        columns += [_blank(height, _MARGIN)]
    return np.hstack(columns[:-1])


def _framed(image: Image) -> Image:
    padding = ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN))
    framed = [np.pad(image[..., c], padding, constant_values=_BACKGROUND[c]) for c in range(3)]
    return np.stack(framed, axis=-1)
