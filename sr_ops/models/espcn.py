"""ESPCN: convolutions at the small size, then pixels shuffled into a picture r times as large.

Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel
convolutional neural network", CVPR 2016, with the layers (and their names) of PyTorch's ONNX
tutorial: 5x5 to 64 channels, 3x3 to 64, 3x3 to 32, 3x3 to r*r, ReLU between; or more of the 3x3.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from sr_ops.models.rest import resample_rest
from sr_ops.models.srcnn import Scale

__all__ = ["ESPCN"]

FEWEST_LAYERS = 4  # three are SRCNN's


class ESPCN(nn.Module):
    """Super-resolution by any factor around a network that knows only one.

    The network multiplies both sides by ``upscale_factor``; what remains to the wanted scale is
    done by :func:`sr_ops.dynamic_upscale`: bicubic enlarging, or antialiased shrinking (Pillow's
    kernel). Best where the wanted scale is ``upscale_factor`` or somewhat below.

    Args:
        upscale_factor: the network's own factor, an integer >= 1.
        channels: of the image; 1 for luma.
        features: of the hidden layers, three or more.

    >>> import torch
    >>> ESPCN(3)(torch.zeros(1, 1, 10, 20), 2.7).shape
    torch.Size([1, 1, 27, 54])
    """

    def __init__(
        self,
        upscale_factor: int,
        channels: int = 1,
        features: tuple[int, ...] = (64, 64, 32),
    ) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor
        widths = (channels, *features, channels * upscale_factor**2)
        for i, (inputs, outputs) in enumerate(itertools.pairwise(widths), start=1):
            kernel = 5 if i == 1 else 3
            layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
            self.add_module(f"conv{i}", layer)
        self.pixel_shuffle = nn.PixelShuffle(upscale_factor)

    @property
    def convolutions(self) -> list[nn.Conv2d]:
        """The layers, ``conv1`` first."""
        return [layer for layer in self.children() if isinstance(layer, nn.Conv2d)]

    @property
    def channels(self) -> int:
        """Channels of the image that ``forward`` takes and gives."""
        return self.convolutions[0].in_channels

    @property
    def radius(self) -> int:
        """How far, in pixels of the small image, an output pixel of ``enlarge`` sees."""
        return sum(conv.kernel_size[0] // 2 for conv in self.convolutions)

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
        return resample_rest(enlarged, x, scale, self.upscale_factor)

    def enlarge(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, channels, r H, r W), with r = ``upscale_factor``."""
        *hidden, last = self.convolutions
        for layer in hidden:
            x = torch.relu(layer(x))
        x = self.pixel_shuffle(last(x))
        return x

    @classmethod
    def from_state_dict(cls, state_dict: Mapping[str, Any]) -> ESPCN | None:
        """An untrained network of the shape that the keys describe, or None if it isn't ESPCN."""
        names = itertools.takewhile(
            state_dict.__contains__, map("conv{}.weight".format, itertools.count(1))
        )
        weights = [state_dict[name] for name in names]
        if len(weights) < FEWEST_LAYERS or not all(map(_is_kernel, weights)):
            return None
        channels = int(weights[0].shape[1])
        factor = math.isqrt(weights[-1].shape[0] // channels)
        if factor < 1 or factor**2 * channels != weights[-1].shape[0]:
            return None
        features = tuple(int(weight.shape[0]) for weight in weights[:-1])
        return cls(factor, channels, features)


def _is_kernel(weight: Any) -> bool:
    return isinstance(weight, Tensor) and weight.dim() == 4
