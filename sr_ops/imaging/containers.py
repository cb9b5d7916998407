"""What the bytes of a picture file say before anyone decodes them.

Decoders disagree on what to do with a file that was cut short (libjpeg paints the rest gray), with
the orientation that a camera noted, and with animations. Here the structure is read instead: PNG
(W3C, PNG 3rd edition), JPEG (ITU-T T.81), WebP (RIFF), TIFF 6.0, BMP; EXIF 2.32.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from sr_ops.errors import ImageError

__all__ = ["Container", "inspect", "stored_tiff"]

_ORIENTATION, _EXTRA_SAMPLES = 0x0112, 0x0152
_SHORT = 3
_ASSOCIATED, _UNASSOCIATED = 1, 2  # alpha, among the extra samples


class Container(NamedTuple):
    """What a file is.

    Attributes:
        kind: "png", "jpeg", "webp", "tiff" or "bmp".
        orientation: EXIF's, 1 to 8; 1 is upright.
        premultiplied: the file's colours are those of a TIFF with associated alpha.
    """

    kind: str
    orientation: int
    premultiplied: bool = False


def inspect(data: bytes, name: str) -> Container:
    """Recognise a picture file, and refuse what cannot be used.

    Raises:
        ImageError: empty, cut short, an animation, or not a picture of these formats.
    """
    if not data:
        raise ImageError(f"{name}: the file is empty")
    for kind, signature, read in (
        ("png", b"\x89PNG\r\n\x1a\n", _png),
        ("jpeg", b"\xff\xd8", _jpeg),
        ("tiff", b"II*\0", _tiff),
        ("tiff", b"MM\0*", _tiff),
        ("webp", b"RIFF", _webp),
        ("bmp", b"BM", _bmp),
    ):
        if data.startswith(signature) and (kind != "webp" or data[8:12] == b"WEBP"):
            try:
                orientation = read(data, name)
            except (struct.error, IndexError):
                raise _cut(name) from None
            tags = _tags(data) if kind == "tiff" else {}
            premultiplied = _value(data, tags, _EXTRA_SAMPLES) == _ASSOCIATED
            return Container(kind, orientation if 1 <= orientation <= 8 else 1, premultiplied)
    if data.startswith((b"GIF87a", b"GIF89a")):
        raise ImageError(f"{name}: a GIF; convert it to PNG first")
    raise ImageError(f"{name}: not a picture (PNG, JPEG, WebP, TIFF or BMP)")


def _png(data: bytes, name: str) -> int:
    orientation, position = 1, 8
    while True:
        length, kind = struct.unpack_from(">I4s", data, position)
        body = data[position + 8 : position + 8 + length]
        if len(data) < position + 12 + length:
            raise _cut(name)
        if kind == b"acTL":
            raise _animated(name)
        if kind == b"eXIf":
            orientation = _exif_orientation(body)
        if kind == b"IEND":
            return orientation
        position += 12 + length


def _jpeg(data: bytes, name: str) -> int:
    orientation, position = 1, 2
    while True:
        marker, code, length = struct.unpack_from(">BBH", data, position)
        if marker != 0xFF:
            raise ImageError(f"{name}: a damaged JPEG")
        if code == 0xFF:  # fill byte
            position += 1
            continue
        body = data[position + 4 : position + 2 + length]
        if code == 0xE1 and body.startswith(b"Exif\0\0"):
            orientation = _exif_orientation(body[6:])
        position += 2 + length
        if code == 0xDA:  # start of scan; inside scans FF is never followed by the end's D9
            if data.find(b"\xff\xd9", position) < 0:
                raise _cut(name)
            return orientation


def _webp(data: bytes, name: str) -> int:
    (length,) = struct.unpack_from("<I", data, 4)
    if len(data) < 8 + length:
        raise _cut(name)
    orientation, position = 1, 12
    while position + 8 <= 8 + length:
        kind, size = struct.unpack_from("<4sI", data, position)
        if kind == b"ANIM":
            raise _animated(name)
        if kind == b"EXIF":
            body = data[position + 8 : position + 8 + size]
            orientation = _exif_orientation(body.removeprefix(b"Exif\0\0"))
        position += 8 + size + size % 2
    return orientation


def _tiff(data: bytes, name: str) -> int:
    if not _tags(data):
        raise _cut(name)
    return _exif_orientation(data)


def stored_tiff(data: bytes) -> bytes:
    """The same TIFF without the notes that make libtiff turn it and multiply colour with alpha.

    OpenCV decodes through libtiff's picture interface, which follows these notes in some cases and
    not in others; without them the samples come as they are stored.
    """
    tags = _tags(data)
    stored = bytearray(data)
    order = _byte_order(data)
    for tag, old, new in (
        (_ORIENTATION, None, 1),
        (_EXTRA_SAMPLES, _UNASSOCIATED, _ASSOCIATED),
    ):
        value = _value(data, tags, tag)
        if value is not None and old in (None, value):
            struct.pack_into(f"{order}H", stored, tags[tag], new)
    return bytes(stored)


def _bmp(data: bytes, name: str) -> int:
    (length,) = struct.unpack_from("<I", data, 2)
    if len(data) < length:
        raise _cut(name)
    return 1


def _exif_orientation(tiff: bytes) -> int:
    """EXIF is a TIFF without a picture."""
    return _value(tiff, _tags(tiff), _ORIENTATION) or 1


def _byte_order(tiff: bytes) -> str:
    return "<" if tiff.startswith(b"II") else ">"


def _tags(tiff: bytes) -> dict[int, int]:
    """Tag -> place of its value, of the single short numbers in the first directory."""
    order = _byte_order(tiff)
    places = {}
    try:
        (offset,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, offset)
        for start in range(offset + 2, offset + 2 + 12 * entries, 12):
            tag, kind, count, _ = struct.unpack_from(f"{order}HHIH", tiff, start)
            if kind == _SHORT and count == 1:
                places[tag] = start + 8
    except struct.error:  # a damaged directory: what has been read so far
        pass
    return places


def _value(tiff: bytes, tags: dict[int, int], tag: int) -> int | None:
    if tag not in tags:
        return None
    return int(struct.unpack_from(f"{_byte_order(tiff)}H", tiff, tags[tag])[0])


def _cut(name: str) -> ImageError:
    return ImageError(f"{name}: the file is cut short")


def _animated(name: str) -> ImageError:
    return ImageError(f"{name}: an animation; extract a frame first")
