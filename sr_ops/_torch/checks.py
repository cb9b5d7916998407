"""What a tensor argument must be, and the flags beside it; in eager code and in graphs alike.

Values of scales and sizes are the business of ``_arguments``, of ``graphs`` and of the ops.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sr_ops import _arguments
from sr_ops.errors import InvalidArgumentError, InvalidTypeError

__all__ = [
    "COUNT_OF_FACTORS",
    "check_flags",
    "check_images",
    "check_interpolation",
    "check_kinds",
    "check_scale_shape",
    "check_scale_tensor",
    "fault_of_output",
    "output_error",
    "pair",
    "parse_rounding",
]

COUNT_OF_FACTORS = "scale_factor: got {} elements, expected a number or (factor_h, factor_w)"

_NUMBERS = (int, float, torch.SymInt, torch.SymFloat)
_DTYPES = frozenset((torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.uint8))


def check_kinds(x: Any, scale: Any, size: Any, antialias: Any, exclude_outside: Any) -> None:
    """Raise for what no value of scale or size could mend."""
    check_images(x)
    if antialias is not False or exclude_outside is not False:
        check_flags(antialias, exclude_outside)
    if (scale is None) == (size is None):
        _arguments.check_scale_or_size(scale, size)


def check_images(x: Any, name: str = "x") -> None:
    """Raise unless x is a tensor (N, C, H, W) of a supported dtype."""
    if not isinstance(x, Tensor):
        raise InvalidTypeError(f"{name}: got {type(x).__name__}, expected a torch.Tensor")
    if x.layout is not torch.strided or x.is_nested:
        kind, dense = ("nested", "unbind()") if x.is_nested else (x.layout, "to_dense()")
        raise InvalidTypeError(
            f"{name}: got a {kind} tensor, expected a dense one: x.{dense} makes one"
        )
    if x.dim() != 4:
        raise InvalidArgumentError(
            f"{name}: got {x.dim()} dimensions (shape {list(x.shape)}), expected 4: (N, C, H, W)"
        )
    if x.dtype not in _DTYPES:
        raise InvalidTypeError(
            f"{name}: got {x.dtype}, expected float32, float64, float16, bfloat16 or uint8"
        )


def check_flags(antialias: Any, exclude_outside: Any) -> None:
    """Raise unless both are True or False."""
    for name, value in (("antialias", antialias), ("exclude_outside", exclude_outside)):
        if value is not True and value is not False:
            raise InvalidTypeError(f"{name}: got {value!r}, expected True or False")


def parse_rounding(rounding: Any, x: Tensor, mode: int, cubic_coeff_a: float) -> int:
    """Position of a rounding in the native enumeration; raises unless the rest goes with it."""
    index = _arguments.parse_rounding(rounding)
    _arguments.check_rounding(index, str(x.dtype).removeprefix("torch."), mode, cubic_coeff_a)
    return index


def check_scale_tensor(scale: Tensor) -> None:
    """Refuse a scale tensor by its shape and dtype; its values are the op's business."""
    if scale.layout is not torch.strided or scale.is_nested:
        kind = "nested" if scale.is_nested else scale.layout
        raise InvalidTypeError(f"scale: got a {kind} tensor, expected a dense one")
    check_scale_shape(scale, scale.dim(), scale.numel())


def check_scale_shape(scale: Tensor, dimensions: int, elements: int) -> None:
    """``check_scale_tensor`` for a scale whose shape is known otherwise."""
    if dimensions > 1 or elements not in (1, 2, 4):
        raise InvalidArgumentError(
            f"scale: got a tensor of {dimensions} dimensions and {elements} elements, expected at "
            "most one dimension of 1, 2 (height, width) or 4 ([1, 1, scale_h, scale_w]) elements"
        )
    if scale.is_complex() or scale.dtype == torch.bool:
        raise InvalidTypeError(f"scale: got a tensor of {scale.dtype}, expected real numbers")


def check_interpolation(x: Any, size: Any, scale_factor: Any, recompute_scale_factor: Any) -> None:
    """Raise for what no value of size or scale_factor could mend."""
    check_images(x, "input")
    if (size is None) == (scale_factor is None):
        what = "neither" if size is None else "both"
        raise InvalidArgumentError(f"size, scale_factor: got {what}, expected exactly one of them")
    if recompute_scale_factor and size is not None:
        raise InvalidArgumentError("recompute_scale_factor: goes with scale_factor, not with size")


def pair(value: Any) -> Any:
    """(value, value) for a number, as torch reads a size or factor for both axes."""
    return (value, value) if isinstance(value, _NUMBERS) else value


def fault_of_output(planes: int, height: int, width: int) -> str:
    """What is wrong with an output of that many images of that size; empty if nothing is."""
    if height < 1 or width < 1:
        return "each axis must keep at least one pixel: use a larger scale"
    if max(planes, 1) * height * width > _arguments.MAX_ELEMENTS:
        return "more than 2**40 elements: use a smaller scale or size"
    return ""


def output_error(argument: str, made: Any, of: Any, fault: str) -> str:
    """The message about an output size."""
    return f"{argument}: makes an image of size {made} of one of size {of}; {fault}"
