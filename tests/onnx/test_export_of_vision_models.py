"""Vision transformers that resample their position embeddings: dynamic files, proven by export."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch.nn import functional

import sr_ops
from sr_ops.errors import ExportError

pytestmark = pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
SMALL: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "image_size": 28,
    "patch_size": 7,
}
INTERPOLATE = {"interpolate_pos_encoding": True}
# Name -> the beginning of its classes' names in transformers, and the arguments of its forward.
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "ViT": ("ViT", INTERPOLATE),
    "CLIP": ("CLIPVision", INTERPOLATE),
    "DINOv2": ("Dinov2", {}),
    "DINOv2 with registers": ("Dinov2WithRegisters", {}),
}


class Features(torch.nn.Module):
    def __init__(self, name: str) -> None:
        super().__init__()
        import transformers  # seconds, which whoever only collects the tests need not wait for

        torch.manual_seed(0)
        classes, self.keywords = MODELS[name]
        config = getattr(transformers, f"{classes}Config")(**SMALL)
        self.model = getattr(transformers, f"{classes}Model")(config)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.model(x, **self.keywords).last_hidden_state
        return features


def nodes(model: Any) -> list[str]:
    return [node.op_type for node in model.graph.node if "Upscale" in node.op_type]


@pytest.mark.parametrize("name", MODELS)
def test_torchscript(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        exported = sr_ops.onnx.export(
            Features(name), (torch.rand(1, 3, 56, 84),), exporter="torchscript"
        )
    assert nodes(exported) == ["DynamicUpscaleToSizes"]


@pytest.mark.parametrize(
    "name",
    [name if name == "ViT" else pytest.param(name, marks=pytest.mark.long) for name in MODELS],
)
def test_dynamo(name: str) -> None:
    exported = sr_ops.onnx.export(Features(name), (torch.rand(1, 3, 56, 84),))
    assert nodes(exported) == ["DynamicUpscaleToSizes"]


class OriginalDino(torch.nn.Module):
    """How the original DINOv2 resamples: by factors that it makes as Python numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = torch.nn.Parameter(torch.rand(1, 17, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        height, width = x.shape[2] // 7, x.shape[3] // 7
        factors = (float(height + 0.1) / 4, float(width + 0.1) / 4)
        tokens = functional.interpolate(
            self.embeddings[:, 1:].reshape(1, 4, 4, 4).permute(0, 3, 1, 2),
            scale_factor=factors,
            mode="bicubic",
        )
        if (height, width) != tokens.shape[-2:]:  # an assert, which pytest rewrites
            raise AssertionError
        return tokens.permute(0, 2, 3, 1).reshape(1, -1, 4) + x.mean()


def test_factors_made_of_python_numbers() -> None:
    exported = sr_ops.onnx.export(OriginalDino(), (torch.rand(1, 3, 56, 84),))
    assert nodes(exported) == ["DynamicUpscale"]


def test_factors_made_of_python_numbers_are_refused_by_torchscript() -> None:
    with pytest.raises(ExportError, match=r"^verify: height is dynamic in name only.*'dynamo'"):
        sr_ops.onnx.export(OriginalDino(), (torch.rand(1, 3, 56, 84),), exporter="torchscript")
