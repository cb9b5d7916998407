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

from sr_ops.errors import FileError, ImageError, InvalidTypeError, MissingDependencyError

__all__ = ["decode_image", "encode_image", "read_image", "write_bytes", "write_image"]

Image = NDArray[Any]

#: What OpenCV can write, as far as this package promises it.
WRITABLE = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
_SIXTEEN_BIT = (".png", ".tif", ".tiff")
_ALPHA = (".png", ".webp", ".tif", ".tiff")


def read_image(path: str | os.PathLike[str]) -> Image:
    """Read a picture.

    Args:
        path: a PNG, JPEG, WebP, TIFF or BMP file.

    Returns:
        (H, W) gray, (H, W, 3) RGB or (H, W, 4) RGBA; uint8, or uint16 where the file has 16 bits.

    Raises:
        FileError: missing, a directory, not readable.
        ImageError: not a picture, or cut short.
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
    return decode_image(data, path)


def decode_image(data: bytes, name: str | os.PathLike[str] = "picture") -> Image:
    """Decode a picture file's bytes; ``name`` is what errors call it. See :func:`read_image`."""
    cv2 = _cv2()
    if not data:
        raise ImageError(f"{name}: the file is empty")
    # A JPEG has no alpha to lose, and OpenCV turns it as its EXIF says only in these modes.
    jpeg = data.startswith(b"\xff\xd8")
    flags = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH if jpeg else cv2.IMREAD_UNCHANGED
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise ImageError(f"{name}: cannot be decoded: {error.err or error}") from error
    if image is None:
        raise ImageError(f"{name}: not a picture (PNG, JPEG, WebP, TIFF or BMP), or a damaged one")
    return _swap_red_and_blue(image)


def write_image(path: str | os.PathLike[str], image: Image) -> None:
    """Write a picture in the format that the file's ending names, whole or not at all.

    Args:
        path: ends in .png, .jpg, .jpeg, .webp, .tif, .tiff or .bmp; replaced if it exists.
        image: (H, W) gray, (H, W, 3) RGB or (H, W, 4) RGBA; uint8, or uint16 for PNG and TIFF.

    Raises:
        FileError: the file cannot be written.
        ImageError: a format that cannot be written, or cannot hold this picture.
        MissingDependencyError: OpenCV is not installed.

    >>> write_image("picture.xyz", np.zeros((2, 3), np.uint8))
    Traceback (most recent call last):
      ...
    sr_ops.errors.ImageError: picture.xyz: no picture format ends in '.xyz'; use .png, .jpg, ...
    """
    write_bytes(path, encode_image(image, path))


def encode_image(image: Image, path: str | os.PathLike[str]) -> bytes:
    """The bytes of a picture file of the format that ``path`` ends in. See :func:`write_image`."""
    cv2 = _cv2()
    suffix = Path(path).suffix.lower()
    if suffix not in WRITABLE:
        raise ImageError(f"{path}: no picture format ends in {suffix!r}; use {', '.join(WRITABLE)}")
    if image.dtype not in (np.uint8, np.uint16):
        raise InvalidTypeError(f"image: got dtype {image.dtype}, expected uint8 or uint16")
    if image.dtype == np.uint16 and suffix not in _SIXTEEN_BIT:
        raise ImageError(f"{path}: {suffix} cannot hold 16 bits per channel; use .png or .tif")
    if image.ndim == 3 and image.shape[2] == 4 and suffix not in _ALPHA:
        raise ImageError(f"{path}: {suffix} cannot hold transparency; use .png, .webp or .tif")
    try:
        done, encoded = cv2.imencode(suffix, _swap_red_and_blue(image))
    except cv2.error as error:
        raise ImageError(f"{path}: cannot be encoded: {error.err or error}") from error
    if not done:
        raise ImageError(f"{path}: OpenCV cannot encode a picture of shape {image.shape}")
    return bytes(encoded)


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
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


def _swap_red_and_blue(image: Image) -> Image:
    """OpenCV's channel order to ours and back."""
    if image.ndim == 2 or image.shape[2] == 1:
        return image.reshape(image.shape[:2])
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
