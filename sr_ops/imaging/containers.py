"""What the bytes of a picture file say before anyone decodes them.

Decoders disagree on what to do with a file that was cut short (libjpeg paints the rest gray), with
the orientation that a camera noted, and with animations. Here the structure is read instead: PNG
(W3C, PNG 3rd edition), JPEG (ITU-T T.81), WebP (RIFF), TIFF 6.0, BMP; EXIF 2.32, ICC.1:2010 annex B
for where each of them keeps a colour profile.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from sr_ops.errors import ImageError

__all__ = ["SIGNATURE", "Container", "inspect", "recognise", "stored_tiff"]

#: Bytes from which a file can be recognised.
SIGNATURE = 12

_ORIENTATION, _EXTRA_SAMPLES, _PROFILE = 0x0112, 0x0152, 0x8773
_SHORT, _UNDEFINED = 3, 7
_ASSOCIATED, _UNASSOCIATED = 1, 2  # alpha, among the extra samples
_LARGEST_PROFILE = 1 << 24  # bytes; what a compressed one may unpack to


class Container(NamedTuple):
    """What a file is.

    Attributes:
        kind: "png", "jpeg", "webp", "tiff" or "bmp".
        orientation: EXIF's, 1 to 8; 1 is upright.
        profile: the ICC colour profile, or None.
        premultiplied: the file's colours are those of a TIFF with associated alpha.
    """

    kind: str
    orientation: int = 1
    profile: bytes | None = None
    premultiplied: bool = False


def recognise(head: bytes, name: str) -> str:
    """The kind of file that begins so, see :class:`Container`.

    Args:
        head: the first ``SIGNATURE`` bytes, or more.
        name: what errors call it.

    Raises:
        ImageError: empty, or not a picture of these formats.
    """
    if not head:
        raise ImageError(f"{name}: the file is empty")
    for kind, signature in (
        ("png", b"\x89PNG\r\n\x1a\n"),
        ("jpeg", b"\xff\xd8"),
        ("tiff", b"II*\0"),
        ("tiff", b"MM\0*"),
        ("webp", b"RIFF"),
        ("bmp", b"BM"),
    ):
        if head.startswith(signature) and (kind != "webp" or head[8:12] == b"WEBP"):
            return kind
    if head.startswith((b"GIF87a", b"GIF89a")):
        raise ImageError(f"{name}: a GIF; convert it to PNG first")
    raise ImageError(f"{name}: not a picture (PNG, JPEG, WebP, TIFF or BMP)")


def inspect(data: bytes, name: str) -> Container:
    """Recognise a picture file, and refuse what cannot be used.

    Raises:
        ImageError: empty, cut short, an animation, or not a picture of these formats.
    """
    kind = recognise(data, name)
    read = {"png": _png, "jpeg": _jpeg, "tiff": _tiff, "webp": _webp, "bmp": _bmp}[kind]
    try:
        container = read(data, name)
    except (struct.error, IndexError):
        raise _cut(name) from None
    known = 1 <= container.orientation <= 8
    return container if known else container._replace(orientation=1)


def _png(data: bytes, name: str) -> Container:
    orientation, profile, position = 1, None, 8
    while True:
        length, kind = struct.unpack_from(">I4s", data, position)
        body = data[position + 8 : position + 8 + length]
        if len(data) < position + 12 + length:
            raise _cut(name)
        if kind == b"acTL":
            raise _animated(name)
        if kind == b"eXIf":
            orientation = _exif_orientation(body)
        if kind == b"iCCP":
            profile = _unpacked(body)
        if kind == b"IEND":
            return Container("png", orientation, profile)
        position += 12 + length


def _unpacked(body: bytes) -> bytes | None:
    """The profile in a PNG's chunk: its name, a zero, the method (zero too), then deflated."""
    with contextlib.suppress(zlib.error):
        compressed = body.partition(b"\0")[2][1:]
        return zlib.decompressobj().decompress(compressed, _LARGEST_PROFILE) or None
    return None


def _jpeg(data: bytes, name: str) -> Container:
    orientation, position = 1, 2
    profile: list[bytes] = []
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
        if code == 0xE2 and body.startswith(b"ICC_PROFILE\0"):
            profile.append(body[12:])  # begins with its number among the parts, and how many
        position += 2 + length
        if code == 0xDA:  # start of scan; inside scans FF is never followed by the end's D9
            if data.find(b"\xff\xd9", position) < 0:
                raise _cut(name)
            parts = b"".join(part[2:] for part in sorted(profile))
            return Container("jpeg", orientation, parts or None)


def _webp(data: bytes, name: str) -> Container:
    (length,) = struct.unpack_from("<I", data, 4)
    if len(data) < 8 + length:
        raise _cut(name)
    orientation, profile, position = 1, None, 12
    while position + 8 <= 8 + length:
        kind, size = struct.unpack_from("<4sI", data, position)
        body = data[position + 8 : position + 8 + size] if kind in (b"EXIF", b"ICCP") else b""
        if kind == b"ANIM":
            raise _animated(name)
        if kind == b"EXIF":
            orientation = _exif_orientation(body.removeprefix(b"Exif\0\0"))
        if kind == b"ICCP":
            profile = body or None
        position += 8 + size + size % 2
    return Container("webp", orientation, profile)


def _tiff(data: bytes, name: str) -> Container:
    tags = _tags(data)
    if not tags:
        raise _cut(name)
    premultiplied = _value(data, tags, _EXTRA_SAMPLES) == _ASSOCIATED
    return Container("tiff", _exif_orientation(data), _tiff_profile(data), premultiplied)


def _tiff_profile(data: bytes) -> bytes | None:
    for tag, kind, count, place in _entries(data):
        if tag == _PROFILE and kind == _UNDEFINED and count > 4:  # four would stand in the entry
            (offset,) = struct.unpack_from(f"{_byte_order(data)}I", data, place)
            profile = data[offset : offset + count]
            return profile if len(profile) == count else None
    return None


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


def _bmp(data: bytes, name: str) -> Container:
    (length,) = struct.unpack_from("<I", data, 2)
    if len(data) < length:
        raise _cut(name)
    return Container("bmp")


def _exif_orientation(tiff: bytes) -> int:
    """EXIF is a TIFF without a picture."""
    return _value(tiff, _tags(tiff), _ORIENTATION) or 1


def _byte_order(tiff: bytes) -> str:
    return "<" if tiff.startswith(b"II") else ">"


def _tags(tiff: bytes) -> dict[int, int]:
    """Tag -> place of its value, of the single short numbers in the first directory."""
    return {
        tag: place for tag, kind, count, place in _entries(tiff) if kind == _SHORT and count == 1
    }


def _entries(tiff: bytes) -> Iterator[tuple[int, int, int, int]]:
    """(tag, type, count, place of the value) in the first directory; as far as it can be read."""
    order = _byte_order(tiff)
    with contextlib.suppress(struct.error):
        (offset,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, offset)
        for start in range(offset + 2, offset + 2 + 12 * entries, 12):
            yield (*struct.unpack_from(f"{order}HHI2x", tiff, start), start + 8)


def _value(tiff: bytes, tags: dict[int, int], tag: int) -> int | None:
    if tag not in tags:
        return None
    return int(struct.unpack_from(f"{_byte_order(tiff)}H", tiff, tags[tag])[0])


def _cut(name: str) -> ImageError:
    return ImageError(f"{name}: the file is cut short")


def _animated(name: str) -> ImageError:
    return ImageError(f"{name}: an animation; extract a frame first")
