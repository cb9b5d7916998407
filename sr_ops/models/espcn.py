"""ESPCN: convolutions at the small size, then pixels shuffled into a picture r times as large.

Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel
convolutional neural network", CVPR 2016, with the layers (and their names) of PyTorch's ONNX
tutorial: 5x5 to 64 channels, 3x3 to 64, 3x3 to 32, 3x3 to r*r, ReLU between.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from sr_ops import _arguments
from sr_ops.models.remainder import NUDGE, remaining_scale
from sr_ops.models.srcnn import Scale
from sr_ops.ops import dynamic_upscale

__all__ = ["ESPCN"]


class ESPCN(nn.Module):
    """Super-resolution by any factor around a network that knows only one.

    The network multiplies both sides by ``upscale_factor``; what remains to the wanted scale is
    done by :func:`sr_ops.dynamic_upscale`: bicubic enlarging, or antialiased shrinking (Pillow's
    kernel). Best where the wanted scale is ``upscale_factor`` or somewhat below.

    Args:
        upscale_factor: the network's own factor, an integer >= 1.
        channels: of the image; 1 for luma.
        features: of the three hidden layers.

    >>> import torch
    >>> ESPCN(3)(torch.zeros(1, 1, 10, 20), 2.7).shape
    torch.Size([1, 1, 27, 54])
    """

    def __init__(
        self,
        upscale_factor: int,
        channels: int = 1,
        features: tuple[int, int, int] = (64, 64, 32),
    ) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor
        self.conv1 = nn.Conv2d(channels, features[0], 5, padding=2)
        self.conv2 = nn.Conv2d(features[0], features[1], 3, padding=1)
        self.conv3 = nn.Conv2d(features[1], features[2], 3, padding=1)
        self.conv4 = nn.Conv2d(features[2], channels * upscale_factor**2, 3, padding=1)
        self.pixel_shuffle = nn.PixelShuffle(upscale_factor)

    @property
    def channels(self) -> int:
        """Channels of the image that ``forward`` takes and gives."""
        return self.conv1.in_channels

    @property
    def radius(self) -> int:
        """How far, in pixels of the small image, an output pixel of ``enlarge`` sees."""
        convolutions = (self.conv1, self.conv2, self.conv3, self.conv4)
        return sum(int(conv.kernel_size[0]) // 2 for conv in convolutions)

    def forward(self, x: Tensor, scale: Scale | None = None) -> Tensor:
        """Enlarge by ``upscale_factor``, then resample to the wanted scale.

        Args:
            x: (N, channels, H, W) floating point; 0..1 for the usual checkpoints.
            scale: whatever :func:`sr_ops.dynamic_upscale` takes, or None for the network's own
                factor; a tensor stays an input of the exported graph.

        Returns:
            (N, channels, H_out, W_out), as large as :func:`sr_ops.dynamic_upscale` would make
            ``x``; not clamped.

        Raises:
            InvalidArgumentError: a scale that is not finite and > 0, or has the wrong length.
            InvalidTypeError: an unsupported dtype, or a scale that is not a number.
        """
        enlarged = self.enlarge(x)
        if scale is None:
            return enlarged
        return dynamic_upscale(
            enlarged,
            _remaining_scale(scale, self.upscale_factor, x),
            cubic_coeff_a=-0.5,
            antialias=True,
            exclude_outside=True,
        )

    def enlarge(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, channels, r H, r W), with r = ``upscale_factor``."""
        x = torch.relu(self.conv1(x))
        x = torch.relu(self.conv2(x))
        x = torch.relu(self.conv3(x))
        x = self.pixel_shuffle(self.conv4(x))
        return x

    @classmethod
    def from_state_dict(cls, state_dict: Mapping[str, Any]) -> ESPCN | None:
        """An untrained network of the shape that the keys describe, or None if it isn't ESPCN."""
        weights = [
            state_dict[key] for i in (1, 2, 3, 4) if (key := f"conv{i}.weight") in state_dict
        ]
        if len(weights) != 4 or any(not isinstance(w, Tensor) or w.dim() != 4 for w in weights):
            return None
        channels = int(weights[0].shape[1])
        factor = math.isqrt(weights[3].shape[0] // channels)
        if factor < 1 or factor**2 * channels != weights[3].shape[0]:
            return None
        features = tuple(int(weight.shape[0]) for weight in weights[:3])
        return cls(factor, channels, features)  # type: ignore[arg-type]


def _remaining_scale(scale: Any, factor: int, x: Tensor) -> Any:
    """:func:`sr_ops.models.remainder.remaining_scale` for both axes of the images ``x``."""
    if not isinstance(scale, Tensor):
        pair = _arguments.parse_scale(scale)
        if not torch.compiler.is_compiling() and isinstance(x.shape[2], int):  # not in a trace
            sides = (int(x.shape[2]), int(x.shape[3]))
            return tuple(remaining_scale(s, factor, n) for s, n in zip(pair, sides, strict=True))
        scale = torch.cat([torch.full((1,), s) for s in pair])
    return _remaining_scale_in_graph(scale, factor, x)


def _remaining_scale_in_graph(scale: Tensor, factor: int, x: Tensor) -> Tensor:
    """The same arithmetic, where the scale, and perhaps the sides, are values of a graph."""
    spatial = scale.to(torch.float32).reshape(-1)[-2:]
    one = torch.ones(1, device=spatial.device)
    sides = torch.cat([one * x.shape[2], one * x.shape[3]])
    rest = spatial / factor
    missing = torch.floor(sides * spatial) - torch.floor(sides * factor * rest)
    return rest * (1 + missing * NUDGE)
