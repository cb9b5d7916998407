"""A limit on what a network may take while it is built from what a file says of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch  # noqa: F401  for the example
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from sr_ops.errors import CheckpointError

__all__ = ["Budget"]

#: For each byte of its weights, and besides: bytes.
_GROWTH = 4
_ALLOWANCE = 256 << 20


class Budget(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While active, tensors that are made take a limited number of bytes together.

    Raises:
        CheckpointError: they would take more.

    >>> with Budget(1000):
    ...     torch.empty(10**12)
    Traceback (most recent call last):
      ...
    sr_ops.errors.CheckpointError: its keys and shapes describe a network far larger than the file
    """

    def __init__(self, limit: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._left = limit

    @classmethod
    def of(cls, state_dict: Mapping[str, Tensor]) -> Budget:
        """For a network whose weights are these: some times their size, in float32."""
        stored = sum(t.numel() * max(4, t.element_size()) for t in state_dict.values())
        return cls(stored * _GROWTH + _ALLOWANCE)

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if not any(isinstance(arg, Tensor) for arg in args):  # it makes something of nothing
            self._take(4 * _elements(args))
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and not func.is_view and result.numel() > 1 << 20:
            self._take(0 if any(result is arg for arg in args) else result.nbytes)
        return result

    def _take(self, nbytes: int) -> None:
        self._left -= nbytes
        if self._left < 0:
            raise CheckpointError("its keys and shapes describe a network far larger than the file")


def _elements(args: Sequence[Any]) -> int:
    """Of a tensor that is made by its shape, or by where it ends."""
    first = args[0] if args else 0
    if isinstance(first, (list, tuple)):
        # Sides of 0 count as 1: the strides of an empty tensor can be too large, too.
        return math.prod(max(s, 1) for s in first) if all(isinstance(s, int) for s in first) else 0
    return max((int(abs(a)) for a in args if isinstance(a, (int, float))), default=0)
