"""``upscale_image``, plain bicubic, on one picture in several forms of number and channels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from measure import Contender

import sr_ops

HEIGHT, WIDTH, SCALE = 800, 1200, 2
FORMS = {
    "uint8 RGB": (np.uint8, 3),
    "uint16 RGB": (np.uint16, 3),
    "uint8 RGBA, opaque": (np.uint8, 4),
    "uint8 RGBA, half transparent": (np.uint8, 4),
}


def whole_pictures(threads: int) -> Iterator[tuple[dict[str, Any], dict[str, Contender]]]:
    """All forms are contenders of one case: their ratios are what is asked for."""
    contenders = {form: _upscaling(form, *what) for form, what in FORMS.items()}
    yield {"shape": [HEIGHT, WIDTH], "scale": SCALE, "threads": threads}, contenders


def _upscaling(form: str, dtype: type[np.integer[Any]], channels: int) -> Contender:
    most = int(np.iinfo(dtype).max)
    picture = np.random.default_rng(0).integers(0, most, (HEIGHT, WIDTH, channels), dtype, True)
    if form.endswith("opaque"):
        picture[..., 3] = most
    return lambda: sr_ops.upscale_image(picture, SCALE, model="bicubic")
