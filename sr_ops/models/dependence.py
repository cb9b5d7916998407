"""Torch modules without their values: what of the output depends on which pixels.

A NaN goes wherever the value that it stands for would go. Under :class:`Dependence` a module is run
on zeros and NaN, and its convolutions and matrix products, which take nearly all the time, are
replaced by ones that carry nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["Dependence"]

aten = torch.ops.aten


class Dependence(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While active, results are NaN where they depend on a NaN, and cost little.

    Attributes:
        largest: elements of an operator's inputs and outputs together, at most.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.largest = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is aten.convolution.default:
            result = _convolution(*args)
        elif func is aten.mm.default:
            result = _product(*args)
        elif func is aten.addmm.default:
            result = _product(args[1], args[2])
        else:
            result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and not func.is_view:
            tensors = (result, *(a for a in args if isinstance(a, Tensor)))
            self.largest = max(self.largest, sum(t.numel() for t in tensors))
        return result


def _convolution(  # noqa: PLR0917  aten's signature
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    transposed: bool,
    output_padding: list[int],
    groups: int,
) -> Tensor:
    """With a kernel of ones, on the sum of all channels."""
    channels = weight.shape[1] * groups if transposed else weight.shape[0]
    marks = x.sum(1, keepdim=True) * 0
    kernel = torch.ones((1, 1, *weight.shape[2:]), dtype=x.dtype, device=x.device)
    spread: Tensor = aten.convolution.default(
        marks, kernel, None, stride, padding, dilation, transposed, output_padding, 1
    )
    return spread.expand(-1, channels, *spread.shape[2:]).clone()


def _product(a: Tensor, b: Tensor) -> Tensor:
    return a.sum(1, keepdim=True) * 0 + b.sum(0, keepdim=True) * 0
