"""From picture to picture: colour, alpha and number form around a network or plain bicubic."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr_ops.errors import ImageError, InvalidArgumentError
from sr_ops.imaging import colour, geometry, tiles, transparency, turns
from sr_ops.imaging.bicubic import check_backend, resample_image
from sr_ops.imaging.choice import AUTO, NO_RUNTIME, choose, with_advice
from sr_ops.imaging.engine import Whole, Window
from sr_ops.imaging.geometry import Geometry, Rectangle
from sr_ops.imaging.network import Network
from sr_ops.imaging.networks import load_network
from sr_ops.imaging.treatment import COLOURS, Treatment, check_choice

__all__ = ["check_memory", "upscale_image"]

Image = NDArray[Any]
Planes = NDArray[np.float32]
Engine = Whole | Window

#: What float32 may add to a sum that is 0 or 1.
_ROUNDING = np.float32(1e-6)


def upscale_image(
    image: Image,
    scale: Any = None,
    *,
    size: Any = None,
    width: int | None = None,
    height: int | None = None,
    max_side: int | None = None,
    model: Any = AUTO,
    backend: str = "auto",
    channel_order: str = "rgb",
    colours: str = "rgb",
    layout: str | None = None,
    value_range: float | None = None,
    enlarge: str | None = None,
    overlap: int | None = None,
    trust_torchscript: bool = False,
    best: bool = False,
    tile: int | str | None = "auto",
    max_memory: int = tiles.DEFAULT_MEMORY,
    progress: Callable[[int, int], None] | None = None,
) -> Image:
    """Upscale a picture to any size.

    Args:
        image: (H, W) or (H, W, 1) gray, (H, W, 3) colour or (H, W, 4) colour with alpha; uint8,
            uint16 or float (in 0..1 for a model). Transparency is kept: plain bicubic weights
            colour by alpha; a network sees colours that reach out under what is transparent, and
            sharpens alpha, too.
        scale: a factor, or (scale_h, scale_w); or
        size: (height, width) of the result; or
        width, height: one of them, keeping the proportions, or both; or
        max_side: length of the longer side.
        model: "auto" for the best of the bundled networks where the picture grows and onnxruntime
            or torch is installed, else plain bicubic, with a warning where that is for want of a
            runtime; None or "bicubic" for plain bicubic; the name of a bundled network
            (:func:`sr_ops.models.names`), or "espcn" for the best of that family; a checkpoint or
            ``.onnx`` file; an ``nn.Module`` such as :class:`sr_ops.models.SRCNN`. A network of one
            channel works on luma (full-range BT.601) and chroma is bicubic. A network of a fixed
            factor is followed by bicubic enlarging or antialiased shrinking.
        backend: who runs networks: "torch", "ort" (ONNX Runtime), or "auto": ONNX Runtime for
            ``.onnx`` files and, where it is installed, for bundled networks, torch for other
            models. Bicubic needs neither.
        channel_order: "rgb" or "bgr" (OpenCV's), of ``image`` and of the result.
        colours: how a network of three channels wants them: "rgb", "bgr", or "bgr255", BGR in
            0..255.
        layout: of an ``.onnx`` file's picture, where its shapes do not tell: "NCHW", "NHWC", "CHW"
            or "HWC".
        value_range: the value of white in a network's floating-point numbers, 1 or 255; without it
            the beginning and the end of an ``.onnx`` file tell, and it is 1 otherwise.
        enlarge: where the operator stands beside a network that keeps the size and takes no scale:
            "before" or "after" it.
        overlap: pixels by which a tile is grown on each side before the network gets it, in pixels
            of what it sees; without it as far as the network sees, which is found out where it does
            not say. With less, seams may show.
        trust_torchscript: whether ``model`` may be a TorchScript archive, which is a program and is
            run: for files whose origin you trust.
        best: whether a network's result is the mean of its answers to the picture turned and
            mirrored in all eight ways: eight times the work. Bicubic has no use for it.
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
    check_choice("channel_order", channel_order, ("rgb", "bgr"))
    check_choice("colours", colours, COLOURS)
    tiles.check(tile, max_memory)
    treatment = Treatment(layout, value_range, enlarge, overlap, trust_torchscript).checked()
    g = geometry.resolve(
        image.shape[:2], scale=scale, size=size, width=width, height=height, max_side=max_side
    )
    check_memory(g, image)
    larger = max(g.scale_height, g.scale_width)
    model, how = choose(model, larger, backend)
    if model is None:
        if how == NO_RUNTIME:
            warnings.warn(f"{how}: pip install 'sr-ops[ort]'", stacklevel=2)
        check_backend(backend)
        network = None
        if not _has_alpha(image) or _hides_nothing(image):
            result = resample_image(image, g)
            if progress is not None:
                progress(1, 1)
            return result
    else:
        if not isinstance(model, Network):
            model = with_advice(load_network(model, backend, treatment), larger)
            if model.note is not None:
                warnings.warn(f"{model.name}: {model.note}", stacklevel=2)
        network = _settled(model.at(larger), g, tile, max_memory, overlap)
        if best:
            network = turns.averaged(network)
    rectangles = tiles.plan(g, network.traits if network else None, tile, max_memory)
    if network is None:
        rectangles = [band for whole in rectangles for band in tiles.bands(whole)]
    result = np.empty((g.out_height, g.out_width, *image.shape[2:]), image.dtype)
    into = result
    if network is not None and _has_alpha(image):
        if transparency.is_opaque(image):
            result[..., 3] = image[0, 0, 3]
            image, into = image[..., :3], result[..., :3]
        elif transparency.is_transparent(image):
            result[...] = 0
            rectangles = []
        else:
            image = transparency.extend_colours(image)
    for done, wanted in enumerate(rectangles, start=1):
        engine = _engine(g, network, wanted)
        crop = image[engine.source.rows, engine.source.columns]
        form = _Form(network, channel_order, colours)
        form.render(crop, engine, into[wanted.rows, wanted.columns])
        if progress is not None:
            progress(done, len(rectangles))
    if not rectangles and progress is not None:
        progress(1, 1)
    return result


def _settled(
    network: Network, g: Geometry, tile: int | str | None, max_memory: int, overlap: int | None
) -> Network:
    """The network, with what must be known to cut the picture, where it has to be cut.

    Raises:
        InvalidArgumentError: it has to be, and the network's receptive field is unknown.
    """
    traits = network.traits
    cut = not tiles.fits_whole(g, traits, tile, max_memory)
    if network.tiles_fit is not None and (cut or overlap is not None) and not network.tiles_fit():
        return _uncut(network, g, tile, max_memory)
    if cut and traits.radius is None and network.measure is not None:
        traits = network.measure()
    if overlap is not None:
        traits = traits._replace(radius=overlap)
    network = network._replace(traits=traits)
    if traits.radius is None and not tiles.fits_whole(g, traits, tile, max_memory):
        what = f"tile: got {tile}" if tile != "auto" else f"max_memory: got {max_memory}"
        raise InvalidArgumentError(
            f"{what}, but {network.name} sees the whole picture, or farther than can be found out; "
            "pass overlap (--overlap), such as 32: tiles then differ from the whole, and seams may "
            "show"
        )
    return network


def _uncut(network: Network, g: Geometry, tile: int | str | None, max_memory: int) -> Network:
    """A network that gets the picture in one piece.

    Raises:
        InvalidArgumentError: the picture would have to be cut.
    """
    if network.measure is not None:  # how much memory it takes
        network = network._replace(traits=network.measure()._replace(radius=None))
    if not tiles.fits_whole(g, network.traits, tile, max_memory):
        what = f"tile: got {tile}" if tile != "auto" else f"max_memory: got {max_memory}"
        needed = math.ceil(tiles.whole_bytes(g, network.traits) / 2**20)
        raise InvalidArgumentError(
            f"{what}, but {network.name} takes a scale by which it does not enlarge before "
            "everything else, so that no tiles of it fit; leave tile out, and pass max_memory "
            f"of at least {needed} MiB (--max-memory {needed}M, times --jobs)"
        )
    return network


def _engine(g: Geometry, network: Network | None, wanted: Rectangle) -> Engine:
    """A window even for a result in one piece, so that it has the bits of one in several."""
    traits = network.traits if network is not None else None
    if network is not None and traits and traits.enlarged_before and traits.radius is None:
        return Whole(g, network)
    return Window(g, network, wanted)


class _Form:
    """What stands between a picture and the planes that engines take."""

    def __init__(self, network: Network | None, channel_order: str, colours: str) -> None:
        self._channels = network.traits.channels if network else None
        self._bgr = channel_order == "bgr"
        #: Whether the picture's three channels stand the other way round than the network's.
        self._turned = self._bgr != (colours != "rgb")
        self._network_bgr = colours != "rgb"
        self._bgr255 = colours == "bgr255"

    def render(self, crop: Image, engine: Engine, into: Image) -> None:
        """A crop of the picture to the engine's part of the result, in the same form."""
        planes = colour.to_planes(crop)
        if len(planes) == 4 and self._channels is None:
            colour.premultiply(planes)
            result = engine.bicubic(planes)
            colour.unpremultiply(result)
        elif self._channels == 4:
            result = self._four(planes, engine)
        elif len(planes) == 4:
            result = self._with_alpha(planes, engine)
        else:
            result = (self._rgb if len(planes) == 3 else self._gray)(planes, engine)
        colour.store(result, into)

    def _with_alpha(self, planes: Planes, engine: Engine) -> Planes:
        """Colours through the network as if nothing were transparent; and alpha, as a gray picture.

        Alpha stays what it is where it is all or nothing. Black where nothing can be seen.
        """
        plain = engine.bicubic(planes[3:])
        flat = np.minimum(np.abs(plain), np.abs(plain - 1)) < _ROUNDING
        alpha = np.where(flat, plain, self._gray(planes[3:], engine)).clip(0, 1)
        colours = self._rgb(planes[:3], engine)
        return np.concatenate([np.where(alpha > _ROUNDING, colours, np.float32(0)), alpha])

    def _rgb(self, planes: Planes, engine: Engine) -> Planes:
        if self._channels == 3:
            turned = planes[::-1] if self._turned else planes
            result = self._three(turned, engine)
            return result[::-1] if self._turned else result
        ycbcr = colour.rgb_to_ycbcr(planes[::-1] if self._bgr else planes)
        rgb = colour.ycbcr_to_rgb([*_run(ycbcr[:1], engine), *engine.bicubic(ycbcr[1:])])
        return rgb[::-1] if self._bgr else rgb

    def _gray(self, planes: Planes, engine: Engine) -> Planes:
        if self._channels == 1:
            return _run(planes, engine)
        result = self._three(np.repeat(planes, 3, axis=0), engine)
        return colour.luma(result[::-1] if self._network_bgr else result)

    def _four(self, planes: Planes, engine: Engine) -> Planes:
        """Through a network of colours and alpha; of a picture without alpha nothing is hidden."""
        colours = np.repeat(planes, 3, axis=0) if len(planes) == 1 else planes[:3]
        opaque = np.ones_like(planes[:1])
        alpha = planes[3:] if len(planes) == 4 else opaque
        turned = colours[::-1] if self._turned and len(planes) > 1 else colours
        result = self._three(np.concatenate([turned, alpha]), engine)
        if len(planes) == 1:
            return colour.luma(result[2::-1] if self._network_bgr else result[:3])
        back = result[2::-1] if self._turned else result[:3]
        return back if len(planes) == 3 else np.concatenate([back, result[3:]])

    def _three(self, planes: Planes, engine: Engine) -> Planes:
        if not self._bgr255:
            return _run(planes, engine)
        return np.asarray(_run(planes * np.float32(255), engine) / np.float32(255))


def _run(planes: Planes, engine: Engine) -> Planes:
    return engine.network(np.ascontiguousarray(planes))


def _has_alpha(image: Image) -> bool:
    return image.ndim == 3 and image.shape[2] == 4


def _hides_nothing(image: Image) -> bool:
    """Of integers, whose alpha cannot exceed one: colours then are what they are without it."""
    return image.dtype.kind == "u" and transparency.is_opaque(image)


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
