"""SRCNN: upscale first, then three convolutions on the upscaled image.

Dong, Loy, He, Tang, "Learning a deep convolutional network for image super-resolution", ECCV 2014:
9x9 to 64 channels (patch extraction), 1x1 to 32 (non-linear mapping), 5x5 back (reconstruction),
ReLU between. The names of the layers are MMEditing's, so that its checkpoints load as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from sr_ops._torch.ops import dynamic_upscale

__all__ = ["SRCNN", "Scale"]

Scale: TypeAlias = float | tuple[float, float] | list[float] | Tensor


class SRCNN(nn.Module):
    """Super-resolution by any factor: the factor is an argument of ``forward``.

    Args:
        channels: of the image; 3 for colour, 1 for luma.
        features: of the two hidden layers.
        kernel_sizes: of the three convolutions, odd.

    >>> import torch
    >>> SRCNN()(torch.zeros(1, 3, 10, 20), 2.7).shape
    torch.Size([1, 3, 27, 54])
    """

    def __init__(
        self,
        channels: int = 3,
        features: tuple[int, int] = (64, 32),
        kernel_sizes: tuple[int, int, int] = (9, 1, 5),
    ) -> None:
        super().__init__()
        widths = (channels, *features, channels)
        self.conv1, self.conv2, self.conv3 = (
            nn.Conv2d(widths[i], widths[i + 1], kernel, padding=kernel // 2)
            for i, kernel in enumerate(kernel_sizes)
        )

    @property
    def channels(self) -> int:
        """Channels of the image that ``forward`` takes and gives."""
        return self.conv1.in_channels

    @property
    def radius(self) -> int:
        """How far, in pixels of the upscaled image, an output pixel sees."""
        return sum(conv.kernel_size[0] // 2 for conv in (self.conv1, self.conv2, self.conv3))

    def forward(self, x: Tensor, scale: Scale) -> Tensor:
        """Upscale and restore.

        Args:
            x: (N, channels, H, W) floating point; 0..1 for the usual checkpoints.
            scale: whatever :func:`sr_ops.dynamic_upscale` takes; a tensor stays an input of the
                exported graph.

        Returns:
            (N, channels, H_out, W_out), not clamped.

        Raises:
            InvalidArgumentError: a scale that is not finite and > 0, or has the wrong length.
            InvalidTypeError: an unsupported dtype, or a scale that is not a number.
        """
        x = dynamic_upscale(x, scale)
        x = torch.relu(self.conv1(x))
        x = torch.relu(self.conv2(x))
        x = self.conv3(x)
        return x

    @classmethod
    def from_state_dict(cls, state_dict: Mapping[str, Any]) -> SRCNN | None:
        """An untrained network of the shape that the keys describe, or None if it isn't SRCNN."""
        weights = [state_dict[key] for i in (1, 2, 3) if (key := f"conv{i}.weight") in state_dict]
        if len(weights) != 3 or any(not isinstance(w, Tensor) or w.dim() != 4 for w in weights):
            return None
        first, second, third = weights
        return cls(
            channels=first.shape[1],
            features=(first.shape[0], second.shape[0]),
            kernel_sizes=(first.shape[-1], second.shape[-1], third.shape[-1]),
        )
