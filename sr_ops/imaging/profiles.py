"""ICC colour profiles put into picture files that were encoded without one.

Without its profile a photograph in Display P3 or Adobe RGB is shown as sRGB, with other colours.
OpenCV writes none. Nothing is decoded here, and the encoded picture is not copied: what must be
added goes before and after it. Where profiles stand: ICC.1:2010, annex B; WebP: RFC 9649.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from sr_ops.imaging import containers

__all__ = ["EMBEDDABLE", "embed", "fits"]

EMBEDDABLE = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")

Parts = Sequence[bytes | memoryview]

_LARGEST_FILE = 2**32 - 2**16  # bytes; leaves room for a TIFF's directory
_PROFILE_TAG, _UNDEFINED = 0x8773, 7
_JPEG_PART = 65535 - 2 - 14  # bytes in a segment beside its length and what begins it
_WEBP_PROFILE, _WEBP_ALPHA = 0x20, 0x10


def fits(profile: bytes, channels: int) -> bool:
    """Whether a profile is of the colour space of a picture of one, three or four channels.

    >>> fits(bytes(16) + b"CMYK", 3)
    False
    """
    return profile[16:20] == (b"GRAY" if channels == 1 else b"RGB ")


def embed(encoded: memoryview, profile: bytes) -> Parts:
    """A PNG, JPEG, WebP or TIFF file, as OpenCV writes it, with a profile: in parts, in order.

    Without it where the file would outgrow what TIFF and WebP can address.
    """
    if len(encoded) + len(profile) > _LARGEST_FILE:
        return [encoded]
    kind = containers.recognise(bytes(encoded[: containers.SIGNATURE]), "picture")
    return {"png": _png, "jpeg": _jpeg, "webp": _webp, "tiff": _tiff}[kind](encoded, profile)


def _png(encoded: memoryview, profile: bytes) -> Parts:
    """After the header, the first chunk."""
    body = b"iCCPICC profile\0\0" + zlib.compress(profile)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return [encoded[:33], chunk, encoded[33:]]


def _jpeg(encoded: memoryview, profile: bytes) -> Parts:
    """In numbered segments after JFIF's, which has to be the first."""
    (length,) = struct.unpack_from(">H", encoded, 4)
    first = 4 + length if bytes(encoded[2:4]) == b"\xff\xe0" else 2
    pieces = [profile[i : i + _JPEG_PART] for i in range(0, len(profile), _JPEG_PART)]
    segments = [
        struct.pack(">HH", 0xFFE2, 2 + 14 + len(piece))
        + b"ICC_PROFILE\0"
        + bytes([number, len(pieces)])
        + piece
        for number, piece in enumerate(pieces, start=1)
    ]
    return [encoded[:first], *segments, encoded[first:]]


def _webp(encoded: memoryview, profile: bytes) -> Parts:
    """In the extended form, whose header says what is there, and the size."""
    form = bytes(encoded[12:16])
    if form == b"VP8X":
        flags, width, height = encoded[20], bytes(encoded[24:27]), bytes(encoded[27:30])
        picture = encoded[30:]
    else:
        picture = encoded[12:]
        if form == b"VP8L":
            (sides,) = struct.unpack_from("<I", encoded, 21)
            flags = _WEBP_ALPHA if sides >> 28 & 1 else 0
            width, height = ((side & 0x3FFF).to_bytes(3, "little") for side in (sides, sides >> 14))
        else:
            flags = 0
            width, height = (
                ((side & 0x3FFF) - 1).to_bytes(3, "little")
                for side in struct.unpack_from("<HH", encoded, 26)
            )
    header = struct.pack("<4sIB3x", b"VP8X", 10, flags | _WEBP_PROFILE) + width + height
    chunk = struct.pack("<4sI", b"ICCP", len(profile)) + profile + bytes(len(profile) % 2)
    length = 4 + len(header) + len(chunk) + len(picture)
    return [struct.pack("<4sI4s", b"RIFF", length, b"WEBP") + header + chunk, picture]


def _tiff(encoded: memoryview, profile: bytes) -> Parts:
    """At the end, with a new directory that has one entry more; the header points there."""
    order = "<" if bytes(encoded[:2]) == b"II" else ">"
    (old,) = struct.unpack_from(f"{order}I", encoded, 4)
    (count,) = struct.unpack_from(f"{order}H", encoded, old)
    start = old + 2
    entries = [bytes(encoded[i : i + 12]) for i in range(start, start + 12 * count, 12)]
    rest = bytes(encoded[start + 12 * count : start + 12 * count + 4])  # where the next one is
    padding = bytes(len(encoded) % 2)
    place = len(encoded) + len(padding)
    entries.append(struct.pack(f"{order}HHII", _PROFILE_TAG, _UNDEFINED, len(profile), place))
    entries.sort(key=lambda entry: struct.unpack_from(f"{order}H", entry))
    odd = bytes(len(profile) % 2)
    directory = place + len(profile) + len(odd)
    header = bytes(encoded[:4]) + struct.pack(f"{order}I", directory)
    added = struct.pack(f"{order}H", count + 1) + b"".join(entries) + rest
    return [header, encoded[8:], padding, profile, odd, added]
