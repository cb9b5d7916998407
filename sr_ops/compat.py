"""``torch.nn.functional.interpolate`` with sr_ops behind ``mode="bicubic"``: one changed import.

Unlike :func:`sr_ops.dynamic_upscale`, this keeps torch's rules: the output size is the float64
product of size and factor, rounded down, and the factor itself is not rounded to float32.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import (
    TorchFunctionMode,
    handle_torch_function,
    has_torch_function_unary,
)

from sr_ops import _arguments
from sr_ops._torch import aten_bicubic, autograd, checks, library, scripted, traces
from sr_ops.errors import InvalidArgumentError, InvalidTypeError

__all__ = ["interpolate", "patch"]


def interpolate(  # noqa: PLR0917 - torch's signature
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Drop-in for ``torch.nn.functional.interpolate``, computed here for ``mode="bicubic"``.

    Other modes go to torch itself, and so does antialias with align_corners, for which torch has
    coordinates of its own that belong to no scale.

    Args:
        input: for bicubic: (N, C, H, W), float32, float64, float16, bfloat16 or uint8.
        size: an integer or (H_out, W_out).
        scale_factor: a number or (factor_h, factor_w), instead of size. An axis of n pixels becomes
            ``floor(n * factor)`` in float64, as in torch.
        mode: ``"bicubic"``, or whatever torch takes.
        align_corners: as in torch.
        recompute_scale_factor: as in torch: map by out / in instead of by the factor.
        antialias: as in torch: Keys' a is then -0.5 instead of -0.75, taps outside are dropped, and
            the kernel is stretched where the image shrinks.

    Returns:
        (N, C, H_out, W_out); equal to torch's result but for rounding, which is finer here.

    Raises:
        InvalidArgumentError: (a ValueError) a value outside what is accepted.
        InvalidTypeError: (a TypeError) an argument or dtype of another type.

    An exported ONNX model carries a factor as float32 and follows ONNX's size rule, which differs
    for about one size in 400: give ``size`` or ``recompute_scale_factor=True`` to pin it.

    Source: ``upsample_bicubic2d`` and ``_upsample_bicubic2d_aa`` of ATen.

    >>> interpolate(torch.ones(1, 3, 45, 4), scale_factor=1.4, mode="bicubic").shape
    torch.Size([1, 3, 62, 5])
    """
    if not torch.compiler.is_compiling() and has_torch_function_unary(input):
        rest = (mode, align_corners, recompute_scale_factor, antialias)
        recorded: Tensor = handle_torch_function(
            interpolate, (input,), input, size, scale_factor, *rest
        )
        return recorded
    if mode != "bicubic" or (antialias and align_corners):
        if mode == "bicubic" and torch.onnx.is_in_onnx_export():
            raise InvalidArgumentError(aten_bicubic.NO_ONNX_FORM)
        return functional.interpolate(
            input, size, scale_factor, mode, align_corners, recompute_scale_factor, antialias
        )
    attributes = aten_bicubic.attributes(align_corners, antialias)
    extent = (size, scale_factor, recompute_scale_factor)
    if torch.compiler.is_compiling():
        return _in_graph(input, *extent, attributes)
    checks.check_interpolation(input, *extent)
    if torch.jit.is_tracing():  # type: ignore[attr-defined]
        return _in_trace(input, *extent, attributes)
    if not all(type(n) is int for n in input.shape[2:]) or _is_symbolic(size, scale_factor):
        return _in_graph(input, *extent, attributes)  # symbolic outside of the compiler
    scales: tuple[float, float] | tuple[None, None] = (None, None)
    height, width = input.shape[2:]
    if scale_factor is None:
        out = _arguments.parse_size(checks.pair(size))
    else:
        factors = _parse_factors(scale_factor)
        out = _scaled(height, factors[0]), _scaled(width, factors[1])
        scales = scales if recompute_scale_factor else factors
    fault = checks.fault_of_output(input.shape[0] * input.shape[1], *out)
    if fault:
        what = "size" if scale_factor is None else "scale_factor"
        raise InvalidArgumentError(checks.output_error(what, out, (height, width), fault))
    return autograd.upscale_to_size(input, out, *scales, *attributes)


# What torch.jit.script compiles in its place.
interpolate.__prepare_scriptable__ = lambda: scripted.interpolate_in_script  # type: ignore[attr-defined]


def _in_graph(*arguments: Any) -> Tensor:
    from sr_ops._torch import graphs  # which loads the compiler, as eager code must not

    return graphs.interpolate(*arguments)


def _in_trace(
    images: Tensor, size: Any, scale_factor: Any, recompute_scale_factor: Any, attributes: Any
) -> Tensor:
    if scale_factor is None:
        return traces.upscale_in_trace(images, None, checks.pair(size), attributes)
    factors = _parse_factors(scale_factor)
    if recompute_scale_factor:
        return traces.upscale_in_trace(images, None, _traced_size(images, factors), attributes)
    return traces.upscale_in_trace(images, factors, None, attributes)


def _is_symbolic(size: Any, scale_factor: Any) -> bool:
    given = scale_factor if size is None else size
    values = given if isinstance(given, (tuple, list)) else (given,)
    return any(isinstance(value, (torch.SymInt, torch.SymFloat)) for value in values)


def _parse_factors(scale_factor: Any) -> tuple[float, float]:
    shown = _arguments.shown(scale_factor)
    values = checks.pair(scale_factor)
    if not isinstance(values, (tuple, list)):
        raise InvalidTypeError(f"scale_factor: got {shown}, expected numbers")
    if len(values) != 2:
        raise InvalidArgumentError(checks.COUNT_OF_FACTORS.format(len(values)))
    if any(isinstance(v, bool) or not isinstance(v, (int, float)) for v in values):
        raise InvalidTypeError(f"scale_factor: got {shown}, expected numbers")
    height, width = (_arguments.as_float(value) for value in values)
    if not (0 < height < float("inf") and 0 < width < float("inf")):
        raise InvalidArgumentError(f"scale_factor: got {shown}, expected finite numbers > 0")
    return height, width


def _scaled(n: int, factor: float) -> int:
    """torch's rule; what is beyond every limit stays a finite number."""
    return int(min(n * factor, 2.0**62))


def _traced_size(images: Tensor, factors: tuple[float, float]) -> Any:
    """The output size as torch computes it, where the sizes of the images are tensors."""
    sizes: Any = images.shape[2:]
    return [
        (n.to(torch.float64) * factor).to(torch.int64)
        for n, factor in zip(sizes, factors, strict=True)
    ]


class patch(TorchFunctionMode):  # noqa: N801 - used as a function, as unittest.mock.patch is
    """Send every bicubic ``interpolate`` call to :func:`interpolate`, in code that is not yours.

    ``with sr_ops.compat.patch():`` holds for the calls of this thread inside the block, however the
    code imported ``torch.nn.functional.interpolate``: also those of ``torch.nn.Upsample`` and of
    torchvision. It works for training, inference, ``torch.compile`` and exports. Every torch call
    inside costs about a microsecond more. What sr_ops does not compute stays with torch: other
    modes, devices without kernels here, and antialias with align_corners.

    >>> with patch():
    ...     torch.nn.functional.interpolate(torch.ones(1, 1, 3, 4), size=6, mode="bicubic").shape
    torch.Size([1, 1, 6, 6])
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Called by torch for each of its functions inside the block."""
        kwargs = kwargs or {}
        if func is functional.interpolate and _is_ours(*args, **kwargs):
            return interpolate(*args, **kwargs)
        return func(*args, **kwargs)


def _is_ours(input: Any, *rest: Any, **keywords: Any) -> bool:
    mode = rest[2] if len(rest) > 2 else keywords.get("mode")
    return mode == "bicubic" and input.device.type in library.DEVICES
