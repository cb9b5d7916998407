"""From picture to picture: every bundled model on every backend, and what of it is upscaling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnxruntime as ort
import skimage.data
from measure import Contender

import sr_ops
import sr_ops.numpy
from sr_ops.imaging import colour, geometry, networks
from sr_ops.imaging.engine import Window
from sr_ops.models import bundled
from sr_ops.models.traits import Traits

#: Model -> the scale to measure it at: somewhat below a fixed factor, so that resampling is left.
MODELS = {
    "bicubic": 2.7,
    "espcn_x2": 1.8,
    "espcn_x3": 2.7,
    "espcn_x4": 3.6,
    "multiscale": 2.7,
    "fast": 2.7,
    "srcnn": 2.7,
}


def models(threads: int) -> Iterator[tuple[dict[str, Any], dict[str, Contender]]]:
    """``upscale_image`` on a photograph; beside it the resampling alone that is part of it."""
    image = np.ascontiguousarray(skimage.data.astronaut()[:320, :480])
    for name, scale in MODELS.items():
        contenders = {"sr_ops upscaling alone": _upscaling(name, image, scale)}
        if name == "bicubic":  # the numpy front end's, whatever runs networks
            contenders["numpy"] = _picture(image, scale, None, "auto")
        else:
            for backend in ("torch", "ort"):
                network = load_network(name, backend, threads)
                contenders[backend] = _picture(image, scale, network, backend)
        height, width, _ = sr_ops.upscale_image(image, scale, model=None).shape
        megapixels = height * width / 1e6
        case = {"model": name, "scale": scale, "megapixels": megapixels, "threads": threads}
        yield case, contenders


def _picture(
    image: np.ndarray, scale: float, network: networks.Network | None, backend: str
) -> Contender:
    keywords = {"backend": backend, "model": network}
    return lambda: sr_ops.upscale_image(image, scale, tile=None, **keywords)


def load_network(name: str, backend: str, threads: int) -> networks.Network:
    """A bundled network whose session has so many threads."""
    if backend == "torch":
        return networks.load_network(name, backend)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    # Or the threads of whoever ran last take time from whoever runs now.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = sr_ops.onnx.make_session(bundled.find(name, ".onnx"), sess_options=options)
    traits = Traits.from_metadata(session.get_modelmeta().custom_metadata_map)

    def run(planes: np.ndarray, scale: tuple[float, float]) -> np.ndarray:
        return session.run(None, {"x": planes, "scale": np.float32(scale)})[0]

    return networks.Network(run, traits, name)


def _upscaling(name: str, image: np.ndarray, scale: float) -> Contender:
    """The resampling steps of a model's way from picture to picture, without convolutions."""
    if name == "bicubic":
        return lambda: sr_ops.numpy.dynamic_upscale(image, scale, layout="HWC", antialias=True)
    ycbcr = colour.rgb_to_ycbcr(colour.to_unit(image).transpose(2, 0, 1))
    traits = Traits.of(sr_ops.models.load(name)).at(scale)
    if traits.factor == 1:  # the operator on luma before the convolutions, and on chroma
        return lambda: sr_ops.numpy.dynamic_upscale(ycbcr[None], scale)
    enlarged = np.repeat(np.repeat(ycbcr[None, :1], traits.factor, 2), traits.factor, 3)
    g = geometry.resolve(image.shape[:2], scale=scale)
    whole = geometry.Rectangle(slice(0, g.out_height), slice(0, g.out_width))
    window = Window(g, networks.Network(lambda *_: enlarged, traits, name), whole)
    return lambda: (window.network(ycbcr[:1]), window.bicubic(ycbcr[1:]))
