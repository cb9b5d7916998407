"""What the operator does after a network that has enlarged by a factor of its own."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sr_ops import _arguments
from sr_ops._torch.ops import dynamic_upscale
from sr_ops.models.scale_split import NUDGE, remaining_scale

__all__ = ["resample_rest"]


def resample_rest(enlarged: Tensor, x: Tensor, scale: Any, factor: int) -> Tensor:
    """To the size that :func:`sr_ops.dynamic_upscale` would give ``x``.

    Args:
        enlarged: (N, C, factor * H, factor * W).
        x: (N, C, H, W), what it was before.
        scale: whatever :func:`sr_ops.dynamic_upscale` takes; a tensor stays an input of a graph.
        factor: of the network.
    """
    return dynamic_upscale(
        enlarged,
        _remaining_scale(scale, factor, x),
        cubic_coeff_a=-0.5,
        antialias=True,
        exclude_outside=True,
    )


def _remaining_scale(scale: Any, factor: int, x: Tensor) -> Any:
    """:func:`sr_ops.models.scale_split.remaining_scale` for both axes of the images ``x``."""
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
