"""The native torch ops: loading them, and their shapes without data.

Two ops carry every call. ``sr_ops::dynamic_upscale_to_size`` knows its output size: it serves eager
code and, wherever the size can be written down, graphs. ``sr_ops::dynamic_upscale`` takes the scale
as a tensor and finds the size when it runs: it serves scale tensors in graphs, and fractional
scales of images whose size is symbolic, because the float32 product that decides the output size
cannot be written in symbolic integers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sr_ops._diagnosis import why_not_loaded
from sr_ops._libraries import library_file
from sr_ops.errors import LibraryLoadError, MissingDependencyError

try:
    import torch
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise MissingDependencyError(
        "sr_ops: this needs torch, which is not installed: pip install 'sr-ops[torch]'"
    ) from error

from torch import Tensor
from torch._prims_common import suggest_memory_format

__all__ = [
    "DEVICES",
    "dynamic_upscale",
    "dynamic_upscale_backward",
    "dynamic_upscale_to_size",
    "dynamic_upscale_to_size_backward",
]

#: What has one implementation per device.
_SIZED_OPS = (
    "dynamic_upscale_to_size",
    "dynamic_upscale_to_size.out",
    "dynamic_upscale_to_size_backward",
)
#: The first with everything in the stable ABI that the library calls.
_OLDEST_TORCH = (2, 10)


def _load() -> None:
    if torch.__version__ < _OLDEST_TORCH:  # type: ignore[operator]
        raise LibraryLoadError(
            f"sr_ops: torch {torch.__version__} is installed, but its torch front end needs 2.10 "
            "or newer: pip install --upgrade torch"
        )
    path = library_file("sr_ops_torch")
    try:
        torch.ops.load_library(path)
    except OSError as error:
        raise LibraryLoadError(
            f"{why_not_loaded(path, error)} (into torch {torch.__version__}, {torch.__file__})"
        ) from error


def _load_cuda() -> bool:
    """Give the ops their implementations for NVIDIA's GPUs, or a refusal that says what to do."""
    if not torch.version.cuda:
        return False
    try:
        path = library_file("sr_ops_torch_cuda")
        torch.ops.load_library(path)
    except (LibraryLoadError, OSError) as error:
        for op in _SIZED_OPS:
            torch.library.impl(f"sr_ops::{op}", "CUDA")(_refusal(str(error)))
        return False
    return True


def _refusal(reason: str) -> Callable[..., Any]:
    """An implementation for tensors that nothing here can compute on."""

    def refuse(x: Tensor, *rest: Any, **keywords: Any) -> Any:
        raise LibraryLoadError(
            f"sr_ops: got a tensor on {x.device}, but this sr_ops has no CUDA kernels ({reason}); "
            "build it with the environment variable SR_OPS_CUDA=on and NVIDIA's toolkit, or move "
            "the tensor to the CPU"
        )

    return refuse


_load()
#: Where a kernel computes, or where nothing needs computing.
DEVICES = frozenset(("cpu", "meta", "cuda") if _load_cuda() else ("cpu", "meta"))

dynamic_upscale = torch.ops.sr_ops.dynamic_upscale.default
dynamic_upscale_backward = torch.ops.sr_ops.dynamic_upscale_backward.default
dynamic_upscale_to_size = torch.ops.sr_ops.dynamic_upscale_to_size.default
dynamic_upscale_to_size_backward = torch.ops.sr_ops.dynamic_upscale_to_size_backward.default


def _new_images(like: Tensor, height: Any, width: Any) -> Tensor:
    return torch.empty(
        (like.shape[0], like.shape[1], height, width),
        dtype=like.dtype,
        device=like.device,
        memory_format=suggest_memory_format(like),
    )


@torch.library.register_fake("sr_ops::dynamic_upscale_to_size")
def _(x: Tensor, size: Any, *rest: Any) -> Tensor:
    return _new_images(x, *size)


@torch.library.register_fake("sr_ops::dynamic_upscale_to_size.out")
def _(x: Tensor, size: Any, *rest: Any, out: Tensor) -> None:
    pass


@torch.library.register_fake("sr_ops::dynamic_upscale")
def _(x: Tensor, *rest: Any) -> Tensor:
    context = torch.library.get_ctx()
    return _new_images(x, context.new_dynamic_size(min=1), context.new_dynamic_size(min=1))


@torch.library.register_fake("sr_ops::dynamic_upscale_to_size_backward")
def _(grad: Tensor, input_size: Any, *rest: Any) -> Tensor:
    return _new_images(grad, *input_size)


@torch.library.register_fake("sr_ops::dynamic_upscale_backward")
def _(grad: Tensor, scale: Tensor, input_size: Any, *rest: Any) -> Tensor:
    return _new_images(grad, *input_size)


# In exported programs alone: an output whose size the program knows from elsewhere, so that code
# may compare it; the scale decides.
torch.library.define(
    "sr_ops::dynamic_upscale_of_known_size",
    "(Tensor x, Tensor scale, SymInt[2] size, int coordinate_transformation_mode, "
    "float cubic_coeff_a, bool antialias, bool exclude_outside) -> Tensor",
)
dynamic_upscale_of_known_size = torch.ops.sr_ops.dynamic_upscale_of_known_size.default


@torch.library.impl("sr_ops::dynamic_upscale_of_known_size", "default")
def _(x: Tensor, scale: Tensor, size: Any, *attributes: Any) -> Tensor:
    return dynamic_upscale(x, scale, *attributes)


@torch.library.register_fake("sr_ops::dynamic_upscale_of_known_size")
def _(x: Tensor, scale: Tensor, size: Any, *rest: Any) -> Tensor:
    return _new_images(x, *size)


# Torch's rule for bicubic under CUDA's autocast: half precision becomes float32, float64 stays. On
# the CPU, autocast leaves bicubic alone.
for _op in ("dynamic_upscale", "dynamic_upscale_to_size"):
    torch.library.register_autocast(f"sr_ops::{_op}", "cuda", torch.float32)
