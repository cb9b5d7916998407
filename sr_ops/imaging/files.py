"""Picture files through OpenCV, with errors of our own and without partial files."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr_ops.errors import (
    FileError,
    ImageError,
    InvalidArgumentError,
    InvalidTypeError,
    MissingDependencyError,
)
from sr_ops.imaging import colour, containers

__all__ = [
    "decode_image",
    "encode_image",
    "make_folder",
    "read_image",
    "write_bytes",
    "write_image",
]

Image = NDArray[Any]

#: What OpenCV can write, as far as this package promises it.
WRITABLE = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
_SIXTEEN_BIT = (".png", ".tif", ".tiff")
_FLOAT = (".tif", ".tiff")
_ALPHA = (".png", ".webp", ".tif", ".tiff")


def read_image(path: str | os.PathLike[str], *, channel_order: str = "rgb") -> Image:
    """Read a picture.

    Args:
        path: a PNG, JPEG, WebP, TIFF or BMP file.
        channel_order: "rgb", or "bgr" for OpenCV's, which takes no copy.

    Returns:
        (H, W) gray, (H, W, 3) RGB or (H, W, 4) RGBA, upright as EXIF says; uint8, or uint16 or
        float32 where the file has them.

    Raises:
        InvalidArgumentError: another channel order.
        FileError: missing, a directory, not readable.
        ImageError: not a picture, cut short, damaged, or an animation.
        MissingDependencyError: OpenCV is not installed.

    >>> import tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "dot.png")
    >>> write_image(path, np.zeros((2, 3, 3), np.uint8)); read_image(path).shape
    (2, 3, 3)
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror or error}") from error
    return decode_image(data, path, channel_order=channel_order)


def decode_image(
    data: bytes, name: str | os.PathLike[str] = "picture", *, channel_order: str = "rgb"
) -> Image:
    """Decode a picture file's bytes; ``name`` is what errors call it. See :func:`read_image`."""
    cv2 = _cv2()
    _check_order(channel_order)
    container = containers.inspect(data, os.fspath(name))
    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    if container.kind == "tiff":
        data = containers.stored_tiff(data)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise ImageError(f"{name}: cannot be decoded: {error.err or error}") from error
    if image is None:
        raise ImageError(f"{name}: a damaged picture, or of a kind that OpenCV cannot decode")
    if image.dtype not in (np.uint8, np.uint16, np.float32, np.float64):
        raise ImageError(f"{name}: pixels of type {image.dtype}; 8 and 16 bits and float work")
    if container.premultiplied and image.ndim == 3 and image.shape[2] == 4:
        planes = colour.unpremultiply(colour.to_unit(image).transpose(2, 0, 1))
        image = colour.from_unit(planes.transpose(1, 2, 0), image.dtype)
    upright = np.ascontiguousarray(_turned(image, container.orientation))
    return _reordered(upright, channel_order)


def _turned(image: Image, orientation: int) -> Image:
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
) -> None:
    """Write a picture in the format that the file's ending names, whole or not at all.

    Args:
        path: ends in .png, .jpg, .jpeg, .webp, .tif, .tiff or .bmp; replaced if it exists.
        image: (H, W) gray, (H, W, 3) RGB or (H, W, 4) RGBA; uint8, or uint16 for PNG and TIFF, or
            float32 for TIFF.
        quality: 1 to 100, of JPEG (95 by default) and WebP (lossless by default).
        channel_order: "rgb", or "bgr" for OpenCV's, which takes no copy.

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
    write_bytes(path, _encoded(image, path, quality, channel_order).data)


def encode_image(
    image: Image,
    path: str | os.PathLike[str],
    *,
    quality: int | None = None,
    channel_order: str = "rgb",
) -> bytes:
    """The bytes of a picture file of the format that ``path`` ends in. See :func:`write_image`."""
    return _encoded(image, path, quality, channel_order).tobytes()


def _encoded(
    image: Image, path: str | os.PathLike[str], quality: int | None, channel_order: str
) -> NDArray[np.uint8]:
    cv2 = _cv2()
    _check_order(channel_order)
    suffix = Path(path).suffix.lower()
    if suffix not in WRITABLE:
        raise ImageError(f"{path}: no picture format ends in {suffix!r}; use {', '.join(WRITABLE)}")
    if image.dtype not in (np.uint8, np.uint16, np.float32):
        raise InvalidTypeError(f"image: got dtype {image.dtype}, expected uint8, uint16 or float32")
    if image.dtype == np.float32 and suffix not in _FLOAT:
        raise ImageError(f"{path}: {suffix} cannot hold floats; use .tif")
    if image.dtype == np.uint16 and suffix not in _SIXTEEN_BIT:
        raise ImageError(f"{path}: {suffix} cannot hold 16 bits per channel; use .png or .tif")
    if image.ndim == 3 and image.shape[2] == 4 and suffix not in _ALPHA:
        raise ImageError(f"{path}: {suffix} cannot hold transparency; use .png, .webp or .tif")
    try:
        ordered = _reordered(image, channel_order)
        done, encoded = cv2.imencode(suffix, ordered, _options(suffix, quality))
    except cv2.error as error:
        raise ImageError(f"{path}: cannot be encoded: {error.err or error}") from error
    if not done:
        raise ImageError(f"{path}: OpenCV cannot encode a picture of shape {image.shape}")
    return np.asarray(encoded, np.uint8)


def _options(suffix: str, quality: int | None) -> list[int]:
    cv2 = _cv2()
    flag = {".jpg": cv2.IMWRITE_JPEG_QUALITY, ".jpeg": cv2.IMWRITE_JPEG_QUALITY}.get(suffix)
    flag = cv2.IMWRITE_WEBP_QUALITY if suffix == ".webp" else flag
    if quality is None or flag is None:
        return []
    if isinstance(quality, bool) or not 1 <= quality <= 100:
        raise InvalidArgumentError(f"quality: got {quality}, expected 1 to 100")
    return [int(flag), quality]


def write_bytes(path: str | os.PathLike[str], data: bytes | memoryview) -> None:
    """Write a file whole or not at all: beside its place first, then renamed onto it.

    Raises:
        FileError: the folder is missing or read-only, the disk is full, …; nothing is left behind.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with open(temporary, "xb") as file:
            file.write(data)
        os.replace(temporary, target)
    except OSError as error:
        raise FileError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()  # still there only where something went wrong


def make_folder(path: str | os.PathLike[str]) -> None:
    """Create a folder, and those above it, where it is missing.

    Raises:
        FileError: it cannot be created, or is a file.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{path}: cannot be created: {error.strerror or error}") from error


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


def _cv2() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise MissingDependencyError(
            f"picture files need OpenCV ({error}): pip install 'sr-ops[image]'"
        ) from error
    return cv2
