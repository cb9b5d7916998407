"""Picture files through OpenCV, with errors of our own and without partial files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sr_ops._files import followed, replacing
from sr_ops._masked import refuse_masked
from sr_ops.errors import (
    FileError,
    ImageError,
    InvalidArgumentError,
    InvalidTypeError,
    MissingDependencyError,
)
from sr_ops.imaging import colour
from sr_ops.imaging.io import avif, containers, embedding, tiff_strips
from sr_ops.imaging.io.containers import Container
from sr_ops.imaging.io.decoders_text import without_text
from sr_ops.imaging.io.limits import DEFAULT_MAX_PIXELS, check_cost
from sr_ops.imaging.io.metadata import NO_METADATA, Metadata
from sr_ops.imaging.io.places import cannot, place

__all__ = [
    "WRITABLE",
    "check_encodable",
    "decode",
    "decode_image",
    "encode",
    "encode_image",
    "opencv",
    "read_bytes",
    "read_image",
    "read_metadata",
    "read_profile",
    "read_stream",
    "turned",
    "without_idle_alpha",
    "write_bytes",
    "write_image",
]

Image = NDArray[Any]

#: What OpenCV can write, as far as this package promises it.
WRITABLE = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".avif", ".tif", ".tiff", ".bmp")
_SIXTEEN_BIT = (".png", ".tif", ".tiff")
_FLOAT = (".tif", ".tiff")
_ALPHA = (".png", ".webp", ".avif", ".tif", ".tiff")
#: Pixels of a side at most, by the formats' libraries.
_LONGEST_SIDE = {
    ".png": 1_000_000,
    ".jpg": 65_500,
    ".jpeg": 65_500,
    ".jfif": 65_500,
    ".webp": 16_383,
    ".avif": 32_768,
}


def read_image(
    path: str | os.PathLike[str],
    *,
    channel_order: str = "rgb",
    max_pixels: int | None = DEFAULT_MAX_PIXELS,
) -> Image:
    """Read a picture.

    Args:
        path: a PNG, JPEG, WebP, AVIF, TIFF or BMP file; of a TIFF with several pictures, the first.
        channel_order: "rgb", or "bgr" for OpenCV's, which takes no copy.
        max_pixels: width times height that are decoded; None for no limit. By default 179 million,
            and of a file that unpacks to more than 64 MiB, 640 times its own bytes.

    Returns:
        (H, W) gray, (H, W, 3) RGB or (H, W, 4) RGBA, upright as EXIF says; uint8, or uint16 or
        float32 where the file has them. 10 and 12 bits of an AVIF become 16.

    Raises:
        InvalidArgumentError: another channel order.
        FileError: missing, a directory, not readable.
        ImageError: not a picture, cut short, damaged, an animation, or too large.
        MissingDependencyError: OpenCV is not installed.

    >>> import tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "dot.png")
    >>> write_image(path, np.zeros((2, 3, 3), np.uint8)); read_image(path).shape
    (2, 3, 3)
    """
    return decode_image(read_bytes(path), path, channel_order=channel_order, max_pixels=max_pixels)


def read_profile(path: str | os.PathLike[str]) -> bytes | None:
    """The ICC colour profile in a picture file, for :func:`write_image`; None if it has none.

    Args:
        path: a picture file of any format that :func:`read_image` takes.

    Returns:
        The profile's bytes, as the file holds them.

    Raises:
        FileError, ImageError: as :func:`read_image`.

    >>> import tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "dot.png")
    >>> write_image(path, np.zeros((2, 3), np.uint8)); read_profile(path) is None
    True
    """
    return read_metadata(path).profile


def read_metadata(path: str | os.PathLike[str]) -> Metadata:
    """What a picture file says beside its pixels (EXIF, XMP, …), for :func:`write_image`.

    Args:
        path: a picture file of any format that :func:`read_image` takes.

    Returns:
        Named fields: ``profile``, ``exif``, ``xmp``, ``iptc``, ``resolution`` and so on; None or
        empty where the file does not say.

    Raises:
        FileError, ImageError: as :func:`read_image`.

    >>> import tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "dot.png")
    >>> write_image(path, np.zeros((2, 3), np.uint8)); read_metadata(path).profile is None
    True
    """
    return containers.inspect(read_bytes(path), os.fspath(path)).metadata


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a picture file. See :func:`read_stream`.

    Raises:
        FileError: missing, a directory, not readable.
        ImageError: empty, or not a picture.
    """
    try:
        with open(followed(path), "rb") as file:
            return read_stream(file, os.fspath(path))
    except FileError:
        raise
    except OSError as error:
        raise cannot(path, "read", error) from error


def read_stream(file: BinaryIO, name: str) -> bytes:
    """All of a picture; of anything else, which may have no end, no more than its beginning.

    Raises:
        ImageError: empty, or not a picture.
    """
    head = file.read(containers.SIGNATURE)
    containers.recognise(head, name)
    return head + file.read()


def decode_image(
    data: bytes,
    name: str | os.PathLike[str] = "picture",
    *,
    channel_order: str = "rgb",
    max_pixels: int | None = DEFAULT_MAX_PIXELS,
) -> Image:
    """Decode a picture file's bytes; ``name`` is what errors call it. See :func:`read_image`."""
    return decode(data, name, channel_order=channel_order, max_pixels=max_pixels)[0]


def decode(
    data: bytes,
    name: str | os.PathLike[str],
    *,
    channel_order: str = "rgb",
    max_pixels: int | None = DEFAULT_MAX_PIXELS,
    max_bytes: int | None = None,
) -> tuple[Image, Container]:
    """The picture in a file's bytes, and what the file says about it.

    Args:
        data, name, channel_order, max_pixels: as :func:`decode_image`.
        max_bytes: what the decoded picture may take; None for no limit.

    Raises:
        InvalidArgumentError, ImageError, MissingDependencyError: as :func:`read_image`.
    """
    cv2 = opencv()
    _check_order(channel_order)
    container = containers.inspect(data, os.fspath(name))
    if container.kind == "avif":
        _check_avif(name)
    check_cost(container, os.fspath(name), max_pixels, max_bytes, len(data))
    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    if container.kind == "tiff":
        data = containers.stored_tiff(data)
    try:
        with without_text(cv2):
            image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        reason = error.err or str(error)
        if "CV_IO_MAX_IMAGE" in reason:
            reason = (
                "too large; OPENCV_IO_MAX_IMAGE_PIXELS in the environment raises OpenCV's limit"
            )
        raise ImageError(f"{name}: cannot be decoded: {reason}") from error
    if image is None:
        raise ImageError(f"{name}: a damaged picture, or of a kind that OpenCV cannot decode")
    announced = (container.height, container.width)
    if 0 not in announced and image.shape[:2] != announced:
        raise ImageError(
            f"{name}: a damaged picture: it announces {container.width} x {container.height} "
            f"pixels, and holds {image.shape[1]} x {image.shape[0]}"
        )
    if container.kind == "tiff":
        _check_strips(data, name)
    if image.dtype not in (np.uint8, np.uint16, np.float32, np.float64):
        raise ImageError(f"{name}: pixels of type {image.dtype}; 8 and 16 bits and float work")
    if container.bits > 8:
        image = avif.full_range(image, container.bits)
    if container.premultiplied and image.ndim == 3 and image.shape[2] == 4:
        planes = colour.to_planes(image)
        colour.unpremultiply(planes)
        image = np.empty_like(image)
        colour.store(planes, image)
    upright = np.ascontiguousarray(turned(image, container.orientation))
    return _reordered(upright, channel_order), container


def _check_strips(data: bytes, name: str | os.PathLike[str]) -> None:
    """Refuse a TIFF that OpenCV decodes although a part of it is damaged."""
    cv2 = opencv()

    def decodes(tiff: bytes) -> bool:
        return cv2.imdecode(np.frombuffer(tiff, np.uint8), cv2.IMREAD_UNCHANGED) is not None

    with without_text(cv2):
        damaged = tiff_strips.are_damaged(data, decodes)
    if damaged:
        raise ImageError(
            f"{name}: a damaged TIFF: a part of it cannot be unpacked whole; save it anew from "
            "where it came"
        )


def turned(image: Image, orientation: int) -> Image:
    """Upright, from how EXIF says that the rows and columns lie."""
    if orientation in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return image


def write_image(
    path: str | os.PathLike[str],
    image: Image,
    *,
    quality: int | None = None,
    channel_order: str = "rgb",
    profile: bytes | None = None,
    metadata: Metadata = NO_METADATA,
) -> None:
    """Write a picture in the format that the file's ending names, whole or not at all.

    Args:
        path: ends in .png, .jpg, .jpeg, .webp, .avif, .tif, .tiff or .bmp; replaced if it exists.
        image: (H, W) gray, (H, W, 3) RGB or (H, W, 4) RGBA; uint8, or uint16 for PNG and TIFF, or
            float32 for TIFF.
        quality: 1 to 100, of JPEG and AVIF (95 by default) and WebP (lossless by default).
        channel_order: "rgb", or "bgr" for OpenCV's, which takes no copy.
        profile: an ICC colour profile, see :func:`read_profile`; left out where the format (BMP)
            has no place for it, and where it is of another colour space than the picture.
        metadata: more that the file shall say, see :func:`read_metadata`; what the format has no
            place for is left out. EXIF is set upright and to this size.

    Raises:
        FileError: the file cannot be written.
        InvalidArgumentError: another quality or channel order.
        ImageError: a format that cannot be written, or cannot hold this picture.
        MissingDependencyError: OpenCV is not installed.

    >>> write_image("picture.xyz", np.zeros((2, 3), np.uint8))
    Traceback (most recent call last):
      ...
    sr_ops.errors.ImageError: picture.xyz: no picture format ends in '.xyz'; use .png, .jpg, ...
    """
    if profile is not None:
        metadata = metadata._replace(profile=profile)
    write_bytes(path, *encode(image, path, quality, channel_order, metadata)[0])


def encode_image(
    image: Image,
    path: str | os.PathLike[str],
    *,
    quality: int | None = None,
    channel_order: str = "rgb",
    profile: bytes | None = None,
    metadata: Metadata = NO_METADATA,
) -> bytes:
    """The bytes of a picture file of the format that ``path`` ends in. See :func:`write_image`."""
    if profile is not None:
        metadata = metadata._replace(profile=profile)
    return b"".join(encode(image, path, quality, channel_order, metadata)[0])


def encode(
    image: Image,
    path: str | os.PathLike[str],
    quality: int | None = None,
    channel_order: str = "rgb",
    metadata: Metadata = NO_METADATA,
) -> tuple[Sequence[bytes | memoryview], list[str]]:
    """A file as :func:`write_image` writes it, in parts, and what of the metadata is not in it.

    In parts, in order: encoded pictures are large, and are not copied.

    Raises:
        InvalidTypeError, InvalidArgumentError, ImageError: as :func:`write_image`.
    """
    cv2 = opencv()
    refuse_masked("image", image)
    _check_order(channel_order)
    suffix = Path(path).suffix.lower()
    check_encodable(path, image.shape, image.dtype, quality)
    ordered = _reordered(image, channel_order)
    options = _options(suffix, quality)
    try:
        if suffix == ".avif":
            metadata, lost = embedding.prepared(metadata, ordered.shape)
            parts, unsaid = avif.encode(cv2, ordered, options, metadata)
            lost += unsaid
        else:
            form = ".jpg" if suffix == ".jfif" else suffix
            done, encoded = cv2.imencode(form, ordered, options)
            parts, lost = [np.asarray(encoded, np.uint8).reshape(-1).data] * bool(done), []
    except cv2.error as error:
        raise ImageError(f"{path}: cannot be encoded: {error.err or error}") from error
    if not parts:
        raise ImageError(f"{path}: OpenCV cannot encode a picture of shape {image.shape}")
    if suffix == ".avif" or metadata == NO_METADATA:
        return parts, lost
    return embedding.embed(memoryview(parts[0]), metadata, ordered.shape)


def check_encodable(
    path: str | os.PathLike[str],
    shape: tuple[int, ...],
    dtype: Any,
    quality: int | None = None,
) -> None:
    """Whether a picture can be written in the format that ``path`` ends in, before it is there.

    Raises:
        InvalidTypeError, InvalidArgumentError, ImageError: as :func:`write_image`.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in WRITABLE:
        raise ImageError(f"{path}: no picture format ends in {suffix!r}; use {', '.join(WRITABLE)}")
    if suffix == ".avif":
        _check_avif(path)
    if dtype not in (np.uint8, np.uint16, np.float32):
        raise InvalidTypeError(f"image: got dtype {dtype}, expected uint8, uint16 or float32")
    if dtype == np.float32 and suffix not in _FLOAT:
        raise ImageError(f"{path}: {suffix} cannot hold floats; use .tif")
    if dtype == np.uint16 and suffix not in _SIXTEEN_BIT:
        raise ImageError(f"{path}: {suffix} cannot hold 16 bits per channel; use .png or .tif")
    if len(shape) == 3 and shape[2] == 4 and suffix not in _ALPHA:
        raise ImageError(f"{path}: {suffix} cannot hold transparency; use .png, .webp or .tif")
    longest = _LONGEST_SIDE.get(suffix)
    if longest is not None and max(shape[:2]) > longest:
        raise ImageError(
            f"{path}: {suffix} cannot hold {shape[1]} x {shape[0]} pixels, only sides up to "
            f"{longest}"
        )
    _options(suffix, quality)


def without_idle_alpha(image: Image, path: str | os.PathLike[str]) -> Image:
    """Without an alpha channel that hides nothing, where the format has no place for it.

    >>> without_idle_alpha(np.full((2, 3, 4), 255, np.uint8), "screenshot.jpg").shape
    (2, 3, 3)
    """
    if image.ndim == 2 or image.shape[2] != 4 or Path(path).suffix.lower() in _ALPHA:
        return image
    opaque = np.iinfo(image.dtype).max if image.dtype.kind == "u" else 1
    return image[..., :3] if (image[..., 3] == opaque).all() else image


def _options(suffix: str, quality: int | None) -> list[int]:
    cv2 = opencv()
    flag = cv2.IMWRITE_JPEG_QUALITY if suffix in (".jpg", ".jpeg", ".jfif") else None
    flag = cv2.IMWRITE_WEBP_QUALITY if suffix == ".webp" else flag
    if suffix == ".avif":  # OpenCV's own choice is 37 dB, where JPEG's is 43
        flag, quality = cv2.IMWRITE_AVIF_QUALITY, 95 if quality is None else quality
    if quality is None or flag is None:
        return []
    if isinstance(quality, bool) or not 1 <= quality <= 100:
        raise InvalidArgumentError(f"quality: got {quality}, expected 1 to 100")
    return [int(flag), quality]


def write_bytes(path: str | os.PathLike[str], *parts: bytes | memoryview) -> None:
    """Write a file whole or not at all: beside its place first, then renamed onto it.

    Raises:
        FileError: the folder is missing or read-only, the disk is full, …; nothing is left behind.
    """
    place(path)
    try:
        with replacing(path) as draft, open(draft, "xb") as file:
            for part in parts:
                file.write(part)
    except OSError as error:
        raise cannot(path, "written", error) from error


def _check_order(channel_order: str) -> None:
    if channel_order not in ("rgb", "bgr"):
        raise InvalidArgumentError(f"channel_order: got {channel_order!r}, expected 'rgb' or 'bgr'")


def _reordered(image: Image, channel_order: str) -> Image:
    """From OpenCV's channel order, or to it."""
    if image.ndim == 2 or image.shape[2] == 1:
        return image.reshape(image.shape[:2])
    if channel_order == "bgr":
        return image
    order = [2, 1, 0, 3][: image.shape[2]]
    return np.ascontiguousarray(image[:, :, order])


def _check_avif(path: str | os.PathLike[str]) -> None:
    cv2 = opencv()
    if not cv2.haveImageWriter("picture.avif"):
        raise MissingDependencyError(
            f"{path}: this OpenCV ({cv2.__version__}) has no AVIF; pip install --upgrade "
            "opencv-python, whose release 5.0 has it"
        )


def opencv() -> Any:
    """The module cv2.

    Raises:
        MissingDependencyError: OpenCV is not installed.
    """
    try:
        import cv2
    except ImportError as error:
        raise MissingDependencyError(
            f"picture files need OpenCV ({error}): pip install 'sr-ops[image]'"
        ) from error
    return cv2
