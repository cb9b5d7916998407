"""Convolutions by torch that round alike whatever the picture's size, so that tiles fit exactly.

For float32 on the CPU torch chooses between oneDNN and its own matrix product by the number of
elements (up to 20480 it takes its own), the kernel's size and the number of threads. A tile is
small where the whole picture is not, and the two sum up in another order. Here oneDNN does it all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["OneDnnConvolutions"]

#: Beyond it, or beyond the picture's own side, oneDNN's direct convolutions decline, and a matrix
#: product takes their place that sums up in another order where pixels do not fill a vector.
MOST_PADDING = 3


class OneDnnConvolutions(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While active, every two-dimensional float32 convolution on the CPU is oneDNN's.

    Not within ``torch.inference_mode``, which keeps convolutions from being seen here.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._available = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if self._available and func is torch.ops.aten.convolution.default:
            x, weight, bias, stride, padding, dilation, transposed, _, groups = args
            if _is_picture(x) and not transposed:
                if max(padding) > min(MOST_PADDING, *x.shape[2:]):
                    x = torch.nn.functional.pad(x, (padding[1], padding[1], padding[0], padding[0]))
                    padding = (0, 0)
                return torch.mkldnn_convolution(x, weight, bias, padding, stride, dilation, groups)
        return func(*args, **(kwargs or {}))


def _is_picture(x: Tensor) -> bool:
    return x.dim() == 4 and x.dtype == torch.float32 and x.device.type == "cpu"
