"""VDSR: upscale first, then many 3x3 convolutions that add what is missing.

Kim et al., "Accurate image super-resolution using very deep convolutional networks", CVPR 2016: on
luma, without biases. Its PyTorch versions call the layers by many names; they are told by shapes.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from sr_ops._torch.ops import dynamic_upscale
from sr_ops.models.srcnn import Scale

__all__ = ["VDSR"]

_FEWEST_LAYERS = 8


class VDSR(nn.Module):
    """Super-resolution by any factor: the factor is an argument of ``forward``.

    Args:
        layers: how many convolutions.
        features: of the hidden layers.

    >>> import torch
    >>> VDSR(8, 4)(torch.zeros(1, 1, 10, 20), 2.7).shape
    torch.Size([1, 1, 27, 54])
    """

    channels = 1

    def __init__(self, layers: int = 20, features: int = 64) -> None:
        super().__init__()
        self.radius = layers
        widths = (1, *[features] * (layers - 1), 1)
        self.layers = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
            for inputs, outputs in itertools.pairwise(widths)
        )

    def forward(self, x: Tensor, scale: Scale) -> Tensor:
        """(N, 1, H, W) luma in 0..1 by any scale. Not clamped."""
        enlarged = dynamic_upscale(x, scale)
        x = enlarged
        *hidden, last = self.layers
        for layer in hidden:
            x = torch.relu(layer(x))
        result: Tensor = last(x) + enlarged
        return result

    @classmethod
    def from_state_dict(cls, state_dict: Mapping[str, Any]) -> VDSR | None:
        """An untrained network of the shapes of the weights, or None if it isn't VDSR."""
        ordered = _in_order(state_dict)
        if ordered is None:
            return None
        return cls(len(ordered), int(state_dict[ordered[0]].shape[0]))

    @staticmethod
    def renamed(state_dict: Mapping[str, Any]) -> dict[str, Any]:
        """Weights of VDSR, whatever they are called, under the names of this class."""
        ordered = _in_order(state_dict) or []
        return {f"layers.{i}.weight": state_dict[key] for i, key in enumerate(ordered)}


def _in_order(state_dict: Mapping[str, Any]) -> list[str] | None:
    """Names of the weights from the first layer to the last; None if they are not VDSR's."""
    shapes = {key: tuple(value.shape) for key, value in state_dict.items()}
    if len(shapes) < _FEWEST_LAYERS:
        return None
    features = max(shape[0] if shape else 0 for shape in shapes.values())
    first, inner, last = (
        [key for key, shape in shapes.items() if shape == wanted]
        for wanted in (
            (features, 1, 3, 3),
            (features, features, 3, 3),
            (1, features, 3, 3),
        )
    )
    if features < 2 or len(first) != 1 or len(last) != 1 or len(inner) != len(shapes) - 2:
        return None
    return [*first, *inner, *last]
