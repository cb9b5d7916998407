"""What a picture file says about its picture, in a form that every format takes its part of."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Sequence
from typing import NamedTuple

from sr_ops.imaging.io import tags
from sr_ops.imaging.io.tags import EXIF_DIRECTORY, GPS_DIRECTORY, Tag

__all__ = [
    "NO_METADATA",
    "Metadata",
    "Resolution",
    "exif_of",
    "exif_resolution",
    "left_out",
    "upright_exif",
]

_ORIENTATION, _THUMBNAIL_OFFSET, _MAKER_NOTE, _INTEROPERABILITY = 0x0112, 0x0201, 0x927C, 0xA005
_PIXEL_WIDTH, _PIXEL_HEIGHT = 0xA002, 0xA003
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
#: Of the first directory: words about the picture, not how its pixels are stored.
_DESCRIPTIVE = frozenset(
    {
        *(0x010D, 0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x0213, 0x8298),
        *(0x4746, 0x4749, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F),
        *(_ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT),
    }
)
_INCHES, _CENTIMETRES = 2, 3
#: Of ITU-T H.273, those that are far from sRGB's.
_TRANSFERS = {8: "linear light", 16: "PQ (HDR)", 18: "HLG (HDR)"}
_MOST_PROFILE_TAGS = 100
_TAG_HEAD = 16  # bytes


class Resolution(NamedTuple):
    """Pixels per metre on paper, across and down."""

    x: float
    y: float


class Metadata(NamedTuple):
    """What a file says beside its pixels.

    Attributes:
        profile: an ICC colour profile.
        exif: EXIF (camera, date, place, …), as a TIFF file of directories alone.
        xmp: an XMP packet.
        iptc: IPTC-IIM records.
        resolution: on paper. It is kept as it is: an upscaled picture prints larger.
        text: chunks of a PNG that hold text, as they stand: (kind, body).
        colour: chunks of a PNG that tell what its values mean: (kind, body).
    """

    profile: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    resolution: Resolution | None = None
    text: tuple[tuple[bytes, bytes], ...] = ()
    colour: tuple[tuple[bytes, bytes], ...] = ()

    def stripped(self) -> Metadata:
        """Only what is needed to show the colours: no words, no camera, no place."""
        return Metadata(profile=self.profile, colour=self.colour)

    def misread(self) -> str | None:
        """What a network, which expects the values of sRGB, would take for something else.

        What counts is the first that is there, as PNG has it: cICP, a profile, sRGB, gAMA.
        """
        said = dict(self.colour)
        if b"cICP" in said:
            return _TRANSFERS.get(said[b"cICP"][1]) if len(said[b"cICP"]) == 4 else None
        if self.profile is not None:
            return _profile_transfer(self.profile)
        linear = b"sRGB" not in said and said.get(b"gAMA") == struct.pack(">I", 100_000)
        return _TRANSFERS[8] if linear else None


NO_METADATA = Metadata()


def _profile_transfer(profile: bytes) -> str | None:
    """What an ICC profile says of the transfer, by its "cicp" tag or a curve that is a line."""
    with contextlib.suppress(struct.error, IndexError):
        (count,) = struct.unpack_from(">I", profile, 128)
        tags_of = {
            name: profile[start : start + _TAG_HEAD]
            for name, start, _ in (
                struct.unpack_from(">4sII", profile, 132 + 12 * i)
                for i in range(min(count, _MOST_PROFILE_TAGS))
            )
        }
        if b"cicp" in tags_of:
            return _TRANSFERS.get(tags_of[b"cicp"][9])
        curve = tags_of.get(b"rTRC", tags_of.get(b"kTRC", b""))
        kind, _, points = struct.unpack_from(">4sII", curve)
        is_line = kind == b"curv" and (points == 0 or (points == 1 and curve[12:14] == b"\1\0"))
        is_line |= kind == b"para" and points >> 16 == 0 and curve[12:16] == b"\0\1\0\0"
        return _TRANSFERS[8] if is_line else None
    return None


def left_out(metadata: Metadata, fields: Sequence[str]) -> list[str]:
    """The names of what is there in these fields, for a format that has no place for them."""
    names = {
        "profile": "colour profile",
        "exif": "EXIF",
        "xmp": "XMP",
        "iptc": "IPTC",
        "resolution": "resolution",
        "text": "text",
    }
    lost = [names[field] for field in fields if field in names and getattr(metadata, field)]
    # That values are sRGB is what every reader takes for granted.
    meanings = [kind.decode() for kind, _ in metadata.colour if kind != b"sRGB"]
    return lost + (meanings if "colour" in fields else [])


def exif_of(tiff: bytes) -> bytes | None:
    """The EXIF in a TIFF: what its first directory says in words, and the camera's directories."""
    first = tags.read(tiff)
    words = {tag: first[tag] for tag in _DESCRIPTIVE & first.keys()}
    below = _below(tiff, first)
    if not any(below.values()) and not words.keys() - {
        _ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT
    }:  # fmt: skip
        return None
    return tags.to_tiff(words, below)


def _below(tiff: bytes, first: dict[int, Tag]) -> dict[int, dict[int, Tag]]:
    """The directories of the camera and of the place."""
    found = {}
    for pointer in (EXIF_DIRECTORY, GPS_DIRECTORY):
        offset = tags.number(first.get(pointer))
        if offset:
            found[pointer] = tags.read(tiff, offset)
    return found


def upright_exif(exif: bytes, width: int, height: int) -> tuple[bytes | None, list[str]]:
    """EXIF for the result: upright, of its size, without the thumbnail of what was there before.

    Returns:
        EXIF, None where nothing of it can be read; and what could not be kept: a maker's note
        points into the file that it was written for.
    """
    first = tags.read(exif)
    below = _below(exif, first)
    words = {tag: first[tag] for tag in _DESCRIPTIVE & first.keys()}
    if _ORIENTATION in words:
        words[_ORIENTATION] = tags.short(1)
    camera = below.get(EXIF_DIRECTORY, {})
    for tag, side in ((_PIXEL_WIDTH, width), (_PIXEL_HEIGHT, height)):
        if tag in camera:
            camera[tag] = tags.long(side)
    lost = ["the camera's maker note"] if camera.pop(_MAKER_NOTE, None) else []
    camera.pop(_INTEROPERABILITY, None)
    if not words and not any(below.values()):
        return None, lost
    return tags.to_tiff(words, below), lost


def exif_resolution(tiff: bytes) -> Resolution | None:
    """What EXIF, or a TIFF, says of the resolution."""
    first = tags.read(tiff)
    unit = tags.number(first.get(_RESOLUTION_UNIT)) or _INCHES
    sides = []
    for tag in (_X_RESOLUTION, _Y_RESOLUTION):
        value = first.get(tag)
        if value is None or (value.kind, value.elements) != (5, 1) or unit not in (2, 3):
            return None
        above, under = struct.unpack("<II", value.value)
        if not above or not under:
            return None
        sides.append(above / under * (100 if unit == _CENTIMETRES else 1 / 0.0254))
    return Resolution(*sides)
