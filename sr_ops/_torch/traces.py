"""The operator under ``torch.jit.trace`` and the ONNX exporter that builds on it.

Image sizes are tensors there. Scale and size go in as tensors too, so that nothing is frozen; the
exporter needs a ``Function``, for its ``symbolic``; a trace that can be saved, an op.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sr_ops import _arguments
from sr_ops._torch import checks, library
from sr_ops._torch.autograd import UpscaleByTensor, UpscaleToSize, upscale_to_size_in_script
from sr_ops.errors import InvalidArgumentError

__all__ = ["upscale_in_trace"]


def upscale_in_trace(x: Tensor, scale: Any, size: Any, attributes: Any) -> Tensor:
    """``dynamic_upscale``, recorded."""
    exporting = torch.onnx.is_in_onnx_export()
    try:
        if size is not None:
            call = UpscaleToSize.apply if exporting else upscale_to_size_in_script()
            return call(x, _traced_size(size), None, None, *attributes)
        call = UpscaleByTensor.apply if exporting else library.dynamic_upscale
        return call(x, _traced_scale(scale), *attributes)
    except ValueError as error:  # the op's own checks: it has seen the values first
        raise InvalidArgumentError(str(error)) from error


def _traced_size(size: Any) -> Tensor:
    if not isinstance(size, (tuple, list)) or not any(isinstance(v, Tensor) for v in size):
        size = _arguments.parse_size(size)
    if len(size) != 2:
        raise InvalidArgumentError(f"size: got {len(size)} elements, expected (height, width)")
    # torch.full, since torch.tensor warns in a trace.
    return torch.stack([v if isinstance(v, Tensor) else torch.full((), v) for v in size])


def _traced_scale(scale: Any) -> Tensor:
    """ONNX's form, [1, 1, scale_h, scale_w] in float32, by ordinary ops."""
    if isinstance(scale, Tensor):
        count = len(scale.reshape(-1).unbind())  # a plain integer, where numel is a tensor
        checks.check_scale_shape(scale, scale.dim(), count)
        factors = scale.to(torch.float32).reshape(-1)
        if count == 4:
            return factors
        ones = torch.ones(2, device=scale.device)
        return torch.cat([ones, factors] if count == 2 else [ones, factors, factors])
    pair = _arguments.parse_scale(scale)
    return torch.cat([torch.full((n,), v) for n, v in ((2, 1.0), (1, pair[0]), (1, pair[1]))])
