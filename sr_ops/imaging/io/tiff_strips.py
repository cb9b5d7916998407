"""Whether the strips and tiles of a TIFF can be unpacked whole.

OpenCV lets libtiff paint pictures of up to 8 bits, and libtiff goes on where a part is damaged.
Numbers of 16 bits it reads itself, and tells. So packed bytes are shown to it once more, as such
numbers. Deflated ones have a checksum, which libtiff does not look at.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator

from sr_ops.imaging.io import tags
from sr_ops.imaging.io.tags import Tag

__all__ = ["are_damaged"]

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 0x0100, 0x0101, 0x0102, 0x0103, 0x0106
_FILL_ORDER, _SAMPLES, _ROWS, _PLANAR = 0x010A, 0x0115, 0x0116, 0x011C
_STRIPS, _TILES = (0x0111, 0x0117), (0x0144, 0x0145)  # where they lie, and their lengths
_TILE_WIDTH, _TILE_HEIGHT = 0x0142, 0x0143
_DEFLATE, _LZW, _PACK_BITS = (8, 32946), 5, 32773
_YCBCR, _SEPARATE = 6, 2
_LONGEST_ROW = 1 << 20  # of OpenCV
#: Of what is unpacked at a time: numbers, and parts.
_NUMBERS, _PARTS = 1 << 25, 1 << 14

_Part = tuple[int, int]  # where it lies, and its packed length


def are_damaged(data: bytes, decodes: Callable[[bytes], bool]) -> bool:
    """Whether a part of the first picture does not unpack to the bytes that belong there.

    Damage that leaves no trace cannot be told: in bytes that are not packed, mostly in those by
    PackBits. Methods with checks of their own are left to them.

    Args:
        data: a TIFF.
        decodes: whether OpenCV can decode a file.
    """
    own = tags.read(data)
    method = tags.number(own.get(_COMPRESSION))
    if method in _DEFLATE:
        by_length, view = _parts(own), memoryview(data)
        most = max(by_length, default=0)  # as long as the others may be one that needs less
        return any(
            not _inflates(view[place : place + size], length, most)
            for length, parts in by_length.items()
            for place, size in parts
        )
    if method in (_LZW, _PACK_BITS) and max(_bits(own)) <= 8:
        return not all(map(decodes, _as_numbers(data, own)))
    return False


def _inflates(packed: memoryview, length: int, most: int) -> bool:
    """Whether at least so many bytes come out. Writers may add some, which libtiff leaves.

    The checksum lies behind the last byte, so it is seen where not too many were added.
    """
    try:
        unpacked = zlib.decompressobj().decompress(packed, 2 * most + 1)
    except zlib.error:
        return False
    return length <= len(unpacked)


def _as_numbers(data: bytes, own: dict[int, Tag]) -> Iterator[bytes]:
    """TIFFs of 16-bit numbers that hold the packed bytes, all of them together.

    Parts of an odd number of bytes keep a few at their ends to themselves.
    """
    for length, parts in _parts(own).items():
        numbers = length // 2
        rows = -(-numbers // _LONGEST_ROW)
        step = max(1, min(_PARTS // max(rows, 1), _NUMBERS // max(numbers, 1)))
        for first in range(0, len(parts) if rows else 0, step):
            some = parts[first : first + step]
            yield _numbers(data, own, some, (numbers // rows, rows))


def _bits(own: dict[int, Tag]) -> set[int]:
    return set(_numbers_of(own.get(_BITS))) or {1}


def _parts(own: dict[int, Tag]) -> dict[int, list[_Part]]:
    """Strips or tiles, by the bytes that each unpacks to; none where that cannot be told."""
    width, height = (tags.number(own.get(tag)) or 0 for tag in (_WIDTH, _HEIGHT))
    samples, bits = tags.number(own.get(_SAMPLES)) or 1, _bits(own)
    if (
        tags.number(own.get(_PHOTOMETRIC)) == _YCBCR or len(bits) != 1
    ):  # smaller by chroma, or mixed
        return {}
    planes = samples if tags.number(own.get(_PLANAR)) == _SEPARATE else 1
    row_bits = samples // planes * max(bits)
    if _TILE_WIDTH in own:
        across, down = (tags.number(own.get(tag)) or 0 for tag in (_TILE_WIDTH, _TILE_HEIGHT))
        if not across or not down:
            return {}
        lengths = [down * -(-across * row_bits // 8)] * (-(-width // across) * -(-height // down))
    else:
        rows = min(tags.number(own.get(_ROWS)) or height, height)
        starts = range(0, height, rows) if rows else ()
        lengths = [min(rows, height - start) * -(-width * row_bits // 8) for start in starts]
    named = _TILES if _TILE_WIDTH in own else _STRIPS
    places, sizes = (_numbers_of(own.get(tag)) for tag in named)
    if not len(places) == len(sizes) == len(lengths) * planes:
        return {}
    found: dict[int, list[_Part]] = {}
    for length, place, size in zip(lengths * planes, places, sizes, strict=True):
        found.setdefault(length, []).append((place, size))
    return found


def _numbers_of(tag: Tag | None) -> list[int]:
    """Short or long numbers; none of other kinds."""
    sign = {3: "H", 4: "I"}.get(tag.kind) if tag is not None else None
    if tag is None or sign is None:
        return []
    return list(struct.unpack(f"<{tag.elements}{sign}", tag.value))


def _numbers(data: bytes, own: dict[int, Tag], parts: list[_Part], sides: tuple[int, int]) -> bytes:
    """A TIFF of some parts below each other, each of as many numbers and rows.

    Its directory comes last, so that the parts lie where they did.
    """
    width, rows = sides
    place = len(data) + len(data) % 2
    columns = [
        Tag(4, len(parts), struct.pack(f"<{len(parts)}I", *column))
        for column in zip(*parts, strict=True)
    ]
    kept = {tag: own[tag] for tag in (_COMPRESSION, _FILL_ORDER) if tag in own}
    directory = kept | {
        _WIDTH: tags.long(width),
        _HEIGHT: tags.long(rows * len(parts)),
        _BITS: tags.short(16),
        _PHOTOMETRIC: tags.short(1),
        _STRIPS[0]: columns[0],
        _SAMPLES: tags.short(1),
        _ROWS: tags.long(rows),
        _STRIPS[1]: columns[1],
    }
    head = b"II*\0" + struct.pack("<I", place)
    return head + data[8:] + bytes(place - len(data)) + tags.write(directory, place)
