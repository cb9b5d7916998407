"""Whether a JPEG is whole and of an ordinary kind, from its markers (ITU-T T.81, annex B).

Stricter than decoders are: for those that hang or end the process where a file does not go on.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from sr_ops.errors import ImageError

__all__ = ["check_jpeg"]

_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # DHT, JPG and DAC are none
_QUANTIZATION_TABLES, _SCAN, _END = 0xDB, 0xDA, 0xD9


def check_jpeg(data: bytes, name: str) -> None:
    """Refuse a JPEG that is not whole, or not of the kind that every decoder knows.

    Raises:
        ImageError: cut short or damaged; not 8 bits, Huffman-coded, baseline or progressive; or of
            other than one or three components.
    """
    seen: set[int] = set()
    scanned: set[int] = set()
    try:
        for code, body in _segments(data, name):
            if code in _FRAMES:
                if seen & _FRAMES:
                    raise ImageError(f"{name}: a damaged JPEG: two frame headers")
                _check_frame(code, body, name)
            if code == _SCAN and not (seen & _FRAMES and _QUANTIZATION_TABLES in seen):
                raise ImageError(f"{name}: a damaged JPEG: a scan before its tables and header")
            if code == _SCAN and _PROGRESSIVE not in seen:
                components = body[1 : 1 + 2 * body[0] : 2]
                if scanned & {*components}:
                    raise ImageError(f"{name}: a damaged JPEG: a component is scanned twice")
                scanned.update(components)
            seen.add(code)
    except (struct.error, IndexError):
        raise ImageError(f"{name}: the file is cut short") from None
    if _SCAN not in seen:
        raise ImageError(f"{name}: a damaged JPEG: it has no picture")


def _segments(data: bytes, name: str) -> Iterator[tuple[int, bytes]]:
    """Marker codes and what belongs to them, up to the end of the image."""
    position = 2
    while True:
        while data[position + 1] == 0xFF:  # fill bytes
            position += 1
        marker, code = data[position], data[position + 1]
        if marker != 0xFF:
            raise ImageError(f"{name}: a damaged JPEG")
        if code == _END:
            return
        (length,) = struct.unpack_from(">H", data, position + 2)
        end = position + 2 + length
        if length < 2 or end > len(data):
            raise ImageError(f"{name}: the file is cut short")
        yield code, data[position + 4 : end]
        position = _after_entropy_coded(data, end, name) if code == _SCAN else end


def _after_entropy_coded(data: bytes, position: int, name: str) -> int:
    """Where the next marker stands that is neither a stuffed FF nor a restart."""
    while True:
        position = data.find(b"\xff", position)
        if position < 0:
            raise ImageError(f"{name}: the file is cut short")
        code = data[position + 1]
        if code != 0x00 and not 0xD0 <= code <= 0xD7:
            return position
        position += 2


def _check_frame(code: int, body: bytes, name: str) -> None:
    precision, height, width, components = struct.unpack_from(">BHHB", body)
    if code not in (_BASELINE, _EXTENDED, _PROGRESSIVE) or precision != 8:
        raise ImageError(
            f"{name}: an unusual JPEG (lossless, arithmetic-coded or {precision} bits); convert it "
            "to PNG first"
        )
    if components not in (1, 3):
        raise ImageError(f"{name}: a JPEG of {components} components (CMYK?); convert it to RGB")
    if 0 in (height, width) or len(body) < 6 + 3 * components:
        raise ImageError(f"{name}: a damaged JPEG")
