"""Picture files from their bytes to pixels and into every format, as `sr-ops upscale` does it."""

from __future__ import annotations

import contextlib

import numpy as np

from sr_ops.errors import ImageError
from sr_ops.imaging.io import files

LONGEST = 1 << 13  # bytes

_MOST_PIXELS = 1 << 16


def run(data: bytes) -> None:
    try:
        image, container = files.decode(
            data, "input", max_pixels=_MOST_PIXELS, max_bytes=_MOST_PIXELS * 16
        )
    except ImageError:
        return
    assert image.ndim in (2, 3) and image.flags.c_contiguous
    assert image.dtype in (np.uint8, np.uint16, np.float32, np.float64)
    sides = (container.height, container.width)
    assert image.shape[:2] in (sides, sides[::-1]), "another size than was announced"
    for suffix in (".png", ".jpg", ".webp", ".tif", ".bmp"):
        with contextlib.suppress(ImageError, files.InvalidTypeError):
            ours = files.without_idle_alpha(image, f"a{suffix}")
            parts, _ = files.encode(ours, f"a{suffix}", metadata=container.metadata)
            back, _ = files.decode(b"".join(parts), "written", max_pixels=None)
            assert back.shape[:2] == image.shape[:2]
