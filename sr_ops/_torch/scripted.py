"""``dynamic_upscale`` and ``compat.interpolate`` as TorchScript compiles them.

TorchScript has no keyword-only arguments and reads nothing of a module but functions: the names of
the modes come in as a default, and the ops do the checks. A saved program needs the library alone.
"""

# TorchScript takes a comment that begins with "type:" inside a function for the types of its
# arguments, so mypy is told here.
# mypy: disable-error-code="misc"

from __future__ import annotations

from typing import List, Optional, Tuple, Union  # noqa: UP035 - TorchScript reads them

import torch
from torch import Tensor
from torch.nn import functional

from sr_ops import _arguments
from sr_ops._torch import aten_bicubic

__all__ = ["dynamic_upscale_in_script", "interpolate_in_script"]

# One text each: lists may not be defaults.
_MODES = ", ".join(_arguments.COORDINATE_TRANSFORMATION_MODES)
_ROUNDINGS = ", ".join(_arguments.ROUNDINGS)


def _position_in_script(argument: str, name: str, names: str) -> int:  # compiled by TorchScript
    for i, known in enumerate(names.split(", ")):
        if known == name:
            return i
    raise ValueError(f"{argument}: got '{name}', expected one of {names}")


def _mode(name: str, names: str = _MODES) -> int:  # compiled by TorchScript
    return _position_in_script("coordinate_transformation_mode", name, names)


def _rounding(name: str, names: str = _ROUNDINGS) -> int:  # compiled by TorchScript
    return _position_in_script("rounding", name, names)


Scale = Union[Tensor, float, int, List[float], Tuple[float, float]]  # noqa: UP006, UP007


def _factors(scale: Scale) -> Tensor:  # compiled by TorchScript
    if isinstance(scale, Tensor):
        return scale
    elif isinstance(scale, List[float]):  # noqa: UP006
        return torch.tensor(scale)
    elif isinstance(scale, (int, float)):
        return torch.tensor([float(scale)])
    return torch.tensor([scale[0], scale[1]])


def dynamic_upscale_in_script(  # noqa: PLR0917 - TorchScript's arguments have positions
    x: Tensor,
    scale: Optional[Scale] = None,  # noqa: UP045
    size: Optional[List[int]] = None,  # noqa: UP006, UP045
    coordinate_transformation_mode: str = "half_pixel",
    cubic_coeff_a: float = _arguments.DEFAULT_CUBIC_COEFF_A,
    antialias: bool = False,
    exclude_outside: bool = False,
    rounding: str = _arguments.DEFAULT_ROUNDING,
) -> Tensor:  # compiled by TorchScript
    """``sr_ops.dynamic_upscale``."""
    mode, rounded = _mode(coordinate_transformation_mode), _rounding(rounding)
    if scale is None and size is not None:
        return torch.ops.sr_ops.dynamic_upscale_to_size(
            x, size, None, None, mode, cubic_coeff_a, antialias, exclude_outside, rounded
        )
    elif scale is not None and size is None:
        return torch.ops.sr_ops.dynamic_upscale(
            x, _factors(scale), mode, cubic_coeff_a, antialias, exclude_outside, rounded
        )
    what = "neither" if scale is None else "both"
    raise ValueError(f"scale, size: got {what}, expected exactly one of them")


def interpolate_in_script(  # noqa: PLR0917 - torch's signature
    input: Tensor,
    size: Optional[Union[int, List[int]]] = None,  # noqa: UP006, UP007, UP045
    scale_factor: Optional[Union[float, List[float]]] = None,  # noqa: UP006, UP007, UP045
    mode: str = "nearest",
    align_corners: Optional[bool] = None,  # noqa: UP045
    recompute_scale_factor: Optional[bool] = None,  # noqa: UP045
    antialias: bool = False,
) -> Tensor:  # compiled by TorchScript
    """``sr_ops.compat.interpolate``."""
    axes = input.dim() - 2
    sizes: Optional[List[int]] = None  # noqa: UP006, UP045
    if isinstance(size, int):
        sizes = [size] * axes
    elif size is not None:
        sizes = size
    factors: Optional[List[float]] = None  # noqa: UP006, UP045
    if isinstance(scale_factor, float):
        factors = [scale_factor] * axes
    elif scale_factor is not None:
        factors = scale_factor
    corners = align_corners is not None and align_corners
    if mode != "bicubic" or (antialias and corners):
        return functional.interpolate(
            input, sizes, factors, mode, align_corners, recompute_scale_factor, antialias
        )
    if input.dim() != 4:
        raise ValueError(f"input: got {input.dim()} dimensions, expected 4: (N, C, H, W)")
    recompute = recompute_scale_factor is not None and recompute_scale_factor
    return _bicubic_in_script(input, sizes, factors, corners, antialias, recompute)


def _bicubic_in_script(  # noqa: PLR0917
    images: Tensor,
    sizes: Optional[List[int]],  # noqa: UP006, UP045
    factors: Optional[List[float]],  # noqa: UP006, UP045
    align_corners: bool,
    antialias: bool,
    recompute_scale_factor: bool,
    plain: Tuple[int, float, bool, bool] = aten_bicubic.attributes(False, False),  # noqa: UP006
    corners: Tuple[int, float, bool, bool] = aten_bicubic.attributes(True, False),  # noqa: UP006
    smooth: Tuple[int, float, bool, bool] = aten_bicubic.attributes(False, True),  # noqa: UP006
) -> Tensor:  # compiled by TorchScript
    mode, a, stretched, inside = plain
    if antialias:
        mode, a, stretched, inside = smooth
    elif align_corners:
        mode, a, stretched, inside = corners
    scale_h: Optional[float] = None  # noqa: UP045
    scale_w: Optional[float] = None  # noqa: UP045
    if sizes is not None and factors is None:
        out = sizes
    elif factors is not None and sizes is None:
        if len(factors) != 2:
            raise ValueError(f"scale_factor: got {len(factors)} elements, expected 2")
        if not (min(factors) > 0 and max(factors) < float("inf")):
            raise ValueError(f"scale_factor: got {factors}, expected finite numbers > 0")
        out = [int(images.size(axis + 2) * factors[axis]) for axis in range(2)]
        if not recompute_scale_factor:
            scale_h, scale_w = factors[0], factors[1]
    else:
        what = "neither" if sizes is None else "both"
        raise ValueError(f"size, scale_factor: got {what}, expected exactly one of them")
    return torch.ops.sr_ops.dynamic_upscale_to_size(
        images, out, scale_h, scale_w, mode, a, stretched, inside
    )
