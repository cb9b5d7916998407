"""What the bytes of a picture file say before anyone decodes them.

Decoders disagree on what to do with a file that was cut short (libjpeg paints the rest gray), with
the orientation that a camera noted, and with animations; and some files are a bomb. Here the
structure is read instead: PNG (W3C, PNG 3rd edition), JPEG (ITU-T T.81), WebP (RIFF), TIFF 6.0,
BMP and GIF89a, and AVIF by ``avif.py``; EXIF 2.32, ICC.1:2010 annex B and XMP part 3 for where each
of them keeps what it says.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from typing import NamedTuple

from sr_ops.errors import ImageError
from sr_ops.imaging.io import avif, tags
from sr_ops.imaging.io.metadata import (
    NO_METADATA,
    Metadata,
    Resolution,
    exif_of,
    exif_resolution,
)

__all__ = ["REFUSED", "SIGNATURE", "Container", "inspect", "recognise", "stored_tiff"]

#: Bytes from which a file can be recognised.
SIGNATURE = 12

_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _SAMPLES = 0x0100, 0x0101, 0x0102, 0x0106, 0x0115
_ORIENTATION, _EXTRA_SAMPLES, _XMP, _IPTC, _PROFILE = 0x0112, 0x0152, 700, 33723, 0x8773
_VITAL = frozenset({_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _SAMPLES})
_SEPARATED, _LAB_KINDS = 5, (8, 9, 10)  # among photometric interpretations
_ASSOCIATED, _UNASSOCIATED = 1, 2  # alpha, among the extra samples
_LARGEST_PART = 1 << 24  # bytes; what a compressed profile or packet may unpack to
_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 4, 6: 4}  # OpenCV decodes a palette, and gives alpha colour
_PNG_COLOUR = (b"gAMA", b"cHRM", b"sRGB", b"cICP")
_PNG_TEXT = (b"tEXt", b"zTXt", b"iTXt")
_AVIF_BRANDS = (b"avif", b"avis", b"mif1", b"msf1")
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx")
#: Kinds that are recognised, and not read: why, and what to do.
REFUSED = {
    "jxl": "a JPEG XL picture, which OpenCV's and Pillow's wheels cannot read; convert it first: "
    "djxl IN OUT.png, from the package libjxl-tools",
    "heic": "a HEIC picture, which OpenCV and Pillow cannot read; convert it first: "
    "heif-convert IN OUT.png, from the package libheif-examples",
}
_OS2_HEADER = 12  # bytes of a BMP's oldest header
#: JPEG's frame headers; DHT, JPG and DAC, whose codes lie between them, are none.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class Container(NamedTuple):
    """What a file is.

    Attributes:
        kind: "png", "jpeg", "webp", "tiff", "bmp" or "avif"; of a file's beginning alone also
            "gif", "jxl" and "heic", which are known to be refused.
        width, height: in pixels, as the file announces them; 0 where it doesn't.
        pixel_bytes: of a decoded pixel.
        orientation: EXIF's, 1 to 8; 1 is upright.
        premultiplied: the file's colours are those of a TIFF with associated alpha.
        scans: how often a JPEG's decoder goes over the picture.
        pages: pictures in a TIFF.
        metadata: what the file says beside its pixels.
        bits: of a channel, in an AVIF.
    """

    kind: str
    width: int = 0
    height: int = 0
    pixel_bytes: int = 4
    orientation: int = 1
    premultiplied: bool = False
    scans: int = 1
    pages: int = 1
    metadata: Metadata = NO_METADATA
    bits: int = 8


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
        ("gif", b"GIF87a"),
        ("gif", b"GIF89a"),
        ("jxl", b"\xff\x0a"),
        ("jxl", b"\0\0\0\x0cJXL \r\n\x87\n"),
    ):
        if head.startswith(signature) and (kind != "webp" or head[8:12] == b"WEBP"):
            return kind
    if head[4:8] == b"ftyp" and head[8:12] in (*_AVIF_BRANDS, *_HEIC_BRANDS):
        return "avif" if head[8:12] in _AVIF_BRANDS else "heic"
    raise ImageError(f"{name}: not a picture (PNG, JPEG, WebP, AVIF, TIFF or BMP)")


def inspect(data: bytes, name: str) -> Container:
    """Recognise a picture file, and refuse what cannot be used.

    Raises:
        ImageError: empty, cut short, an animation, or not a picture of these formats.
    """
    kind = recognise(data, name)
    if kind in REFUSED:
        raise ImageError(f"{name}: {REFUSED[kind]}")
    read = _READERS[kind]
    try:
        container = read(data, name)
    except (struct.error, IndexError):
        raise _cut(name) from None
    known = 1 <= container.orientation <= 8
    return container if known else container._replace(orientation=1)


def _png(data: bytes, name: str) -> Container:
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    size = _PNG_CHANNELS.get(colour, 4) * (2 if depth == 16 else 1)
    found: dict[bytes, bytes] = {}
    text: list[tuple[bytes, bytes]] = []
    xmp, position = b"", 8
    while True:
        length, kind = struct.unpack_from(">I4s", data, position)
        if len(data) < position + 12 + length:
            raise _cut(name)
        body = data[position + 8 : position + 8 + length] if kind != b"IDAT" else b""
        if kind == b"acTL":
            raise _animated(name, int.from_bytes(body[:4], "big"))
        if kind == b"iTXt" and body.startswith(b"XML:com.adobe.xmp\0"):
            xmp = body
        elif kind in _PNG_TEXT:
            text.append((kind, body))
        found[kind] = body
        if kind == b"IEND":
            break
        position += 12 + length
    exif = found.get(b"eXIf", b"")
    metadata = Metadata(
        profile=_unpacked(found.get(b"iCCP", b"")),
        exif=exif_of(exif),
        xmp=_xmp_text(xmp),
        resolution=_png_resolution(found.get(b"pHYs", b"")),
        text=tuple(text),
        colour=tuple((kind, found[kind]) for kind in _PNG_COLOUR if kind in found),
    )
    return Container("png", width, height, size, _exif_orientation(exif), metadata=metadata)


def _unpacked(body: bytes) -> bytes | None:
    """The profile in a PNG's chunk: its name, a zero, the method (zero too), then deflated."""
    return _inflated(body.partition(b"\0")[2][1:])


def _inflated(compressed: bytes) -> bytes | None:
    with contextlib.suppress(zlib.error):
        return zlib.decompressobj().decompress(compressed, _LARGEST_PART) or None
    return None


def _xmp_text(body: bytes) -> bytes | None:
    """The packet in a PNG's chunk: keyword, whether compressed, method, language, translation."""
    compressed, rest = body[18:19] == b"\1", body[20:]
    packet = rest.split(b"\0", 2)[-1]
    return _inflated(packet) if compressed else packet or None


def _png_resolution(body: bytes) -> Resolution | None:
    if len(body) != 9 or body[8] != 1:
        return None
    x, y = struct.unpack_from(">II", body)
    return Resolution(float(x), float(y)) if x and y else None


def _jpeg(data: bytes, name: str) -> Container:
    position, profile = 2, list[bytes]()
    size, exif, metadata = (0, 0, 3), b"", NO_METADATA
    while True:
        marker, code, length = struct.unpack_from(">BBH", data, position)
        if marker != 0xFF:
            raise ImageError(f"{name}: a damaged JPEG")
        if code == 0xFF:  # fill byte
            position += 1
            continue
        body = data[position + 4 : position + 2 + length]
        if code in _JPEG_FRAMES:
            _, height, width, channels = struct.unpack_from(">BHHB", body)
            size = (width, height, 1 if channels == 1 else 3)
        if code == 0xE0 and body.startswith(b"JFIF\0"):
            metadata = metadata._replace(resolution=_jfif_resolution(body))
        if code == 0xE1 and body.startswith(b"Exif\0\0"):
            exif = body[6:]
        if code == 0xE1 and body.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
            metadata = metadata._replace(xmp=body[29:])
        if code == 0xED and body.startswith(b"Photoshop 3.0\0"):
            metadata = metadata._replace(iptc=_photoshop_iptc(body[14:]))
        if code == 0xE2 and body.startswith(b"ICC_PROFILE\0"):
            profile.append(body[12:])  # begins with its number among the parts, and how many
        position += 2 + length
        if code == 0xDA:  # start of scan; inside scans FF is never followed by the end's D9
            if data.find(b"\xff\xd9", position) < 0:
                raise _cut(name)
            break
    metadata = metadata._replace(
        profile=b"".join(part[2:] for part in sorted(profile)) or None,
        exif=exif_of(exif),
        resolution=metadata.resolution or exif_resolution(exif),
    )
    scans = 1 + data.count(b"\xff\xda", position)
    return Container("jpeg", *size, _exif_orientation(exif), scans=scans, metadata=metadata)


def _jfif_resolution(body: bytes) -> Resolution | None:
    unit, x, y = struct.unpack_from(">BHH", body, 7)
    if unit not in (1, 2) or not x or not y:
        return None
    metre = 1 / 0.0254 if unit == 1 else 100
    return Resolution(x * metre, y * metre)


def _photoshop_iptc(resources: bytes) -> bytes | None:
    """The IPTC records among Photoshop's resources: a signature, a number, a name, a length."""
    position = 0
    with contextlib.suppress(struct.error, IndexError):
        while resources[position : position + 4] == b"8BIM":
            (number,) = struct.unpack_from(">H", resources, position + 4)
            position += 6 + (resources[position + 6] + 2) // 2 * 2
            (length,) = struct.unpack_from(">I", resources, position)
            if number == 0x0404:
                return resources[position + 4 : position + 4 + length] or None
            position += 4 + length + length % 2
    return None


def _webp(data: bytes, name: str) -> Container:
    (length,) = struct.unpack_from("<I", data, 4)
    if len(data) < 8 + length:
        raise _cut(name)
    parts: dict[bytes, bytes] = {}
    width, height, position, frames = 0, 0, 12, 0
    while position + 8 <= 8 + length:
        kind, size = struct.unpack_from("<4sI", data, position)
        if kind in (b"EXIF", b"ICCP", b"XMP "):
            parts[kind] = data[position + 8 : position + 8 + size]
        frames += kind == b"ANMF"
        if kind in (b"VP8X", b"VP8L", b"VP8 "):
            sides = _webp_sides(kind, data[position + 8 : position + 18])
            width, height = max(width, sides[0]), max(height, sides[1])
        position += 8 + size + size % 2
    if frames or (data[12:16] == b"VP8X" and data[20] & 0x02):
        raise _animated(name, frames)
    exif = parts.get(b"EXIF", b"").removeprefix(b"Exif\0\0")
    metadata = Metadata(
        profile=parts.get(b"ICCP") or None,
        exif=exif_of(exif),
        xmp=parts.get(b"XMP ") or None,
        resolution=exif_resolution(exif),
    )
    return Container("webp", width, height, 4, _exif_orientation(exif), metadata=metadata)


def _webp_sides(kind: bytes, body: bytes) -> tuple[int, int]:
    if kind == b"VP8X":
        return (
            1 + int.from_bytes(body[4:7], "little"),
            1 + int.from_bytes(body[7:10], "little"),
        )
    if kind == b"VP8L":
        (sides,) = struct.unpack_from("<I", body, 1)
        return 1 + (sides & 0x3FFF), 1 + (sides >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", body, 6)
    return width & 0x3FFF, height & 0x3FFF


def _tiff(data: bytes, name: str) -> Container:
    own = tags.read(data)
    if not own:
        raise _cut(name)
    photometric = tags.number(own.get(_PHOTOMETRIC))
    if photometric == _SEPARATED:
        raise ImageError(f"{name}: a CMYK TIFF; convert it to RGB first")
    if photometric in _LAB_KINDS:
        raise ImageError(f"{name}: a Lab TIFF; convert it to RGB first")
    # Decoders take the size in other types, too, and one of two that are given; then a limit would
    # be checked for another picture than the one that is decoded.
    vital = [tag for tag, _, _, _ in tags.entries(data) if tag in _VITAL]
    plain = all(tags.number(own.get(tag)) is not None for tag in set(vital) - {_BITS})
    if len(vital) != len(set(vital)) or not plain or own.get(_BITS, tags.short(8)).kind != 3:
        raise ImageError(f"{name}: a damaged TIFF: its size is given twice, or as no plain number")
    width, height = (tags.number(own.get(tag)) or 0 for tag in (_WIDTH, _HEIGHT))
    samples = max(tags.number(own.get(_SAMPLES)) or 1, 3 if photometric == 3 else 1)
    bits = own.get(_BITS)
    depth = int.from_bytes(bits.value[:2], "little") if bits is not None else 8
    metadata = Metadata(
        profile=own[_PROFILE].value if _PROFILE in own else None,
        exif=exif_of(data),
        xmp=own[_XMP].value if _XMP in own else None,
        iptc=own[_IPTC].value if _IPTC in own else None,
        resolution=exif_resolution(data),
    )
    return Container(
        "tiff",
        *(width, height, samples * max(1, (depth + 7) // 8)),
        orientation=tags.number(own.get(_ORIENTATION)) or 1,
        premultiplied=tags.number(own.get(_EXTRA_SAMPLES)) == _ASSOCIATED,
        pages=tags.pages(data),
        metadata=metadata,
    )


def stored_tiff(data: bytes) -> bytes:
    """The same TIFF without the notes that make libtiff turn it and multiply colour with alpha.

    OpenCV decodes through libtiff's picture interface, which follows these notes in some cases and
    not in others; without them the samples come as they are stored.
    """
    stored = bytearray(data)
    order = tags.byte_order(data)
    for tag, kind, count, place in tags.entries(data):
        if (kind, count) != (3, 1):
            continue
        (value,) = struct.unpack_from(f"{order}H", data, place)
        if tag == _ORIENTATION:
            struct.pack_into(f"{order}H", stored, place, 1)
        if tag == _EXTRA_SAMPLES and value == _UNASSOCIATED:
            struct.pack_into(f"{order}H", stored, place, _ASSOCIATED)
    return bytes(stored)


def _bmp(data: bytes, name: str) -> Container:
    (length,) = struct.unpack_from("<I", data, 2)
    if len(data) < length:
        raise _cut(name)
    (header,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if header == _OS2_HEADER else "<ii", data, 18)
    return Container("bmp", abs(width), abs(height))


def _gif(data: bytes, name: str) -> Container:
    """Refused, whatever is in it: it holds 256 colours, and mostly moves."""
    position = 13 + _gif_table(data[10])
    frames = 0
    while data[position] != 0x3B:  # the end
        if data[position] == 0x2C:  # a frame: its head, its colours, the width of its codes
            frames += 1
            position += 11 + _gif_table(data[position + 9])
        elif data[position] == 0x21:  # an extension, and its kind
            position += 2
        else:
            raise ImageError(f"{name}: a damaged GIF")
        while data[position]:
            position += 1 + data[position]
        position += 1
    if frames > 1:
        raise _animated(name, frames)
    raise ImageError(f"{name}: a GIF; convert it to PNG first")


def _gif_table(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _avif(data: bytes, name: str) -> Container:
    still = avif.read(data, name)
    if still.frames > 1:
        raise _animated(name, still.frames)
    colour = () if still.colour is None else ((b"cICP", bytes([*still.colour, 0, 1])),)
    metadata = Metadata(
        profile=still.profile,
        exif=exif_of(still.exif),
        xmp=still.xmp,
        resolution=exif_resolution(still.exif),
        colour=colour,
    )
    return Container(
        "avif",
        *(still.width, still.height, still.channels * (1 if still.bits == 8 else 2)),
        orientation=still.orientation,
        metadata=metadata,
        bits=still.bits,
    )


def _exif_orientation(exif: bytes) -> int:
    """EXIF is a TIFF without a picture."""
    return tags.number(tags.read(exif).get(_ORIENTATION)) or 1


def _cut(name: str) -> ImageError:
    return ImageError(f"{name}: the file is cut short")


def _animated(name: str, frames: int) -> ImageError:
    return ImageError(f"{name}: an animation of {frames} frames; extract one first")


_READERS = {
    **{"png": _png, "jpeg": _jpeg, "tiff": _tiff, "webp": _webp},
    **{"bmp": _bmp, "gif": _gif, "avif": _avif},
}
