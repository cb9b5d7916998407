"""``torch.nn.functional.interpolate`` with sr_ops behind ``mode="bicubic"``: one changed import.

Unlike :func:`sr_ops.dynamic_upscale`, this keeps torch's rules: the output size is the float64
product of size and factor, rounded down, and the factor itself is not rounded to float32.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from sr_ops import _arguments, _autograd, _compiler_errors, _graphs, ops
from sr_ops.errors import InvalidArgumentError, InvalidTypeError

__all__ = ["interpolate"]

_HALF_PIXEL = _arguments.parse_mode("half_pixel")
_ALIGN_CORNERS = _arguments.parse_mode("align_corners")


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
    if mode != "bicubic" or (antialias and align_corners):
        return functional.interpolate(
            input, size, scale_factor, mode, align_corners, recompute_scale_factor, antialias
        )
    try:
        return _bicubic(
            input, size, scale_factor, bool(align_corners), recompute_scale_factor, antialias
        )
    except (InvalidArgumentError, InvalidTypeError) as error:
        if torch.compiler.is_compiling():
            _compiler_errors.reraise(error)
        raise


def _bicubic(  # noqa: PLR0917 - torch's order
    input: Tensor,
    size: Any,
    scale_factor: Any,
    align_corners: bool,
    recompute_scale_factor: bool | None,
    antialias: bool,
) -> Tensor:
    ops.check_images(input, "input")
    if (size is None) == (scale_factor is None):
        what = "neither" if size is None else "both"
        raise InvalidArgumentError(f"size, scale_factor: got {what}, expected exactly one of them")
    if recompute_scale_factor and size is not None:
        raise InvalidArgumentError("recompute_scale_factor: goes with scale_factor, not with size")
    factors: Any = None if scale_factor is None else _parse_factors(scale_factor)
    if isinstance(size, (int, torch.SymInt)):
        size = (size, size)
    mode_index = _ALIGN_CORNERS if align_corners else _HALF_PIXEL
    attributes = (mode_index, -0.5 if antialias else -0.75, bool(antialias), bool(antialias))
    if torch.jit.is_tracing():  # type: ignore[attr-defined]
        if factors is not None and recompute_scale_factor:
            size, factors = _traced_size(input, factors), None
        return _graphs.upscale_in_trace(input, factors, size, attributes)
    if factors is None:
        size = _graphs.parse_size(size)
    else:
        size = [torch.sym_int(n * f) for n, f in zip(input.shape[2:], factors, strict=True)]
    _graphs.check_output(input, size, "size" if factors is None else "scale_factor")
    scales = (None, None) if factors is None or recompute_scale_factor else factors
    return _autograd.upscale_to_size(input, size, *scales, *attributes)


def _parse_factors(scale_factor: Any) -> tuple[float, float]:
    values = scale_factor if isinstance(scale_factor, (tuple, list)) else (scale_factor,) * 2
    if len(values) != 2:
        raise InvalidArgumentError(
            f"scale_factor: got {len(values)} elements, expected a number or (factor_h, factor_w)"
        )
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (int, float, torch.SymFloat)):
            raise InvalidTypeError(
                f"scale_factor: got {_graphs.shown(scale_factor)}, expected numbers"
            )
        if not 0 < value < float("inf"):
            raise InvalidArgumentError(
                f"scale_factor: got {_graphs.shown(scale_factor)}, expected finite numbers > 0"
            )
    return float(values[0]), float(values[1])


def _traced_size(images: Tensor, factors: tuple[float, float]) -> Any:
    """The output size as torch computes it, where the sizes of the images are tensors."""
    sizes: Any = images.shape[2:]
    return [
        (n.to(torch.float64) * factor).to(torch.int64)
        for n, factor in zip(sizes, factors, strict=True)
    ]
