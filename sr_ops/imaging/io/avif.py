"""AVIF (AV1 Image File Format 1.1): what a file says before it is decoded, and how it is written.

OpenCV decodes and encodes the pixels. It turns no picture upright, gives 10 bits as numbers up to
1023, and tells neither size nor frames beforehand; so that is read here.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sr_ops.errors import ImageError
from sr_ops.imaging.io import boxes
from sr_ops.imaging.io.boxes import Item, Items
from sr_ops.imaging.io.metadata import Metadata, exif_resolution, left_out

__all__ = ["Still", "encode", "full_range", "read"]

_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")
_XMP = b"application/rdf+xml"
#: Bytes at the beginning of OpenCV's files that hold more than all properties but a profile.
_HEAD = 1 << 16
#: Bytes of AV1 among which its sequence header is.
_FIRST_UNITS = 4096
#: Primaries and transfer (ITU-T H.273) that mean sRGB, or nothing.
_PLAIN_PRIMARIES, _PLAIN_TRANSFER = (1, 2), (1, 2, 6, 13)
#: Quarter turns to the left, and the mirror's axis after them (None: no mirror) -> EXIF's number.
_ORIENTATIONS: dict[tuple[int, int | None], int] = {
    (0, None): 1,
    (1, None): 8,
    (2, None): 3,
    (3, None): 6,
    (0, 0): 4,
    (1, 0): 5,
    (2, 0): 2,
    (3, 0): 7,
    (0, 1): 2,
    (1, 1): 7,
    (2, 1): 4,
    (3, 1): 5,
}


class Still(NamedTuple):
    """What an AVIF file says of its picture.

    Attributes:
        width, height: as it is stored; 0 where the file does not say.
        bits: of a channel: 8, 10 or 12.
        channels: 1, 3 or 4.
        orientation: EXIF's number for its turn and mirroring.
        frames: of an animation; 1 of a picture.
        profile: an ICC profile.
        colour: primaries and transfer (ITU-T H.273), where they are not those of sRGB.
        exif: a TIFF of directories.
        xmp: a packet.
    """

    width: int
    height: int
    bits: int
    channels: int
    orientation: int
    frames: int
    profile: bytes | None
    colour: tuple[int, int] | None
    exif: bytes
    xmp: bytes | None


def read(data: bytes, name: str) -> Still:
    """What a file says.

    Raises:
        ImageError: no AVIF, damaged, or cropped.
        IndexError, struct.error: cut short, where that comes out so.
    """
    try:
        return _read(data)
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from error


def _read(data: bytes) -> Still:
    """Its errors do not name the file."""
    kinds, frames, listed = boxes.brands(data), boxes.tracks_frames(data), boxes.items(data)
    if b"avif" not in kinds and b"avis" not in kinds:
        raise ImageError("a HEIF picture that is no AVIF; convert it to PNG first")
    if listed is None or listed.primary not in listed.by_number:
        raise ImageError("an AVIF without a picture")
    for item in listed.by_number.values():
        if any(end > len(data) for _, end in item.pieces):
            raise ImageError("the file is cut short")
    _check_coded(data, listed)
    return _still(data, listed, max(frames, 1))


def _still(data: bytes, listed: Items, frames: int) -> Still:
    item = listed.by_number[listed.primary]
    own = dict(reversed(item.properties))
    if b"clap" in own:
        raise ImageError("an AVIF that is shown cropped; crop it for good first")
    width, height = struct.unpack_from(">II", own.get(b"ispe", bytes(12)), 4)
    coded = dict(reversed(_coded(listed)[0].properties))
    bits, gray = _depth(coded.get(b"av1C", b""))
    channels = 4 if _has_alpha(listed) else 1 if gray else 3
    profile, colour = _colour(item)
    return Still(
        *(width, height, bits, channels, _orientation(item), frames, profile, colour),
        exif=_exif(data, listed),
        xmp=next(
            (
                boxes.content(data, it) or None
                for it in listed.by_number.values()
                if (it.kind, it.content) == (b"mime", _XMP)
            ),
            None,
        ),
    )


def _coded(listed: Items) -> list[Item]:
    """What is decoded: the picture, or the tiles that it is made of."""
    tiles = [
        listed.by_number[to]
        for kind, source, to in listed.references
        if kind == b"dimg" and source == listed.primary and to in listed.by_number
    ]
    return tiles or [listed.by_number[listed.primary]]


def _depth(av1: bytes) -> tuple[int, bool]:
    """Bits, and whether there is luma alone."""
    if len(av1) < 3:
        return 8, False
    return (12 if av1[2] & 0x20 else 10) if av1[2] & 0x40 else 8, bool(av1[2] & 0x10)


def _has_alpha(listed: Items) -> bool:
    helpers = {source for kind, source, _ in listed.references if kind == b"auxl"}
    kinds = (
        body[4:].split(b"\0", 1)[0]
        for source in helpers & listed.by_number.keys()
        for name, body in listed.by_number[source].properties
        if name == b"auxC"
    )
    return any(kind in _ALPHA for kind in kinds)


def _orientation(item: Item) -> int:
    """A mirror in front of a turn is the opposite turn in front of that mirror."""
    turns, mirror = 0, None  # the mirror's axis
    for kind, body in item.properties:
        if kind == b"irot":
            turns = body[0] & 3 if mirror is None else -(body[0] & 3) % 4
        elif kind == b"imir":
            mirror = body[0] & 1
    return _ORIENTATIONS[turns, mirror]


def _colour(item: Item) -> tuple[bytes | None, tuple[int, int] | None]:
    profile, colour = None, None
    for kind, body in item.properties:
        if kind == b"colr" and body[:4] in (b"prof", b"rICC"):
            profile = body[4:] or None
        elif kind == b"colr" and body[:4] == b"nclx":
            primaries, transfer = struct.unpack_from(">HH", body, 4)
            if primaries not in _PLAIN_PRIMARIES or transfer not in _PLAIN_TRANSFER:
                colour = (primaries & 0xFF, transfer & 0xFF)
    return profile, colour


def _exif(data: bytes, listed: Items) -> bytes:
    for item in listed.by_number.values():
        if item.kind == b"Exif":
            body = boxes.content(data, item)
            if len(body) > 8:
                (offset,) = struct.unpack_from(">I", body)
                return body[4 + offset :]
    return b""


def _check_coded(data: bytes, listed: Items) -> None:
    """That no part is larger than announced, of which no decoder is told."""
    for item in listed.by_number.values():
        announced = dict(reversed(item.properties)).get(b"ispe")
        if item.kind != b"av01" or announced is None:
            continue
        width, height = struct.unpack_from(">II", announced, 4)
        coded = _sequence_sides(boxes.beginning(data, item, _FIRST_UNITS))
        if coded is not None and (coded[0] > width or coded[1] > height):
            raise ImageError(
                f"a damaged picture: it announces {width} x {height} pixels, and holds "
                f"{coded[0]} x {coded[1]}"
            )


def _sequence_sides(units: bytes) -> tuple[int, int] | None:
    """Width and height in the sequence header among AV1's units."""
    at = 0
    while at + 2 < len(units):
        head = units[at]
        at += 2 if head & 4 else 1
        length = len(units) - at
        if head & 2:
            length, at = _leb128(units, at)
        if head >> 3 & 15 == 1:
            return _sides(_Bits(units[at : at + length]))
        at += length
    return None


def _leb128(units: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(8):
        value |= (units[at] & 0x7F) << 7 * place
        at += 1
        if not units[at - 1] & 0x80:
            break
    return value, at


class _Bits:
    """Bits of a sequence header, from the highest of each byte."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise ImageError("a damaged file: AV1's header is cut short")
        return self._value >> self._left & (1 << count) - 1

    def skip_variable(self) -> None:
        """A number behind as many zeros as it has bits less one."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        self.take(zeros)


def _sides(bits: _Bits) -> tuple[int, int]:
    """AV1 5.5.1, up to the size."""
    bits.take(4)  # profile, still picture
    if bits.take(1):
        bits.take(5)  # level
    else:
        _skip_operating_points(bits)
    widths = [bits.take(4) + 1, bits.take(4) + 1]
    width, height = (bits.take(count) + 1 for count in widths)
    return width, height


def _skip_operating_points(bits: _Bits) -> None:
    delay = 0
    if bits.take(1):  # timing
        bits.take(64)
        if bits.take(1):
            bits.skip_variable()
        if bits.take(1):  # a model of the decoder
            delay = bits.take(5) + 1
            bits.take(42)
    display_delay = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if delay and bits.take(1):
            bits.take(2 * delay + 1)
        if display_delay and bits.take(1):
            bits.take(4)


def full_range(image: NDArray[Any], bits: int) -> NDArray[Any]:
    """Numbers of 10 or 12 bits as numbers of 16, white as 65535.

    >>> full_range(np.array([0, 1023], np.uint16), 10)
    array([    0, 65535], dtype=uint16)
    """
    most = (1 << bits) - 1
    return ((image.astype(np.uint32) * 65535 + most // 2) // most).astype(np.uint16)


def encode(
    cv2: Any, image: NDArray[Any], options: list[int], metadata: Metadata
) -> tuple[list[bytes | memoryview], list[str]]:
    """A file through OpenCV, which embeds profile, EXIF and XMP.

    Args:
        cv2: the module.
        image: in its channel order.
        options: for its encoder.
        metadata: upright, and of this picture's size.

    Returns:
        The file in parts, in order, none where it did not work; and the names of what has no place
        in it.
    """
    fields = ["profile", "exif", "xmp"]
    in_exif = exif_resolution(metadata.exif or b"") is not None
    lost = left_out(metadata, ["iptc", "text", *([] if in_exif else ["resolution"])])
    lost += [kind.decode() for kind, _ in metadata.colour if kind not in (b"sRGB", b"cICP")]
    if hasattr(cv2, "imencodeWithMetadata"):
        kinds = (cv2.IMAGE_METADATA_ICCP, cv2.IMAGE_METADATA_EXIF, cv2.IMAGE_METADATA_XMP)
        values = (getattr(metadata, field) for field in fields)
        said = [(kind, value) for kind, value in zip(kinds, values, strict=True) if value]
        done, encoded = cv2.imencodeWithMetadata(
            *(".avif", image, [kind for kind, _ in said]),
            *([np.frombuffer(value, np.uint8) for _, value in said], options),
        )
    else:  # before OpenCV 4.13
        lost += left_out(metadata, fields)
        done, encoded = cv2.imencode(".avif", image, options)
    if not done:
        return [], lost
    data = np.asarray(encoded, np.uint8).reshape(-1).data
    return _with_colours(data, metadata, lost), lost


def _with_colours(
    encoded: memoryview, metadata: Metadata, lost: list[str]
) -> list[bytes | memoryview]:
    """With the primaries and the transfer that are meant: OpenCV's encoder says sRGB."""
    said = dict(metadata.colour).get(b"cICP")
    if said is None:
        return [encoded]
    at = bytes(encoded[: _HEAD + len(metadata.profile or b"")]).find(b"colrnclx")
    if at < 0 or len(said) != 4:
        lost.append("cICP")
        return [encoded]
    return [encoded[: at + 8], struct.pack(">HH", said[0], said[1]), encoded[at + 12 :]]
