"""Encoded pictures in, an encoded picture out: for models exported with ``--image-io``."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from sr_ops import _arguments
from sr_ops.errors import ImageError, InvalidTypeError, MissingDependencyError, ModelError
from sr_ops.imaging import containers
from sr_ops.imaging.files import decode_image, encode_image
from sr_ops.imaging.jpeg_structure import check_jpeg

__all__ = ["is_picture_session", "upscale_encoded", "validate_encoded_image"]


def validate_encoded_image(data: Any, name: str | os.PathLike[str] = "picture") -> None:
    """Refuse what onnxruntime-extensions' ``DecodeImage`` must not be given.

    That operator ends the process, or never returns, when its bytes are not a whole PNG or JPEG.
    Call this before every ``session.run`` of a model exported with ``--image-io``, on bytes that
    come from elsewhere; :func:`upscale_encoded` does it by itself.

    Args:
        data: bytes, bytearray or memoryview of a picture file.
        name: what errors call it.

    Raises:
        InvalidTypeError: not bytes.
        ImageError: not PNG or JPEG; cut short, damaged or an animation; a JPEG that is CMYK, 12
            bits, lossless or arithmetic-coded.
        MissingDependencyError: OpenCV is not installed.

    >>> validate_encoded_image(b"GIF89a...")
    Traceback (most recent call last):
      ...
    sr_ops.errors.ImageError: picture: a GIF; convert it to PNG first
    """
    _checked(data, os.fspath(name))


def upscale_encoded(data: Any, scale: Any, model: Any) -> bytes:
    """Run a model exported with ``--image-io``: the bytes of a picture in, those of a PNG out.

    Args:
        data: bytes of a PNG or JPEG file. As the model sees them: 8 bits, transparency left out; a
            picture that EXIF says lies on its side is turned first.
        scale: a factor, or (scale_h, scale_w).
        model: path of the model; or a session from :func:`sr_ops.onnx.make_session`, which serves
            many pictures.

    Returns:
        A PNG file, 8 bits, RGB.

    Raises:
        InvalidTypeError, ImageError: as :func:`validate_encoded_image`.
        InvalidArgumentError: a scale that is not finite and > 0, or leaves no pixel.
        ModelError, FileError: a model of another kind, or none.
        MissingDependencyError: onnxruntime, onnxruntime-extensions or OpenCV is not installed.

    >>> upscale_encoded(b"", 2, "model.onnx")
    Traceback (most recent call last):
      ...
    sr_ops.errors.ImageError: picture: the file is empty
    """
    encoded, (height, width) = _checked(data, "picture")
    _arguments.resolve(height, width, scale, None)
    session = _session(model) if isinstance(model, (str, os.PathLike)) else model
    if not is_picture_session(session):
        raise ModelError(
            "model: expected one exported with --image-io: bytes and a scale as inputs"
        )
    image, factors = (value.name for value in session.get_inputs())
    feed = {
        image: np.frombuffer(encoded, np.uint8),
        factors: np.array(_arguments.parse_scale(scale), np.float32),
    }
    return bytes(session.run(None, feed)[0].tobytes())


def is_picture_session(session: Any) -> bool:
    """Whether a session's inputs are an encoded picture and a scale."""
    inputs = session.get_inputs()
    return (
        len(inputs) == 2
        and inputs[0].type == "tensor(uint8)"
        and len(inputs[0].shape) == 1
        and inputs[1].type == "tensor(float)"
    )


def _checked(data: Any, name: str) -> tuple[bytes, tuple[int, int]]:
    """The bytes, upright, and (height, width) of the picture in them."""
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise InvalidTypeError(f"data: got {type(data).__name__}, expected bytes")
    data = bytes(data)
    container = containers.inspect(data, name)
    if container.kind not in ("png", "jpeg"):
        raise ImageError(
            f"{name}: a {container.kind.upper()} file; the model decodes PNG and JPEG only"
        )
    if container.kind == "jpeg":
        check_jpeg(data, name)
    picture = decode_image(data, name)
    if container.orientation != 1:
        data = encode_image(picture, "upright.png")
    return data, picture.shape[:2]


def _session(model: str | os.PathLike[str]) -> Any:
    try:
        import sr_ops.onnx

        return sr_ops.onnx.make_session(model)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"{model} needs {error.name}: pip install 'sr-ops[ort]'"
        ) from error
