"""A page to look at: each picture by each model, beside bicubic, under one slider and one zoom."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sr_ops.errors import ImageError
from sr_ops.imaging import colour, evaluation
from sr_ops.imaging.io.files import encode_image

__all__ = ["Compared", "numbers", "page"]

_TEMPLATE = Path(__file__).parent / "pages" / "compare.html"

Image = NDArray[Any]


class Compared(NamedTuple):
    """A picture's results, all of one size.

    Attributes:
        name: of its file.
        small: (height, width) of the source.
        before: plain bicubic's result, uint8 or uint16, gray, RGB or RGBA.
        results: (model, result, numbers), one for each model.
        profile: ICC colour profile of all of them.
    """

    name: str
    small: tuple[int, int]
    before: Image
    results: Sequence[tuple[str, Image, str]]
    profile: bytes | None = None


def page(pictures: Sequence[Compared]) -> str:
    """One HTML file that holds everything it shows.

    >>> dot = np.zeros((4, 6, 3), np.uint8)
    >>> html = page([Compared("dot.png", (2, 3), dot, [("espcn_x3", dot, "")])])
    >>> html.count("data:image/png;base64,"), "@DATA@" in html
    (2, False)
    """
    data = json.dumps([_described(picture) for picture in pictures])
    # "</script>" in a file's name must not end the element.
    return _TEMPLATE.read_text(encoding="utf-8").replace("@DATA@", data.replace("<", "\\u003c"))


def _described(picture: Compared) -> dict[str, Any]:
    height, width = picture.before.shape[:2]
    small_height, small_width = picture.small
    return {
        "name": picture.name,
        "title": f"{picture.name}: {small_width} x {small_height} -> {width} x {height}",
        "width": width,
        "height": height,
        "before": _address(picture.before, picture.profile),
        "results": [
            {"model": model, "image": _address(image, picture.profile), "numbers": said}
            for model, image, said in picture.results
        ],
    }


def _address(image: Image, profile: bytes | None) -> str:
    """A picture inside the page; browsers show eight bits."""
    shown = _eight_bits(image)
    png = encode_image(shown, "picture.png", profile=profile)
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _eight_bits(image: Image) -> Image:
    if image.dtype == np.uint8:
        return image
    return np.asarray(colour.from_unit(colour.to_unit(image), np.dtype(np.uint8)))


def numbers(result: Image, original: Image, scale: float, name: str) -> str:
    """How near a result is to the picture that it should be, as papers measure it.

    Args:
        result, original: RGB or gray.
        scale: the factor; a border as wide is left out.
        name: what errors call the original.

    Raises:
        ImageError: the two are of different sizes, or too small to compare.
    """
    if result.shape[:2] != original.shape[:2]:
        raise ImageError(
            f"{name}: {original.shape[1]} x {original.shape[0]} pixels, but the result has "
            f"{result.shape[1]} x {result.shape[0]}; give the original, or --width and --height"
        )
    lumas = (evaluation.luma(_eight_bits(image)) for image in (result, original))
    first, second = (evaluation.shave(image, scale) for image in lumas)
    return f"{evaluation.psnr(first, second):.2f} dB, SSIM {evaluation.ssim(first, second):.4f}"
