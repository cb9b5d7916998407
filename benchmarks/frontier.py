"""Quality against speed: every bundled network and bicubic, at scales that are whole numbers."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import skimage.data
from end_to_end import load_network
from fsrcnn import fsrcnn
from measure import Contender

import sr_ops
from sr_ops.imaging.evaluation import evaluate
from sr_ops.models import bundled

SCALES = (2, 3, 4)
#: The pictures that no network has seen, those of docs/model-card.md.
HELD_OUT = ("astronaut", "chelsea", "coffee")


def frontier(threads: int) -> Iterator[tuple[dict[str, Any], dict[str, Contender]]]:
    """One case a scale, in which all networks take turns, in ONNX Runtime."""
    names = [name for name in bundled.names() if name != "bicubic"]
    networks: dict[str, Any] = {name: load_network(name, "ort", threads) for name in names}
    networks["bicubic"] = None
    image = np.ascontiguousarray(skimage.data.astronaut()[:320, :480])
    for scale in SCALES:
        small = np.ascontiguousarray(image[: 320 // scale, : 480 // scale])
        contenders: dict[str, Contender] = {
            name: functools.partial(sr_ops.upscale_image, small, scale, model=network)
            for name, network in networks.items()
        }
        contenders["FSRCNN, OpenCV"] = fsrcnn(small, scale)
        height, width = (side * scale for side in small.shape[:2])
        case = {
            "scale": scale,
            "megapixels": height * width / 1e6,
            "threads": threads,
            "psnr": _psnr(scale, networks),
        }
        yield case, contenders


def _psnr(scale: int, networks: dict[str, Any]) -> dict[str, float]:
    """dB of luma, a mean over the pictures."""
    values: dict[str, list[float]] = {}
    for picture in HELD_OUT:
        for score in evaluate(getattr(skimage.data, picture)(), scale, networks, name=picture):
            values.setdefault(score.model, []).append(score.psnr)
    return {model: round(float(np.mean(found)), 3) for model, found in values.items()}
