"""The structure of picture files: containers, profiles, EXIF, PNG's chunks; and their rewriting.

Any bytes are described or refused by an ImageError. What a file says beside its pixels is put into
a picture of every format, must come out of it unchanged, and goes on unchanged from there.
"""

from __future__ import annotations

import contextlib

import numpy as np

from sr_ops.errors import ImageError
from sr_ops.imaging.io import containers, embedding
from sr_ops.imaging.io.files import encode_image
from sr_ops.imaging.io.limits import DEFAULT_MAX_PIXELS, check_cost
from sr_ops.imaging.io.metadata import Metadata

LONGEST = 1 << 14  # bytes

_FORMS = (
    ("a.png", (3, 2, 3), None),
    ("a.png", (3, 2), None),
    ("a.jpg", (3, 2, 3), None),
    ("a.webp", (3, 2, 4), None),
    ("a.webp", (3, 2, 3), 80),
    ("a.tif", (3, 2, 3), None),
    ("a.bmp", (3, 2, 3), None),
)
_ENCODED = [
    (encode_image(np.zeros(shape, np.uint8), name, quality=quality), shape)
    for name, shape, quality in _FORMS
]


def run(data: bytes) -> None:
    try:
        container = containers.inspect(data, "input")
    except ImageError:
        return
    if container.kind == "tiff":
        assert len(containers.stored_tiff(data)) == len(data)
    assert 1 <= container.orientation <= 8
    assert min(container.width, container.height, container.pixel_bytes, container.pages) >= 0
    with contextlib.suppress(ImageError):
        check_cost(container, "input", DEFAULT_MAX_PIXELS, 1 << 30, len(data))
    container.metadata.misread()
    for metadata in (container.metadata, container.metadata.stripped()):
        for encoded, shape in _ENCODED:
            _embed(metadata, encoded, shape)


def _embed(metadata: Metadata, encoded: bytes, shape: tuple[int, ...]) -> None:
    parts, lost = embedding.embed(memoryview(encoded), metadata, shape)
    written = containers.inspect(b"".join(parts), "written")
    assert (written.width, written.height, written.orientation) == (shape[1], shape[0], 1)
    if not lost:
        assert written.metadata.profile == metadata.profile
        assert written.metadata.xmp == metadata.xmp
        assert written.metadata.iptc == metadata.iptc
        assert written.metadata.text == metadata.text
    # What is rounded, as fractions are, is rounded once.
    once, twice = written.metadata, None
    for _ in range(2):
        parts, _ = embedding.embed(memoryview(encoded), twice or once, shape)
        once, twice = twice or once, containers.inspect(b"".join(parts), "again").metadata
    assert once == twice, "unstable"
