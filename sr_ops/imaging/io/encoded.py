"""Encoded pictures in, an encoded picture out: for models exported with ``--image-io``."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr_ops import _arguments
from sr_ops.errors import ImageError, InvalidTypeError, MissingDependencyError, ModelError
from sr_ops.imaging import colour
from sr_ops.imaging.io import containers
from sr_ops.imaging.io.files import decode_image, opencv

__all__ = ["is_picture_session", "to_png", "upscale_encoded", "validate_encoded_image"]


def to_png(data: Any, name: str | os.PathLike[str] = "picture") -> bytes:
    """A picture file as the PNG that onnxruntime-extensions' ``DecodeImage`` may be given.

    That operator ends the process, or never returns, when its bytes are not a whole PNG or JPEG,
    and it enlarges a JPEG's chroma in another way than OpenCV. So give it what this returns.

    Args:
        data: bytes, bytearray or memoryview of a picture file of any format that
            :func:`sr_ops.imaging.read_image` takes.
        name: what errors call it.

    Returns:
        A PNG file: RGB, 8 bits, upright, without transparency.

    Raises:
        InvalidTypeError: not bytes.
        ImageError: not a picture, cut short, damaged or an animation.
        MissingDependencyError: OpenCV is not installed.

    >>> to_png(b"GIF89a......")
    Traceback (most recent call last):
      ...
    sr_ops.errors.ImageError: picture: the file is cut short
    """
    return _png(_decoded(data, os.fspath(name)))


def validate_encoded_image(data: Any, name: str | os.PathLike[str] = "picture") -> None:
    """Refuse what onnxruntime-extensions' ``DecodeImage`` must not be given as it is.

    Only a whole PNG passes: that operator ends the process on some damaged JPEGs. Everything else
    goes through :func:`to_png` first. :func:`upscale_encoded` does that by itself.

    Args:
        data: bytes, bytearray or memoryview of a picture file.
        name: what errors call it.

    Raises:
        InvalidTypeError: not bytes.
        ImageError: not a PNG; cut short, damaged or an animation.
        MissingDependencyError: OpenCV is not installed.

    >>> validate_encoded_image(b"\\xff\\xd8\\xff\\xe0")
    Traceback (most recent call last):
      ...
    sr_ops.errors.ImageError: picture: a JPEG file; give the model what sr_ops.imaging.to_png...
    """
    data, label = _as_bytes(data), os.fspath(name)
    kind = containers.recognise(data, label)
    if kind != "png":
        raise ImageError(
            f"{label}: a {kind.upper()} file; give the model what sr_ops.imaging.to_png makes of it"
        )
    decode_image(data, label)


def upscale_encoded(data: Any, scale: Any, model: Any) -> bytes:
    """Run a model exported with ``--image-io``: the bytes of a picture in, those of a PNG out.

    Args:
        data: bytes of a picture file of any format that :func:`sr_ops.imaging.read_image` takes.
            The model sees what :func:`to_png` makes of them: 8 bits, upright, without transparency.
        scale: a factor, or (scale_h, scale_w).
        model: path of the model; or a session from :func:`sr_ops.onnx.make_session`, which serves
            many pictures.

    Returns:
        A PNG file, 8 bits, RGB.

    Raises:
        InvalidTypeError, ImageError: as :func:`to_png`.
        InvalidArgumentError: a scale that is not finite and > 0, or leaves no pixel.
        ModelError, FileError: a model of another kind, or none.
        MissingDependencyError: onnxruntime, onnxruntime-extensions or OpenCV is not installed.

    >>> upscale_encoded(b"", 2, "model.onnx")
    Traceback (most recent call last):
      ...
    sr_ops.errors.ImageError: picture: the file is empty
    """
    picture = _decoded(data, "picture")
    _arguments.resolve(picture.shape[0], picture.shape[1], scale, None)
    session = _session(model) if isinstance(model, (str, os.PathLike)) else model
    if not is_picture_session(session):
        raise ModelError(
            "model: expected one exported with --image-io: bytes and a scale as inputs"
        )
    image, factors = (value.name for value in session.get_inputs())
    feed = {
        image: np.frombuffer(_png(picture), np.uint8),
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


def _as_bytes(data: Any) -> bytes:
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise InvalidTypeError(f"data: got {type(data).__name__}, expected bytes")
    return bytes(data)


def _decoded(data: Any, name: str) -> NDArray[Any]:
    return decode_image(_as_bytes(data), name, channel_order="bgr")


def _png(picture: NDArray[Any]) -> bytes:
    """Of a picture in OpenCV's channel order. Hardly compressed: it is decoded at once."""
    cv2 = opencv()
    if picture.dtype != np.uint8:
        picture = colour.from_unit(colour.to_unit(picture), np.uint8)
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=2)
    _, png = cv2.imencode(
        ".png", np.ascontiguousarray(picture[..., :3]), [cv2.IMWRITE_PNG_COMPRESSION, 1]
    )
    return bytes(png.tobytes())


def _session(model: str | os.PathLike[str]) -> Any:
    try:
        import sr_ops.onnx

        return sr_ops.onnx.make_session(model)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"{model} needs {error.name}: pip install 'sr-ops[ort]'"
        ) from error
