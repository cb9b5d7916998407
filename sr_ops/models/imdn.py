"""IMDN: features split off step by step, and weighed by their contrast over the whole picture.

Hui et al., "Lightweight image super-resolution with information multi-distillation network", ACM
Multimedia 2019, with the names of the layers of its PyTorch version.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from sr_ops.models.rest import resample_rest
from sr_ops.models.srcnn import Scale

__all__ = ["IMDN"]

_SLOPE = 0.05
_MODULES = 6


class IMDN(nn.Module):
    """Super-resolution by any factor around a network that knows only one.

    Every pixel sees the whole picture, by the contrast of its channels.

    Args:
        upscale_factor: the network's own.
        features: of the hidden layers, a multiple of 16.

    >>> import torch
    >>> IMDN(2, 16)(torch.rand(1, 3, 10, 20), 2.7).shape
    torch.Size([1, 3, 27, 54])
    """

    channels = 3

    def __init__(self, upscale_factor: int = 2, features: int = 64) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor
        self.fea_conv = nn.Conv2d(3, features, 3, padding=1)
        for i in range(1, _MODULES + 1):
            self.add_module(f"IMDB{i}", _Distillation(features))
        self.c = nn.Sequential(nn.Conv2d(_MODULES * features, features, 1), nn.LeakyReLU(_SLOPE))
        self.LR_conv = nn.Conv2d(features, features, 3, padding=1)
        self.upsampler = nn.Sequential(
            nn.Conv2d(features, 3 * upscale_factor**2, 3, padding=1),
            nn.PixelShuffle(upscale_factor),
        )

    def forward(self, x: Tensor, scale: Scale | None = None) -> Tensor:
        """(N, 3, H, W) in 0..1 by any scale; by ``upscale_factor`` without one. Not clamped."""
        enlarged = self.enlarge(x)
        return enlarged if scale is None else resample_rest(enlarged, x, scale, self.upscale_factor)

    def enlarge(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 3, r H, r W), with r = ``upscale_factor``."""
        first = self.fea_conv(x)
        results = []
        last = first
        for i in range(1, _MODULES + 1):
            last = self.get_submodule(f"IMDB{i}")(last)
            results.append(last)
        enlarged: Tensor = self.upsampler(self.LR_conv(self.c(torch.cat(results, 1))) + first)
        return enlarged

    @classmethod
    def from_state_dict(cls, state_dict: Mapping[str, Any]) -> IMDN | None:
        """An untrained network of the shape that the keys describe, or None if it isn't IMDN."""
        needed = ("fea_conv.weight", "IMDB1.cca.conv_du.0.weight", "upsampler.0.weight")
        if any(key not in state_dict or state_dict[key].dim() != 4 for key in needed):
            return None
        features = int(state_dict["fea_conv.weight"].shape[0])
        factor = math.isqrt(state_dict["upsampler.0.weight"].shape[0] // 3)
        return cls(factor, features) if factor and features and features % 16 == 0 else None


class _Distillation(nn.Module):
    """Four convolutions, each of which hands on three quarters of its features."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.split = [features // 4, features - features // 4]
        kept, passed = self.split
        self.c1 = nn.Conv2d(features, features, 3, padding=1)
        self.c2 = nn.Conv2d(passed, features, 3, padding=1)
        self.c3 = nn.Conv2d(passed, features, 3, padding=1)
        self.c4 = nn.Conv2d(passed, kept, 3, padding=1)
        self.c5 = nn.Conv2d(features, features, 1)
        self.cca = _Contrast(features)

    def forward(self, x: Tensor) -> Tensor:
        kept, passed = [], x
        for layer in (self.c1, self.c2, self.c3):
            distilled, passed = torch.split(leaky_relu(layer(passed), _SLOPE), self.split, 1)
            kept.append(distilled)
        result: Tensor = self.c5(self.cca(torch.cat([*kept, self.c4(passed)], 1))) + x
        return result


class _Contrast(nn.Module):
    """Channels weighted by their mean and deviation over the picture."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv_du = nn.Sequential(
            nn.Conv2d(features, features // 16, 1),
            nn.ReLU(),
            nn.Conv2d(features // 16, features, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((2, 3), keepdim=True)
        deviation = (x - mean).square().mean((2, 3), keepdim=True).sqrt()
        result: Tensor = x * self.conv_du(mean + deviation)
        return result
