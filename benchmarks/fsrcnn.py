"""OpenCV's super-resolution, as its module ``dnn_superres`` runs FSRCNN. Its speed alone is shown.

The module is in opencv-contrib only, and its weights are a download. What it does is a few calls of
OpenCV; how long they take does not depend on the weights, so these are random.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from measure import Contender
from torch import nn


def fsrcnn(image: np.ndarray, factor: int) -> Contender:
    """Enlarges (H, W, 3) uint8: luma by the network, chroma by bicubic."""
    network = _read(factor)

    def run() -> Any:
        luma, *chroma = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb))
        network.setInput(cv2.dnn.blobFromImage(luma, 1 / 255))
        levels = np.rint(network.forward()[0, 0].clip(0, 1) * 255).astype(np.uint8)
        size = (image.shape[1] * factor, image.shape[0] * factor)
        wide = [cv2.resize(plane, size, interpolation=cv2.INTER_CUBIC) for plane in chroma]
        return cv2.cvtColor(cv2.merge([levels, *wide]), cv2.COLOR_YCrCb2RGB)

    return run


def _read(factor: int) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "fsrcnn.onnx")
        # Without the size of the picture OpenCV would not know its own layers' sizes.
        torch.onnx.export(
            _network(factor), (torch.zeros(1, 1, 64, 64),), path,
            input_names=["x"], dynamic_axes={"x": {2: "h", 3: "w"}}, dynamo=False,
        )  # fmt: skip
        return cv2.dnn.readNetFromONNX(path)


def _network(factor: int) -> nn.Module:
    """FSRCNN(56, 12, 4) of Dong et al., "Accelerating the super-resolution ...", ECCV 2016."""
    middle = [layer for _ in range(4) for layer in (nn.Conv2d(12, 12, 3, padding=1), nn.PReLU(12))]
    return nn.Sequential(
        *(nn.Conv2d(1, 56, 5, padding=2), nn.PReLU(56), nn.Conv2d(56, 12, 1), nn.PReLU(12)),
        *(*middle, nn.Conv2d(12, 56, 1), nn.PReLU(56)),
        nn.ConvTranspose2d(56, 1, 9, factor, padding=4, output_padding=factor - 1),
    ).eval()
