"""Gradients of the torch ops. The operator is linear in x: each applies it, or its transpose.

They exist twice over, from the same formulas: the ``autograd.Function`` classes serve eager code
(reverse and forward mode, ``torch.func``, the TorchScript exporter's ``symbolic``), and the
registrations with ``torch.library`` serve graphs, which cannot hold a ``Function``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Optional

import torch
from torch import Tensor
from torch._C._functorch import TransformType
from torch.autograd import Function, forward_ad

from sr_ops._torch import library, matrices
from sr_ops.errors import InvalidArgumentError

__all__ = [
    "UpscaleByTensor",
    "UpscaleToSize",
    "UpscaleToSizeBackward",
    "is_functionalized_and_differentiated",
    "refuse_mapped_scale",
    "upscale_to_size",
    "upscale_to_size_in_script",
]

_FUNCTIONALIZE = TransformType.Functionalize


def upscale_to_size(x: Tensor, *rest: Any) -> Tensor:
    """The op of that name, recorded for whatever differentiates or maps over x."""
    if not torch.compiler.is_compiling() and is_functionalized_and_differentiated(x):
        return matrices.upscale_to_size(x, *rest)
    return _call(UpscaleToSize, library.dynamic_upscale_to_size, x, *rest)


def _upscale_to_size_backward(grad: Tensor, *rest: Any) -> Tensor:
    return _call(UpscaleToSizeBackward, library.dynamic_upscale_to_size_backward, grad, *rest)


def _call(function: type[Function], op: Callable[..., Tensor], x: Tensor, *rest: Any) -> Tensor:
    if torch.compiler.is_compiling():
        return op(x, *rest)
    if _is_watched(x):
        if _FUNCTIONALIZE in _transforms():  # where torch has no rule for a Function
            return op(x, *rest)
        result: Tensor = function.apply(x, *rest)
        return result
    # Nothing to record: past the autograd kernel, which is Python and would cost as much again as
    # everything else does on a small image.
    with torch._C._AutoDispatchBelowAutograd():
        return op(x, *rest)


def _is_watched(x: Tensor) -> bool:
    """Whether reverse mode, a torch.func transform or forward mode must see what happens to x."""
    return (
        (x.requires_grad and torch.is_grad_enabled())
        # The two questions that autograd.Function and unpack_dual ask; no public spelling answers
        # them inside vmap.
        or torch._C._are_functorch_transforms_active()
        or forward_ad._current_level >= 0
    )


def _transforms() -> set[Any]:
    """The kinds of torch.func transforms around this call."""
    return {level.key() for level in torch._C._functorch.get_interpreter_stack() or ()}


def is_functionalized_and_differentiated(x: Tensor) -> bool:
    """Whether transforms functionalise and differentiate this call: torch has no rule for both.

    Neither a ``Function`` nor an op that has one for its gradient goes through; products do.
    """
    if not (torch._C._are_functorch_transforms_active() and x.is_floating_point()):
        return False
    kinds = _transforms()
    return _FUNCTIONALIZE in kinds and not kinds <= {_FUNCTIONALIZE, TransformType.Vmap}


class _Resampling(Function):
    """What both directions share. Inputs: the source, the target's size, then the op's others."""

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        source, ctx.target_size, *ctx.rest = inputs
        ctx.source_size = source.shape[2:]


class UpscaleToSize(_Resampling):
    """``sr_ops::dynamic_upscale_to_size``."""

    @staticmethod
    def forward(x: Tensor, size: Any, *rest: Any) -> Tensor:
        if isinstance(size, Tensor):
            return upscale_to_size_in_script()(x, size, *rest)
        return library.dynamic_upscale_to_size(x, size, *rest)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        grad_x = _upscale_to_size_backward(grad, ctx.source_size, *ctx.rest)
        return grad_x, None, *(None for _ in ctx.rest)

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *rest: Any) -> Tensor:
        return upscale_to_size(tangent, ctx.target_size, *ctx.rest)

    @staticmethod
    def vmap(info: Any, in_dims: Any, x: Tensor, *rest: Any) -> tuple[Tensor, int]:
        return _merge_into_batch(upscale_to_size, in_dims, x, *rest)

    @staticmethod
    def symbolic(g: Any, x: Any, size: Any, scale_h: None, scale_w: None, *attributes: Any) -> Any:
        from sr_ops._torch.onnx_symbolic import upscale_to_sizes

        return upscale_to_sizes(g, x, size, *attributes)


class UpscaleToSizeBackward(_Resampling):
    """``sr_ops::dynamic_upscale_to_size_backward``."""

    @staticmethod
    def forward(grad: Tensor, input_size: Any, *rest: Any) -> Tensor:
        return library.dynamic_upscale_to_size_backward(grad, input_size, *rest)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        grad_grad = upscale_to_size(grad, ctx.source_size, *ctx.rest)
        return grad_grad, None, *(None for _ in ctx.rest)

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *rest: Any) -> Tensor:
        return _upscale_to_size_backward(tangent, ctx.target_size, *ctx.rest)

    @staticmethod
    def vmap(info: Any, in_dims: Any, grad: Tensor, *rest: Any) -> tuple[Tensor, int]:
        return _merge_into_batch(_upscale_to_size_backward, in_dims, grad, *rest)


class UpscaleByTensor(Function):
    """``sr_ops::dynamic_upscale``, where the TorchScript exporter needs the scale in the graph."""

    @staticmethod
    def forward(x: Tensor, scale: Tensor, *attributes: Any) -> Tensor:
        return library.dynamic_upscale(x, scale, *attributes)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, scale, *ctx.attributes = inputs
        ctx.input_size = x.shape[2:]
        ctx.save_for_backward(scale)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (scale,) = ctx.saved_tensors
        grad_x = library.dynamic_upscale_backward(grad, scale, ctx.input_size, *ctx.attributes)
        return grad_x, None, *(None for _ in ctx.attributes)

    @staticmethod
    def symbolic(g: Any, x: Any, scale: Any, *attributes: Any) -> Any:
        from sr_ops._torch.onnx_symbolic import upscale

        return upscale(g, x, scale, *attributes)


@functools.cache
def upscale_to_size_in_script() -> Any:
    """A script function that reads the size from a tensor, where a tracer would freeze it."""

    def sized(  # noqa: PLR0917
        x: Tensor,
        size: Tensor,
        scale_h: Optional[float],  # noqa: UP045 - TorchScript's spelling
        scale_w: Optional[float],  # noqa: UP045
        mode: int,
        cubic_coeff_a: float,
        antialias: bool,
        exclude_outside: bool,
        rounding: int = 0,
    ) -> Tensor:  # compiled by TorchScript
        return torch.ops.sr_ops.dynamic_upscale_to_size(
            x,
            [int(size[0]), int(size[1])],
            scale_h,
            scale_w,
            mode,
            cubic_coeff_a,
            antialias,
            exclude_outside,
            rounding,
        )

    return torch.jit.script(sized)


def refuse_mapped_scale(is_mapped: bool) -> None:
    """Raise if vmap maps over a scale tensor."""
    if is_mapped:
        raise InvalidArgumentError(
            "scale: vmap maps over it, but images of different scales have different sizes; map "
            "over x only"
        )


def _merge_into_batch(
    function: Callable[..., Tensor], in_dims: Any, x: Tensor, *rest: Any
) -> tuple[Tensor, int]:
    """The rule of vmap: the mapped axis becomes part of the batch."""
    x = x.movedim(in_dims[0], 0)
    return function(x.flatten(0, 1), *rest).unflatten(0, x.shape[:2]), 0


def _setup_by_tensor_backward(ctx: Any, inputs: Any, output: Any) -> None:
    _, scale, _, *ctx.attributes = inputs
    ctx.save_for_backward(scale)


def _by_tensor_double_backward(ctx: Any, grad: Tensor) -> Any:
    (scale,) = ctx.saved_tensors
    grad_grad = library.dynamic_upscale(grad, scale, *ctx.attributes)
    return grad_grad, None, None, *(None for _ in ctx.attributes)


def _vmap_of_op(op: Callable[..., Tensor], scale_at: int | None) -> Callable[..., Any]:
    """The rule of vmap for an op itself; `scale_at` is the position of its scale tensor."""

    def rule(info: Any, in_dims: Any, x: Tensor, *rest: Any) -> tuple[Tensor, int]:
        refuse_mapped_scale(scale_at is not None and in_dims[scale_at] is not None)
        return _merge_into_batch(op, in_dims, x, *rest)

    return rule


def _register(op: str, backward: Any, setup_context: Any, scale_at: int | None = None) -> None:
    # torch.library passes setup_context's arguments by name.
    def setup(ctx: Any, inputs: Any, output: Any) -> None:
        setup_context(ctx, inputs, output)

    name = f"sr_ops::{op}"
    torch.library.register_autograd(name, backward, setup_context=setup)
    torch.library.register_vmap(name, _vmap_of_op(getattr(library, op), scale_at))


_register("dynamic_upscale_to_size", UpscaleToSize.backward, UpscaleToSize.setup_context)
_register(
    "dynamic_upscale_to_size_backward",
    UpscaleToSizeBackward.backward,
    UpscaleToSizeBackward.setup_context,
)
_register("dynamic_upscale", UpscaleByTensor.backward, UpscaleByTensor.setup_context, scale_at=1)
_register(
    "dynamic_upscale_backward",
    _by_tensor_double_backward,
    _setup_by_tensor_backward,
    scale_at=1,
)
