"""From picture to picture: colour, alpha and number form around a network or plain bicubic."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr_ops import _arguments
from sr_ops.errors import InvalidArgumentError
from sr_ops.imaging import colour
from sr_ops.imaging.bicubic import Door, bicubic, bicubic_door
from sr_ops.imaging.networks import Network, load_network

__all__ = ["upscale_image"]

Image = NDArray[Any]
Float32Image = NDArray[np.float32]


def upscale_image(
    image: Image,
    scale: Any = None,
    *,
    model: Any = None,
    backend: str = "auto",
    channel_order: str = "rgb",
) -> Image:
    """Upscale a picture by any factor.

    Args:
        image: (H, W) or (H, W, 1) gray, (H, W, 3) colour or (H, W, 4) colour with alpha; uint8,
            uint16 or float (in 0..1 for a model). Transparency is kept: colour is weighted by alpha
            while it is resampled.
        scale: a factor, or (scale_h, scale_w).
        model: None for plain bicubic; a checkpoint or ``.onnx`` file; an ``nn.Module`` such as
            :class:`sr_ops.models.SRCNN`. A network of one channel works on luma (full-range BT.601)
            and chroma is bicubic.
        backend: who computes: "torch", "ort" (ONNX Runtime), or "auto": ONNX Runtime for ``.onnx``
            files, torch for other models, and the numpy door, which needs neither, for bicubic.
        channel_order: "rgb" or "bgr" (OpenCV's), of ``image`` and of the result.

    Returns:
        The picture in the form and dtype of ``image``; integers rounded half to even and clamped.

    Raises:
        InvalidArgumentError: a bad scale, backend or channel order.
        InvalidTypeError, ImageError: an array that is no picture.
        CheckpointError, ModelError, FileError: a model that cannot be used.
        MissingDependencyError: the backend is not installed.

    >>> import numpy as np
    >>> upscale_image(np.zeros((10, 20, 3), np.uint8), 2.7).shape
    (27, 54, 3)
    """
    image = colour.check_image(image)
    if channel_order not in ("rgb", "bgr"):
        raise InvalidArgumentError(f"channel_order: got {channel_order!r}, expected 'rgb' or 'bgr'")
    factors = _arguments.parse_scale(scale)
    _arguments.resolve(image.shape[0], image.shape[1], factors, None)
    swap = channel_order == "bgr" and image.ndim == 3 and image.shape[2] >= 3
    if model is None:
        return _bicubic_image(image, factors, bicubic_door(backend))
    network = model if isinstance(model, Network) else load_network(model, backend)
    if swap:
        image = image[..., [2, 1, 0, 3][: image.shape[2]]]
    result = _network_image(image, factors, network)
    return np.ascontiguousarray(result[..., [2, 1, 0, 3][: image.shape[2]]]) if swap else result


def _bicubic_image(image: Image, scale: tuple[float, float], resample: Door) -> Image:
    """Plain bicubic; each channel alike, so that the channel order doesn't matter."""
    if image.ndim == 3 and image.shape[2] == 4:
        unit = colour.premultiply(colour.to_unit(image))
        return colour.from_unit(colour.unpremultiply(resample(unit, scale)), image.dtype)
    if image.dtype == np.uint16:
        return colour.from_unit(resample(colour.to_unit(image), scale), image.dtype)
    return resample(image, scale)


def _network_image(image: Image, scale: tuple[float, float], network: Network) -> Image:
    unit = colour.to_unit(image)
    has_alpha = unit.ndim == 3 and unit.shape[2] == 4
    if has_alpha:
        unit = colour.premultiply(unit)
        result = np.concatenate(
            [_colour(unit[..., :3], scale, network), bicubic(unit[..., 3:], scale)], axis=-1
        )
        result = colour.unpremultiply(result)
    elif unit.ndim == 3 and unit.shape[2] == 3:
        result = _colour(unit, scale, network)
    else:
        result = _gray(unit.reshape(unit.shape[:2]), scale, network)
        result = result.reshape(*result.shape, *image.shape[2:])
    return colour.from_unit(result, image.dtype)


def _colour(rgb: Float32Image, scale: tuple[float, float], network: Network) -> Float32Image:
    if network.channels == 3:
        return _run(network, rgb, scale)
    ycbcr = colour.rgb_to_ycbcr(rgb)
    luma = _run(network, ycbcr[..., :1], scale)
    chroma = bicubic(np.ascontiguousarray(ycbcr[..., 1:]), scale)
    return colour.ycbcr_to_rgb(np.concatenate([luma, chroma], axis=-1))


def _gray(gray: Float32Image, scale: tuple[float, float], network: Network) -> Float32Image:
    planes = np.repeat(gray[..., None], network.channels, axis=-1)
    return colour.to_gray(_run(network, planes, scale))


def _run(network: Network, image: Float32Image, scale: tuple[float, float]) -> Float32Image:
    """(H, W, C) through the network, which takes (1, C, H, W)."""
    planes = np.ascontiguousarray(image.transpose(2, 0, 1)[None])
    return np.ascontiguousarray(network.run(planes, scale)[0].transpose(1, 2, 0))
