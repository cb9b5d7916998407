"""Boxes of ISO base media files (ISO/IEC 14496-12, 23008-12), which AVIF and HEIF are made of.

Errors do not name the file; who calls does.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from sr_ops.errors import ImageError

__all__ = ["Item", "Items", "beginning", "brands", "content", "items", "tracks_frames", "walk"]

_MOST_EXTENTS = 10_000
#: Bytes of an item, by the length of the file: pieces of a crafted one share bytes.
_MOST_BYTES = 2


class Item(NamedTuple):
    """One thing in a file: a picture, a tile of it, its transparency, EXIF, XMP.

    Attributes:
        kind: "av01", "grid", "Exif", "mime", ….
        content: of a "mime", what it is.
        properties: (kind, body) of each.
        pieces: (start, end) in the file.
    """

    kind: bytes
    content: bytes
    properties: tuple[tuple[bytes, bytes], ...]
    pieces: tuple[tuple[int, int], ...]


class Items(NamedTuple):
    """What a file's "meta" box lists.

    Attributes:
        primary: the number of the item that is shown.
        by_number: all items.
        references: (kind, from, to) between them.
    """

    primary: int
    by_number: dict[int, Item]
    references: list[tuple[bytes, int, int]]


def walk(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """The boxes in a part of a file: kind, and where the body begins and ends.

    Raises:
        ImageError: a box ends beyond the part, or is smaller than its own head.
    """
    end = len(data) if end is None else end
    while start + 8 <= end:
        length, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, start + 8)
            head = 16
        elif length == 0:  # up to the end
            length = end - start
        if length < head:
            raise ImageError(f"a damaged file: a box of {length} bytes")
        if start + length > end:
            raise ImageError("the file is cut short")
        yield kind, start + head, start + length
        start += length


def brands(data: bytes) -> list[bytes]:
    """The formats that a file says it is of, the main one first."""
    for kind, start, end in walk(data):
        if kind == b"ftyp":
            return [data[start : start + 4], *(data[i : i + 4] for i in range(start + 8, end, 4))]
        break
    return []


def tracks_frames(data: bytes) -> int:
    """How many pictures the longest track of a file has; 0 without tracks."""
    places = [(0, len(data))]
    for wanted in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
        places = [
            (inner, last)
            for start, end in places
            for kind, inner, last in walk(data, start, end)
            if kind == wanted
        ]
    counts = (
        struct.unpack_from(">I", data, inner + 8)[0]
        for start, end in places
        for kind, inner, _ in walk(data, start, end)
        if kind in (b"stsz", b"stz2")
    )
    return max(counts, default=0)


def items(data: bytes) -> Items | None:
    """What the file's "meta" box lists; None without one.

    Raises:
        ImageError, IndexError, struct.error: cut short or damaged.
    """
    for kind, start, end in walk(data):
        if kind == b"meta":
            return _items(data, start + 4, end)
    return None


def _items(data: bytes, start: int, end: int) -> Items:
    found = {kind: (inner, last) for kind, inner, last in walk(data, start, end)}
    primary = _number(data, found[b"pitm"][0]) if b"pitm" in found else 0
    kinds = dict(_kinds(data, *found[b"iinf"])) if b"iinf" in found else {}
    places = _places(data, *found[b"iloc"], found.get(b"idat")) if b"iloc" in found else {}
    owned = _properties(data, *found[b"iprp"]) if b"iprp" in found else {}
    by_number = {
        number: Item(*kind, tuple(owned.get(number, ())), tuple(places.get(number, ())))
        for number, kind in kinds.items()
    }
    references = list(_references(data, *found[b"iref"])) if b"iref" in found else []
    return Items(primary, by_number, references)


def _number(data: bytes, start: int) -> int:
    """An item's number after a full box's head, whose version says how wide it is."""
    width = ">H" if data[start] == 0 else ">I"
    return int(struct.unpack_from(width, data, start + 4)[0])


def _kinds(data: bytes, start: int, end: int) -> Iterator[tuple[int, tuple[bytes, bytes]]]:
    for kind, inner, last in walk(data, start + (6 if data[start] == 0 else 8), end):
        if kind != b"infe" or data[inner] not in (2, 3):
            continue
        number, after = _number_of_entry(data, inner)
        content = data[after + 4 : last].split(b"\0")[1:2]  # behind the item's name
        yield number, (data[after : after + 4], b"".join(content))


def _number_of_entry(data: bytes, inner: int) -> tuple[int, int]:
    wide = data[inner] == 3
    (number,) = struct.unpack_from(">I" if wide else ">H", data, inner + 4)
    return number, inner + 4 + (4 if wide else 2) + 2  # a protection index lies between


def _places(
    data: bytes, start: int, end: int, inside: tuple[int, int] | None
) -> dict[int, list[tuple[int, int]]]:
    version = data[start]
    sizes, more = data[start + 4], data[start + 5]
    widths = (more & 15 if version else 0, sizes >> 4, sizes & 15)  # index, offset, length
    wide = ">I" if version == 2 else ">H"
    (count,) = struct.unpack_from(wide, data, start + 6)
    at, places, extents = start + 6 + struct.calcsize(wide), dict[int, list[tuple[int, int]]](), 0
    for _ in range(count):
        (number,) = struct.unpack_from(wide, data, at)
        at += struct.calcsize(wide)
        method = 0
        if version:
            method = data[at + 1] & 15
            at += 2
        base = _integer(data, at + 2, more >> 4, end)
        at += 2 + (more >> 4)
        (pieces,) = struct.unpack_from(">H", data, at)
        at += 2
        extents += pieces
        if extents > _MOST_EXTENTS or method > 1:
            raise ImageError("a damaged file: items in too many pieces, or made from others")
        origin = base + (inside[0] if method == 1 and inside is not None else 0)
        for _ in range(pieces):
            _, offset, length = (
                _integer(data, at + sum(widths[:i]), width, end) for i, width in enumerate(widths)
            )
            at += sum(widths)
            last = origin + offset + length if length else len(data)
            places.setdefault(number, []).append((origin + offset, last))
    return places


def _integer(data: bytes, at: int, width: int, end: int) -> int:
    if at + width > end:
        raise ImageError("the file is cut short")
    return int.from_bytes(data[at : at + width], "big")


def _properties(data: bytes, start: int, end: int) -> dict[int, list[tuple[bytes, bytes]]]:
    """Of every item: those of a list that is shared."""
    shared, owned = [(b"", b"")], dict[int, list[tuple[bytes, bytes]]]()
    for kind, inner, last in walk(data, start, end):
        if kind == b"ipco":
            shared += [(k, data[a:b]) for k, a, b in walk(data, inner, last)]
        elif kind == b"ipma":
            for number, index in _associations(data, inner):
                if index < len(shared):
                    owned.setdefault(number, []).append(shared[index])
    return owned


def _associations(data: bytes, start: int) -> Iterator[tuple[int, int]]:
    wide, long = ">I" if data[start] else ">H", data[start + 3] & 1
    (count,) = struct.unpack_from(">I", data, start + 4)
    at = start + 8
    for _ in range(count):
        (number,) = struct.unpack_from(wide, data, at)
        at += struct.calcsize(wide) + 1
        for _ in range(data[at - 1]):
            (index,) = struct.unpack_from(">H" if long else ">B", data, at)
            at += 2 if long else 1
            yield number, index & (0x7FFF if long else 0x7F)


def _references(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    wide = ">I" if data[start] else ">H"
    size = struct.calcsize(wide)
    for kind, inner, last in walk(data, start + 4, end):
        (source,) = struct.unpack_from(wide, data, inner)
        for at in range(inner + size + 2, last, size):
            yield kind, source, struct.unpack_from(wide, data, at)[0]


def content(data: bytes, item: Item) -> bytes:
    """The bytes of an item; none if they are more than the file has, twice over."""
    if sum(end - start for start, end in item.pieces) > _MOST_BYTES * len(data):
        return b""
    return b"".join(data[start:end] for start, end in item.pieces)


def beginning(data: bytes, item: Item, length: int) -> bytes:
    """The first bytes of an item, without a copy of the others."""
    found = b""
    for start, end in item.pieces:
        found += data[start : min(end, start + length - len(found))]
        if len(found) >= length:
            break
    return found
