"""Directories of tags, as TIFF 6.0 and EXIF 2.32 have them: read, changed, written anew.

A directory is read into little-endian values, whatever the file's byte order, so that it can be
put into another file, at another place.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

__all__ = [
    "EXIF_DIRECTORY",
    "GPS_DIRECTORY",
    "Tag",
    "byte_order",
    "entries",
    "long",
    "number",
    "pages",
    "rational",
    "read",
    "short",
    "to_tiff",
    "write",
]

EXIF_DIRECTORY, GPS_DIRECTORY = 0x8769, 0x8825
#: Bytes of an element, by the type's number.
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
#: What is turned round between byte orders: a rational is two numbers.
_UNITS = {**_WIDTHS, 5: 4, 10: 4}
_SHORT, _LONG, _RATIONAL = 3, 4, 5
_MOST_PAGES = 10_000
#: Values of a directory, together, by the length of the file: those of a crafted file share bytes,
#: and thousands of tags would each take the whole file.
_MOST_VALUES = 2


class Tag(NamedTuple):
    """One value: its type's number, how many elements, and their bytes, little-endian."""

    kind: int
    elements: int
    value: bytes


def byte_order(tiff: bytes) -> str:
    """``struct``'s sign for the byte order of a file."""
    return "<" if tiff.startswith(b"II") else ">"


def entries(tiff: bytes, offset: int | None = None) -> Iterator[tuple[int, int, int, int]]:
    """(tag, type, count, place of the value) in a directory; as far as it can be read.

    Args:
        tiff: the file.
        offset: of the directory; the first one by default.
    """
    order = byte_order(tiff)
    with contextlib.suppress(struct.error):
        if offset is None:
            (offset,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, offset)
        for start in range(offset + 2, offset + 2 + 12 * count, 12):
            yield (*struct.unpack_from(f"{order}HHI2x", tiff, start), start + 8)


def pages(tiff: bytes) -> int:
    """How many directories, and so pictures, a file has."""
    order, seen, offset = byte_order(tiff), set[int](), 0
    with contextlib.suppress(struct.error):
        (offset,) = struct.unpack_from(f"{order}I", tiff, 4)
        while offset and offset not in seen and len(seen) < _MOST_PAGES:
            (count,) = struct.unpack_from(f"{order}H", tiff, offset)
            seen.add(offset)
            (offset,) = struct.unpack_from(f"{order}I", tiff, offset + 2 + 12 * count)
    return len(seen)


def read(tiff: bytes, offset: int | None = None) -> dict[int, Tag]:
    """The tags of a directory; those whose values lie outside the file are left out.

    So are those that take more than the file has, twice over.
    """
    order, found, room = byte_order(tiff), {}, _MOST_VALUES * len(tiff)
    for tag, kind, count, place in entries(tiff, offset):
        length = _WIDTHS.get(kind, 0) * count
        if not 0 < length <= room:
            continue
        inside = length <= 4
        start = place if inside else struct.unpack_from(f"{order}I", tiff, place)[0]
        value = tiff[start : start + length]
        if len(value) == length:
            room -= length
            found[tag] = Tag(kind, count, value if order == "<" else _turned(value, _UNITS[kind]))
    return found


def _turned(value: bytes, unit: int) -> bytes:
    if unit == 1:
        return value
    return b"".join(value[i : i + unit][::-1] for i in range(0, len(value), unit))


def number(tag: Tag | None) -> int | None:
    """A single short or long number.

    >>> number(short(7))
    7
    """
    if tag is None or tag.elements != 1 or tag.kind not in (_SHORT, _LONG):
        return None
    return int.from_bytes(tag.value, "little")


def short(value: int) -> Tag:
    """A number below 65536."""
    return Tag(_SHORT, 1, struct.pack("<H", value))


def long(value: int) -> Tag:
    """A number of 32 bits."""
    return Tag(_LONG, 1, struct.pack("<I", value))


def rational(numerator: int, denominator: int = 1) -> Tag:
    """A fraction."""
    return Tag(_RATIONAL, 1, struct.pack("<II", numerator, denominator))


def write(
    tags: Mapping[int, Tag], place: int, below: Mapping[int, Mapping[int, Tag]] | None = None
) -> bytes:
    """A directory with its values, as the little-endian bytes that stand at ``place`` of a file.

    Args:
        tags: the directory's own.
        place: even.
        below: tag -> the tags of a directory of its own, to which that tag points.
    """
    below = {tag: inner for tag, inner in (below or {}).items() if inner}
    full = {**tags, **dict.fromkeys(below, long(0))}
    values = bytearray()
    start = place + 2 + 12 * len(full) + 4
    rows = []
    for tag in sorted(full):
        kind, count, value = full[tag]
        if tag in below:
            value = struct.pack("<I", start + len(values))
            values += write(below[tag], start + len(values))
        elif len(value) > 4:
            at = struct.pack("<I", start + len(values))
            values += value + bytes(len(value) % 2)
            value = at
        rows.append(struct.pack("<HHI4s", tag, kind, count, value))
    return struct.pack("<H", len(rows)) + b"".join(rows) + bytes(4) + bytes(values)


def to_tiff(tags: Mapping[int, Tag], below: Mapping[int, Mapping[int, Tag]]) -> bytes:
    """A file of nothing but directories: what EXIF is."""
    return b"II*\0" + struct.pack("<I", 8) + write(tags, 8, below)
