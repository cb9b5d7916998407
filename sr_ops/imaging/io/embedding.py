"""Metadata put into picture files that were encoded without any.

OpenCV's own functions for it know neither TIFF nor IPTC, resolution or text, write no XMP into a
JPEG, and give up the whole picture where libpng dislikes a profile. Nothing is decoded here, and
the encoded picture is not copied: what must be added goes before and after it. Where things stand:
ICC.1:2010 annex B; EXIF 2.32; XMP part 3; PNG 3rd edition; RFC 9649 (WebP); TIFF 6.0.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from sr_ops.imaging.io import containers, tags
from sr_ops.imaging.io.metadata import Metadata, Resolution, left_out, upright_exif
from sr_ops.imaging.io.tags import Tag

__all__ = ["embed", "fits", "prepared"]

Parts = Sequence[bytes | memoryview]

_LARGEST_FILE = 2**32 - 2**20  # bytes; leaves room for a TIFF's directory
_JPEG_SEGMENT = 65535 - 2  # bytes beside its length
_JPEG_PROFILE_PARTS = 255
_WEBP_PROFILE, _WEBP_ALPHA, _WEBP_EXIF, _WEBP_XMP = 0x20, 0x10, 0x08, 0x04
_XMP_TAG, _IPTC_TAG, _PROFILE_TAG = 700, 33723, 34675
_BYTE, _UNDEFINED = 1, 7


def fits(profile: bytes, channels: int) -> bool:
    """Whether a profile is of the colour space of a picture of one, three or four channels.

    >>> fits(bytes(16) + b"CMYK", 3)
    False
    """
    return profile[16:20] == (b"GRAY" if channels == 1 else b"RGB ")


def embed(
    encoded: memoryview, metadata: Metadata, shape: tuple[int, ...]
) -> tuple[Parts, list[str]]:
    """A picture file, as OpenCV writes it, with metadata.

    Args:
        encoded: a PNG, JPEG, WebP, TIFF or BMP file.
        metadata: of the picture that this one was made from.
        shape: (height, width[, channels]) of this one.

    Returns:
        The file in parts, in order; and the names of what has no place in it.
    """
    metadata, lost = prepared(metadata, shape)
    size = sum(len(part) for part in metadata[:4] if isinstance(part, bytes))
    kind = containers.recognise(bytes(encoded[: containers.SIGNATURE]), "picture")
    if len(encoded) + size > _LARGEST_FILE:
        return [encoded], [*lost, "metadata (the file would be too large)"]
    put = {"png": _png, "jpeg": _jpeg, "webp": _webp, "tiff": _tiff}.get(kind, _nothing)
    return put(encoded, metadata, lost), lost


def prepared(metadata: Metadata, shape: tuple[int, ...]) -> tuple[Metadata, list[str]]:
    """What can be said of a result: EXIF upright and of its size, a profile of its colour space.

    Args:
        metadata: of the picture that it was made from.
        shape: (height, width[, channels]) of the result.

    Returns:
        The metadata, and the names of what is not in it any more.
    """
    lost: list[str] = []
    channels = 1 if len(shape) == 2 else shape[2]
    if metadata.profile is not None and not fits(metadata.profile, channels):
        metadata = metadata._replace(profile=None)
        lost.append("a colour profile of another colour space")
    if metadata.exif is not None:
        exif, also = upright_exif(metadata.exif, width=shape[1], height=shape[0])
        metadata = metadata._replace(exif=exif)
        lost += also
    return metadata, lost


def _nothing(encoded: memoryview, metadata: Metadata, lost: list[str]) -> Parts:
    """A BMP has no place for any of it."""
    lost += left_out(metadata, Metadata._fields)
    return [encoded]


def _png(encoded: memoryview, metadata: Metadata, lost: list[str]) -> Parts:
    """After the header, the first chunk."""
    chunks = [(kind, body) for kind, body in metadata.colour if kind != b"sRGB"]
    if metadata.profile is not None:
        chunks.append((b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.profile)))
    else:
        chunks += [chunk for chunk in metadata.colour if chunk[0] == b"sRGB"]
    if metadata.resolution is not None:
        sides = (min(round(side), 2**31 - 1) for side in metadata.resolution)
        chunks.append((b"pHYs", struct.pack(">IIB", *sides, 1)))
    chunks += metadata.text
    if metadata.xmp is not None:
        chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata.xmp))
    if metadata.exif is not None:
        chunks.append((b"eXIf", metadata.exif))
    lost += left_out(metadata, ["iptc"])
    return [encoded[:33], *(_png_chunk(*chunk) for chunk in chunks), encoded[33:]]


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    checked = kind + body
    return struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))


def _jpeg(encoded: memoryview, metadata: Metadata, lost: list[str]) -> Parts:
    """In segments after JFIF's, which has to be the first and holds the resolution."""
    (length,) = struct.unpack_from(">H", encoded, 4)
    first = 4 + length if bytes(encoded[2:4]) == b"\xff\xe0" else 2
    head = bytearray(encoded[:first])
    if metadata.resolution is not None and first >= 20:
        head[13:18] = struct.pack(">BHH", 1, *_dots_per_inch(metadata.resolution))
    segments = []
    for name, code, body in (
        ("EXIF", 0xE1, metadata.exif and b"Exif\0\0" + metadata.exif),
        ("XMP", 0xE1, metadata.xmp and b"http://ns.adobe.com/xap/1.0/\0" + metadata.xmp),
        ("IPTC", 0xED, metadata.iptc and b"Photoshop 3.0\0" + _photoshop(metadata.iptc)),
    ):
        if body and len(body) <= _JPEG_SEGMENT:
            segments.append(struct.pack(">BBH", 0xFF, code, 2 + len(body)) + body)
        elif body:
            lost.append(f"{name} (larger than a JPEG's segment)")
    if metadata.profile is not None:
        profile = _jpeg_profile(metadata.profile)
        if len(profile) <= _JPEG_PROFILE_PARTS:
            segments += profile
        else:
            lost.append("colour profile (larger than a JPEG's segments)")
    lost += left_out(metadata, ["text", "colour"])
    return [bytes(head), *segments, encoded[first:]]


def _dots_per_inch(resolution: Resolution) -> tuple[int, int]:
    x, y = (min(max(round(side * 0.0254), 1), 65535) for side in resolution)
    return x, y


def _photoshop(iptc: bytes) -> bytes:
    """IPTC records as a resource of Photoshop's, which is how a JPEG holds them."""
    return b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc + bytes(len(iptc) % 2)


def _jpeg_profile(profile: bytes) -> list[bytes]:
    room = _JPEG_SEGMENT - 14
    pieces = [profile[i : i + room] for i in range(0, len(profile), room)]
    return [
        struct.pack(">HH", 0xFFE2, 2 + 14 + len(piece))
        + b"ICC_PROFILE\0"
        + bytes([number & 0xFF, len(pieces) & 0xFF])
        + piece
        for number, piece in enumerate(pieces, start=1)
    ]


def _webp(encoded: memoryview, metadata: Metadata, lost: list[str]) -> Parts:
    """In the extended form, whose header says what is there, and the size."""
    lost += left_out(metadata, ["iptc", "resolution", "text", "colour"])
    before = _riff_chunk(b"ICCP", metadata.profile)
    after = _riff_chunk(b"EXIF", metadata.exif) + _riff_chunk(b"XMP ", metadata.xmp)
    if not before + after:
        return [encoded]
    flags, width, height, picture = _webp_form(encoded)
    flags |= _WEBP_PROFILE * bool(metadata.profile)
    flags |= _WEBP_EXIF * bool(metadata.exif) | _WEBP_XMP * bool(metadata.xmp)
    header = struct.pack("<4sIB3x", b"VP8X", 10, flags) + width + height
    length = 4 + len(header) + len(before) + len(picture) + len(after)
    return [struct.pack("<4sI4s", b"RIFF", length, b"WEBP") + header + before, picture, after]


def _webp_form(encoded: memoryview) -> tuple[int, bytes, bytes, memoryview]:
    """Flags, width and height (less one, three bytes each), and the chunks of the picture."""
    form = bytes(encoded[12:16])
    if form == b"VP8X":
        return encoded[20], bytes(encoded[24:27]), bytes(encoded[27:30]), encoded[30:]
    if form == b"VP8L":
        (sides,) = struct.unpack_from("<I", encoded, 21)
        width, height = ((side & 0x3FFF).to_bytes(3, "little") for side in (sides, sides >> 14))
        return _WEBP_ALPHA if sides >> 28 & 1 else 0, width, height, encoded[12:]
    width, height = (
        ((side & 0x3FFF) - 1).to_bytes(3, "little")
        for side in struct.unpack_from("<HH", encoded, 26)
    )
    return 0, width, height, encoded[12:]


def _riff_chunk(kind: bytes, body: bytes | None) -> bytes:
    if not body:
        return b""
    return struct.pack("<4sI", kind, len(body)) + body + bytes(len(body) % 2)


def _tiff(encoded: memoryview, metadata: Metadata, lost: list[str]) -> Parts:
    """At the end, with a new directory that has more entries; the header points there."""
    lost += left_out(metadata, ["text", "colour"])
    if bytes(encoded[:2]) != b"II":  # OpenCV writes the machine's own order
        lost += left_out(metadata, ["profile", "exif", "xmp", "iptc", "resolution"])
        return [encoded]
    (old,) = struct.unpack_from("<I", encoded, 4)
    (count,) = struct.unpack_from("<H", encoded, old)
    starts = range(old + 2, old + 2 + 12 * count, 12)
    own = {struct.unpack_from("<H", encoded, at)[0]: bytes(encoded[at : at + 12]) for at in starts}
    added, below = _tiff_tags(metadata)
    padding = bytes(len(encoded) % 2)
    values = bytearray()
    place = len(encoded) + len(padding)
    for tag, (kind, number, value) in added.items():
        stored = value
        if len(value) > 4:
            stored = struct.pack("<I", place + len(values))
            values += value + bytes(len(value) % 2)
        own[tag] = struct.pack("<HHI4s", tag, kind, number, stored)
    for tag, inner in below.items():
        own[tag] = struct.pack("<HHII", tag, 4, 1, place + len(values))
        values += tags.write(inner, place + len(values))
    directory = struct.pack("<H", len(own)) + b"".join(own[tag] for tag in sorted(own)) + bytes(4)
    header = bytes(encoded[:4]) + struct.pack("<I", place + len(values))
    return [header, encoded[8:], padding, bytes(values), directory]


def _tiff_tags(metadata: Metadata) -> tuple[dict[int, Tag], dict[int, dict[int, Tag]]]:
    """What goes into a TIFF's own directory, and into those below it."""
    added: dict[int, Tag] = {}
    below: dict[int, dict[int, Tag]] = {}
    if metadata.exif is not None:
        first = tags.read(metadata.exif)
        for pointer in (tags.EXIF_DIRECTORY, tags.GPS_DIRECTORY):
            offset = tags.number(first.pop(pointer, None))
            inner = tags.read(metadata.exif, offset) if offset else {}
            if inner:
                below[pointer] = inner
        added |= first
    for tag, kind, value in (
        (_XMP_TAG, _BYTE, metadata.xmp),
        (_IPTC_TAG, _UNDEFINED, metadata.iptc),
        (_PROFILE_TAG, _UNDEFINED, metadata.profile),
    ):
        if value:
            added[tag] = Tag(kind, len(value), value)
    if metadata.resolution is not None:
        x, y = (_fraction(side * 0.0254) for side in metadata.resolution)
        added |= {0x011A: x, 0x011B: y, 0x0128: tags.short(2)}
    return added, below


def _fraction(value: float) -> Tag:
    """To a thousandth, or as near as 32 bits come."""
    denominator = 1000 if value * 1000 < 2**32 - 1 else 1
    return tags.rational(min(round(value * denominator), 2**32 - 1), denominator)
