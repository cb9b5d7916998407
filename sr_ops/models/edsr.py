"""EDSR: residual blocks without normalisation at the small size, then pixels shuffled.

Lim et al., "Enhanced deep residual networks for single image super-resolution", CVPR workshops
2017, with the names of the layers of its PyTorch version: ``head.0``, ``body.N.body.0``,
``tail.0.N``, ``tail.1``; RGB in 0..255 inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from sr_ops.models.rest import resample_rest
from sr_ops.models.srcnn import Scale

__all__ = ["EDSR"]

#: From so many features on the blocks are weighted, or training would not be stable.
_WIDE = 256
#: Factor -> those of the steps in which it is reached.
_STEPS = {2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}


class EDSR(nn.Module):
    """Super-resolution by any factor around a network that knows only one.

    Args:
        upscale_factor: the network's own: 2, 3, 4 or 8.
        features: of the hidden layers.
        blocks: how many residual blocks.

    >>> import torch
    >>> EDSR(2, 8, 1)(torch.zeros(1, 3, 10, 20), 2.7).shape
    torch.Size([1, 3, 27, 54])
    """

    channels = 3

    def __init__(self, upscale_factor: int = 2, features: int = 64, blocks: int = 16) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor
        self.radius = 2 * blocks + 3 + len(_STEPS[upscale_factor])
        self.sub_mean, self.add_mean = _mean_shift(-1), _mean_shift(1)
        self.head = nn.Sequential(_conv(3, features))
        body = [_Block(features) for _ in range(blocks)]
        self.body = nn.Sequential(*body, _conv(features, features))
        steps: list[nn.Module] = []
        for step in _STEPS[upscale_factor]:
            steps += [_conv(features, step**2 * features), nn.PixelShuffle(step)]
        self.tail = nn.Sequential(nn.Sequential(*steps), _conv(features, 3))

    def forward(self, x: Tensor, scale: Scale | None = None) -> Tensor:
        """(N, 3, H, W) in 0..1 by any scale; by ``upscale_factor`` without one. Not clamped."""
        enlarged = self.enlarge(x)
        return enlarged if scale is None else resample_rest(enlarged, x, scale, self.upscale_factor)

    def enlarge(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 3, r H, r W), with r = ``upscale_factor``."""
        x = self.head(self.sub_mean(x * 255))
        result: Tensor = self.add_mean(self.tail(self.body(x) + x)) / 255
        return result

    @classmethod
    def from_state_dict(cls, state_dict: Mapping[str, Any]) -> EDSR | None:
        """An untrained network of the shape that the keys describe, or None if it isn't EDSR."""
        needed = ("sub_mean.weight", "head.0.weight", "tail.0.0.weight", "tail.1.weight")
        if not all(key in state_dict for key in needed) or state_dict[needed[1]].dim() != 4:
            return None
        features = int(state_dict["head.0.weight"].shape[0])
        blocks = sum(f"body.{i}.body.0.weight" in state_dict for i in range(len(state_dict)))
        rises = [key for key in state_dict if key.startswith("tail.0.") and key.endswith("weight")]
        grown = state_dict["tail.0.0.weight"].shape[0] / max(features, 1)
        factor = 3 if grown == 9 else 2 ** len(rises)
        return cls(factor, features, blocks) if factor in _STEPS and features else None


class _Block(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.body = nn.Sequential(_conv(features, features), nn.ReLU(), _conv(features, features))
        self.weight = 0.1 if features >= _WIDE else 1.0

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.body(x) * self.weight + x
        return result


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def _mean_shift(sign: int) -> nn.Conv2d:
    """DIV2K's mean colour, taken off or added."""
    layer = nn.Conv2d(3, 3, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(3)[..., None, None])
        layer.bias.copy_(sign * 255 * torch.tensor([0.4488, 0.4371, 0.4040]))  # type: ignore[union-attr]
    return layer
