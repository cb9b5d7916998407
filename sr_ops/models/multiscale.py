"""MultiScale: one body of convolutions at the small size, and an end for each of several factors.

Sub-pixel convolution as in ESPCN (Shi et al. 2016); a body shared by the factors, each with its
own last layer, as in MDSR (Lim et al., "Enhanced deep residual networks for single image
super-resolution", CVPR workshops 2017); and the input added to every sub-pixel, so that the
convolutions make the difference only (Du et al., "Anchor-based plain net", CVPR workshops 2021).
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sr_ops import _arguments
from sr_ops.models.rest import resample_rest
from sr_ops.models.srcnn import Scale
from sr_ops.models.traits import choose_factor

__all__ = ["MultiScale"]


class MultiScale(nn.Module):
    """Super-resolution by any factor from one network of 3x3 convolutions.

    Args:
        features: of the hidden layers; ReLU follows each (a PReLU keeps ONNX Runtime from its
            blocked layout: half as fast).
        factors: whose last layers there are, integers >= 2.
        channels: of the image; 1 for luma.

    >>> import torch
    >>> MultiScale((8, 8))(torch.zeros(1, 1, 10, 20), 2.7).shape
    torch.Size([1, 1, 27, 54])
    """

    body: nn.ModuleList
    tails: nn.ModuleDict

    def __init__(
        self,
        features: Sequence[int] = (32,) * 7,
        factors: Sequence[int] = (2, 3, 4),
        channels: int = 1,
    ) -> None:
        super().__init__()
        self.body = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 3, padding=1)
            for inputs, outputs in itertools.pairwise((channels, *features))
        )
        self.tails = nn.ModuleDict(
            {str(r): nn.Conv2d(features[-1], channels * r * r, 3, padding=1) for r in factors}
        )

    @property
    def factors(self) -> tuple[int, ...]:
        """What ``enlarge`` can multiply both sides by."""
        return tuple(int(key) for key in self.tails)

    @property
    def channels(self) -> int:
        """Channels of the image that ``forward`` takes and gives."""
        first = self.body[0]
        assert isinstance(first, nn.Conv2d)
        return first.in_channels

    @property
    def radius(self) -> int:
        """How far, in pixels of the small image, an output pixel of ``enlarge`` sees."""
        return len(self.body) + 1

    def forward(self, x: Tensor, scale: Scale) -> Tensor:
        """Enlarge by the factor that suits the scale, then resample to the wanted scale.

        Args:
            x: (N, channels, H, W) floating point, in 0..1.
            scale: whatever :func:`sr_ops.dynamic_upscale` takes. Where it is a tensor in a trace,
                whose value nobody knows yet, the largest factor serves every scale;
                :func:`sr_ops.models.to_onnx` writes a graph that chooses when it runs.

        Returns:
            (N, channels, H_out, W_out), as large as :func:`sr_ops.dynamic_upscale` would make
            ``x``; not clamped.

        Raises:
            InvalidArgumentError: a scale that is not finite and > 0, or has the wrong length.
            InvalidTypeError: an unsupported dtype, or a scale that is not a number.
        """
        factor = self._factor_for(scale)
        return resample_rest(self.enlarge(x, factor), x, scale, factor)

    def only(self, factor: int) -> MultiScale:
        """The same layers, which enlarge by this factor whatever the scale."""
        network = copy.deepcopy(self)
        network.tails = nn.ModuleDict({str(factor): network.tails[str(factor)]})
        return network

    def _factor_for(self, scale: Scale) -> int:
        if len(self.factors) == 1:
            return self.factors[0]
        if isinstance(scale, Tensor):
            if torch.compiler.is_compiling() or torch.onnx.is_in_onnx_export():
                return max(self.factors)
            return choose_factor(self.factors, float(scale.max()))
        return choose_factor(self.factors, max(_arguments.parse_scale(scale)))

    def features(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, features, H, W): what all factors share."""
        for convolution in self.body:
            x = torch.relu(convolution(x))
        return x

    def shuffled(self, features: Tensor, x: Tensor, factor: int) -> Tensor:
        """The last layer of a factor r: (N, channels, r H, r W)."""
        details = self.tails[str(factor)](features)
        nearest = x if self.channels == 1 else x.repeat_interleave(factor**2, 1)
        return nn.functional.pixel_shuffle(details + nearest, factor)

    def enlarge(self, x: Tensor, factor: int) -> Tensor:
        """(N, channels, H, W) to (N, channels, r H, r W), with r = ``factor``."""
        return self.shuffled(self.features(x), x, factor)

    @classmethod
    def from_state_dict(cls, state_dict: Mapping[str, Any]) -> MultiScale | None:
        """An untrained network of the shape that the keys describe, or None if it isn't one."""
        names = itertools.takewhile(
            state_dict.__contains__, map("body.{}.weight".format, itertools.count())
        )
        widths = [_outputs(state_dict[name]) for name in names]
        tails = [key.split(".")[1] for key in state_dict if _is_tail(key)]
        if not widths or not tails or not all(map(str.isdecimal, tails)):
            return None
        channels = int(state_dict["body.0.weight"].shape[1])
        return cls(widths, sorted(map(int, tails)), channels)


def _outputs(weight: Any) -> int:
    return int(weight.shape[0])


def _is_tail(key: str) -> bool:
    return key.startswith("tails.") and key.endswith(".weight")
