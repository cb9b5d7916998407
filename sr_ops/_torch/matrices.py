"""The operator as two matrix products, for torch.func transforms inside compiled code.

The compiler cannot trace an ``autograd.Function`` that has a forward mode, and loses the
derivatives of custom ops there: silently for jvp. Matrix products it differentiates right. The
matrices are what the op makes of the identity. Same values as the op's up to rounding; slower, and
with memory for the matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from sr_ops._torch import library

__all__ = ["upscale_by_tensor", "upscale_to_size"]


def upscale_to_size(
    x: Tensor, size: Any, scale_h: float | None, scale_w: float | None, *attributes: Any
) -> Tensor:
    """``sr_ops::dynamic_upscale_to_size``."""
    op = library.dynamic_upscale_to_size

    def rows(identity: Tensor) -> Tensor:
        return op(identity, [size[0], x.shape[2]], scale_h, 1.0, *attributes)

    def columns(identity: Tensor) -> Tensor:
        return op(identity, [x.shape[3], size[1]], 1.0, scale_w, *attributes)

    return _product(x, rows, columns)


def upscale_by_tensor(x: Tensor, scale: Tensor, *attributes: Any) -> Tensor:
    """``sr_ops::dynamic_upscale``."""
    op = library.dynamic_upscale
    factors = scale.detach().to(torch.float32).reshape(-1)
    one = torch.ones_like(factors[:1])
    return _product(
        x,
        lambda identity: op(identity, torch.cat([factors[-2:][:1], one]), *attributes),
        lambda identity: op(identity, torch.cat([one, factors[-1:]]), *attributes),
    )


def _product(
    x: Tensor, rows: Callable[[Tensor], Tensor], columns: Callable[[Tensor], Tensor]
) -> Tensor:
    accumulator = torch.float64 if x.dtype == torch.float64 else torch.float32

    def identity(n: Any) -> Tensor:
        return torch.eye(n, dtype=accumulator, device=x.device)[None, None]

    y = rows(identity(x.shape[2])) @ x.to(accumulator) @ columns(identity(x.shape[3]))
    return y.to(x.dtype)
