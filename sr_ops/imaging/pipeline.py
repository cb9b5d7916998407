"""From picture to picture: colour, alpha and number form around a network or plain bicubic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr_ops.errors import ImageError, InvalidArgumentError
from sr_ops.imaging import colour, geometry, tiles
from sr_ops.imaging.bicubic import bicubic_door
from sr_ops.imaging.engine import Whole, Window
from sr_ops.imaging.geometry import Geometry, Rectangle
from sr_ops.imaging.networks import Network, load_network, pick_name

__all__ = ["check_memory", "upscale_image"]

Image = NDArray[Any]
Planes = NDArray[np.float32]
Engine = Whole | Window

#: How a network of three channels wants them.
COLOURS = ("rgb", "bgr255")


def upscale_image(
    image: Image,
    scale: Any = None,
    *,
    size: Any = None,
    width: int | None = None,
    height: int | None = None,
    max_side: int | None = None,
    model: Any = None,
    backend: str = "auto",
    channel_order: str = "rgb",
    colours: str = "rgb",
    tile: int | str | None = "auto",
    max_memory: int = tiles.DEFAULT_MEMORY,
    progress: Callable[[int, int], None] | None = None,
) -> Image:
    """Upscale a picture to any size.

    Args:
        image: (H, W) or (H, W, 1) gray, (H, W, 3) colour or (H, W, 4) colour with alpha; uint8,
            uint16 or float (in 0..1 for a model). Transparency is kept: colour is weighted by alpha
            while it is resampled.
        scale: a factor, or (scale_h, scale_w); or
        size: (height, width) of the result; or
        width, height: one of them, keeping the proportions, or both; or
        max_side: length of the longer side.
        model: None or "bicubic" for plain bicubic; the name of a bundled network
            (:func:`sr_ops.models.names`), or "espcn" for the one of that family that suits the
            scale; a checkpoint or ``.onnx`` file; an ``nn.Module`` such as
            :class:`sr_ops.models.SRCNN`. A network of one channel works on luma (full-range BT.601)
            and chroma is bicubic. A network of a fixed factor is followed by bicubic enlarging or
            antialiased shrinking.
        backend: who computes: "torch", "ort" (ONNX Runtime), or "auto": ONNX Runtime for ``.onnx``
            files and, where it is installed, for bundled networks, torch for other models, and the
            numpy door, which needs neither, for bicubic.
        channel_order: "rgb" or "bgr" (OpenCV's), of ``image`` and of the result.
        colours: how a network of three channels wants its input: "rgb" in 0..1, or "bgr255", BGR in
            0..255.
        tile: side of the pieces in which a model computes the result; "auto": as large as
            ``max_memory`` allows; None: in one piece. The pieces fit without seams.
        max_memory: bytes beside the picture and the result.
        progress: called as progress(done, total) after each piece.

    Returns:
        The picture in the form and dtype of ``image``; integers rounded half to even and clamped.

    Raises:
        InvalidArgumentError, InvalidTypeError: an argument is not accepted.
        ImageError: an array that is no picture, or a result larger than the memory that is free.
        CheckpointError, ModelError, FileError: a model that cannot be used.
        MissingDependencyError: the backend is not installed.

    >>> import numpy as np
    >>> upscale_image(np.zeros((10, 20, 3), np.uint8), 2.7).shape
    (27, 54, 3)
    """
    image = colour.check_image(image)
    _check_choice("channel_order", channel_order, ("rgb", "bgr"))
    _check_choice("colours", colours, COLOURS)
    g = geometry.resolve(
        image.shape[:2], scale=scale, size=size, width=width, height=height, max_side=max_side
    )
    check_memory(g, image)
    if model is None or model == "bicubic":
        network, door = None, bicubic_door(backend)  # complains of a backend that isn't there
        if image.dtype != np.uint16 and not _has_alpha(image):
            result = door(image, g)
            if progress is not None:
                progress(1, 1)
            return result
    else:
        network = _network(model, backend, g)
    rectangles = tiles.plan(g, network.traits if network else None, tile, max_memory)
    result = np.empty((g.out_height, g.out_width, *image.shape[2:]), image.dtype)
    for done, target in enumerate(rectangles, start=1):
        engine = _engine(g, network, target)
        crop = image[engine.source.rows, engine.source.columns]
        form = _Form(network, channel_order, colours)
        result[target.rows, target.columns] = form.render(crop, engine)
        if progress is not None:
            progress(done, len(rectangles))
    return result


def _engine(g: Geometry, network: Network | None, target: Rectangle) -> Engine:
    """A window even for a result in one piece, so that it has the bits of one in several."""
    if network is not None and network.traits.factor == 1 and network.traits.radius is None:
        return Whole(g, network)
    return Window(g, network, target)


class _Form:
    """What stands between a picture and the planes that engines take."""

    def __init__(self, network: Network | None, channel_order: str, colours: str) -> None:
        self._channels = network.traits.channels if network else None
        self._bgr = channel_order == "bgr"
        self._bgr255 = colours == "bgr255"

    def render(self, crop: Image, engine: Engine) -> Image:
        """A crop of the picture to the engine's part of the result, in the same form."""
        unit = colour.to_unit(crop)
        planes = unit.reshape(*unit.shape[:2], -1).transpose(2, 0, 1)
        if len(planes) == 4:
            planes = colour.premultiply(planes)
            result = np.concatenate([self._rgb(planes[:3], engine), engine.bicubic(planes[3:])])
            result = colour.unpremultiply(result)
        else:
            result = (self._rgb if len(planes) == 3 else self._gray)(planes, engine)
        image = np.ascontiguousarray(result.transpose(1, 2, 0))
        return colour.from_unit(image.reshape(*image.shape[:2], *crop.shape[2:]), crop.dtype)

    def _rgb(self, planes: Planes, engine: Engine) -> Planes:
        if self._channels is None:
            return engine.bicubic(planes)
        if self._channels == 3:
            turned = planes[::-1] if self._bgr != self._bgr255 else planes
            result = self._three(turned, engine)
            return result[::-1] if self._bgr != self._bgr255 else result
        ycbcr = colour.rgb_to_ycbcr(planes[::-1] if self._bgr else planes)
        result = np.concatenate([_run(ycbcr[:1], engine), engine.bicubic(ycbcr[1:])])
        rgb = colour.ycbcr_to_rgb(result)
        return rgb[::-1] if self._bgr else rgb

    def _gray(self, planes: Planes, engine: Engine) -> Planes:
        if self._channels is None:
            return engine.bicubic(planes)
        if self._channels == 1:
            return _run(planes, engine)
        result = self._three(np.repeat(planes, 3, axis=0), engine)
        return colour.luma(result[::-1] if self._bgr255 else result)

    def _three(self, planes: Planes, engine: Engine) -> Planes:
        if not self._bgr255:
            return _run(planes, engine)
        return np.asarray(_run(planes * np.float32(255), engine) / np.float32(255))


def _run(planes: Planes, engine: Engine) -> Planes:
    return engine.network(np.ascontiguousarray(planes))


def _network(model: Any, backend: str, g: Geometry) -> Network:
    if isinstance(model, Network):
        return model
    if isinstance(model, str):
        model = pick_name(model, max(g.scale_height, g.scale_width))
    return load_network(model, backend)


def _has_alpha(image: Image) -> bool:
    return image.ndim == 3 and image.shape[2] == 4


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InvalidArgumentError(f"{name}: got {value!r}, expected one of {', '.join(choices)}")


def check_memory(g: Geometry, image: Image) -> None:
    """Ask the machine before an allocation that would only fail when it is written to.

    Raises:
        ImageError: a result in the form of ``image`` is larger than the memory that is free.
    """
    needed = g.out_height * g.out_width * image[:1, :1].nbytes
    available = tiles.available_memory()
    if needed > available:
        raise ImageError(
            f"{'scale' if g.by_scale else 'size'}: the result, {g.out_width} x {g.out_height} "
            f"pixels, needs {needed / 2**30:.1f} GiB of memory; {available / 2**30:.1f} GiB are "
            "free"
        )
