"""Models of torchvision and timm, which do not go with the torch that sr_ops is developed with.

Run by `make matrix-torch`, in its environment.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import timm  # type: ignore[import-not-found]
import torch
from torchvision.transforms import InterpolationMode, v2  # type: ignore[import-not-found]

import sr_ops
from sr_ops.errors import ExportError

pytestmark = pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")


class Preprocessor(torch.nn.Module):
    """Shorter side to 64, centre crop, float, normalise."""

    def __init__(self) -> None:
        super().__init__()
        self.transforms = v2.Compose(
            [
                v2.Resize(64, interpolation=InterpolationMode.BICUBIC, antialias=True),
                v2.CenterCrop(56),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize([0.5] * 3, [0.25] * 3),
            ]
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Any uint8 pictures of one size."""
        result: torch.Tensor = self.transforms(x)
        return result


def picture(height: int, width: int) -> torch.Tensor:
    """Random bytes."""
    return torch.randint(256, (1, 3, height, width), dtype=torch.uint8)


def exported(model: torch.nn.Module, example: torch.Tensor, exporter: str) -> Any:
    """The file, of which every other size was checked."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # sizes that were not checked
        return sr_ops.onnx.export(model, (example,), exporter=exporter)


def test_torchvision() -> None:
    """Landscapes, portraits, squares, and what needs no resampling."""
    model = Preprocessor().eval()
    session = sr_ops.onnx.make_session(exported(model, picture(96, 128), "dynamo"))
    for size in [(96, 128), (128, 96), (100, 100), (65, 300), (301, 77), (64, 64)]:
        x = picture(*size)
        (y,) = session.run(None, {"x": x.numpy()})
        with sr_ops.compat.patch():  # torch itself rounds to bytes between its two passes
            expected = model(x).numpy()
        np.testing.assert_allclose(y, expected, atol=1.01 / 255 / 0.25)  # a level


def test_torchvision_by_the_old_exporter() -> None:
    """It is refused, with the other exporter's name."""
    with pytest.raises(ExportError, match="exporter='dynamo' keeps int"):
        exported(Preprocessor(), picture(96, 128), "torchscript")


@pytest.mark.parametrize("exporter", ["dynamo", "torchscript"])
def test_timm(exporter: str) -> None:
    """Position embeddings of any grid."""
    model = timm.create_model(
        "vit_tiny_patch16_224",
        img_size=64,
        embed_dim=16,
        depth=1,
        num_heads=2,
        num_classes=4,
        dynamic_img_size=True,
    )
    result = exported(model, torch.rand(1, 3, 64, 96), exporter)
    assert [n.op_type for n in result.graph.node if n.domain] == ["DynamicUpscaleToSizes"]
