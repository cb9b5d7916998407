"""The operator where a graph is made: torch.compile, torch.export, other symbolic shapes.

There, sizes and scales may be symbolic, and the graph must stay right for values that it has not
seen. The checks repeat those of ``_arguments`` in a form that Dynamo can trace.

Importing this module loads the compiler: eager code must not.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.fx.experimental.symbolic_shapes import (
    guard_or_false,
    guard_scalar,
    has_static_value,
    statically_known_true,
)

from sr_ops import _arguments
from sr_ops._torch import autograd, checks, compiler_errors, library, matrices
from sr_ops.errors import InvalidArgumentError, InvalidTypeError

__all__ = ["dynamic_upscale", "interpolate"]

#: Up to here, float32 holds every integer, so that the product of the size rule is exact.
_EXACT = 2**24


def dynamic_upscale(  # noqa: PLR0917 - not a public signature
    x: Tensor,
    scale: Any,
    size: Any,
    mode: Any,
    cubic_coeff_a: Any,
    antialias: Any,
    exclude_outside: Any,
    rounding: Any,
) -> Tensor:
    """``sr_ops.dynamic_upscale``."""
    try:
        checks.check_kinds(x, scale, size, antialias, exclude_outside)
        index, a, rounded = _parse_attributes(mode, cubic_coeff_a, rounding, x.dtype)
        attributes = (index, a, antialias, exclude_outside, rounded)
        if size is not None:
            out_size = _parse_size(size)
            _check_output(x, out_size, "size")
            return _upscale_to_size(x, out_size, None, None, *attributes)
        if isinstance(scale, Tensor):
            checks.check_scale_tensor(scale)
            return _upscale_by_tensor(x, scale, *attributes)
        return _upscale_by_numbers(x, scale, attributes)
    except (InvalidArgumentError, InvalidTypeError) as error:
        compiler_errors.reraise(error)


def interpolate(
    x: Tensor, size: Any, scale_factor: Any, recompute_scale_factor: Any, attributes: Any
) -> Tensor:
    """``sr_ops.compat.interpolate`` for bicubic."""
    try:
        checks.check_interpolation(x, size, scale_factor, recompute_scale_factor)
        scales: Any = (None, None)
        if scale_factor is None:
            size, what = _parse_size(checks.pair(size)), "size"
        else:
            factors, what = _parse_factors(scale_factor), "scale_factor"
            size = [torch.sym_int(x.shape[2] * factors[0]), torch.sym_int(x.shape[3] * factors[1])]
            if not recompute_scale_factor:
                scales = factors
                if not (has_static_value(factors[0]) and has_static_value(factors[1])):
                    return _upscale_by_symbols(x, size, factors, attributes)
        _check_output(x, size, what)
        return _upscale_to_size(x, size, *scales, *attributes)
    except (InvalidArgumentError, InvalidTypeError) as error:
        compiler_errors.reraise(error)


def _upscale_by_symbols(x: Tensor, size: Any, factors: Any, attributes: Any) -> Tensor:
    """By factors that follow from sizes: the sized op would freeze them."""
    ones = torch.ones((1,), dtype=torch.float64)
    scale = torch.cat([ones * factors[0], ones * factors[1]])
    if torch.compiler.is_exporting():
        return library.dynamic_upscale_of_known_size(x, scale, size, *attributes)
    return _upscale_by_tensor(x, scale, *attributes)


def _upscale_to_size(x: Tensor, *rest: Any) -> Tensor:
    if torch.compiler.is_compiling() and x.is_floating_point() and _compiler_differentiates():
        return matrices.upscale_to_size(x, *rest)
    return autograd.upscale_to_size(x, *rest)


def _upscale_by_tensor(x: Tensor, scale: Tensor, *attributes: Any) -> Tensor:
    if torch.compiler.is_compiling() and x.is_floating_point() and _compiler_differentiates():
        return matrices.upscale_by_tensor(x, scale, *attributes)
    return library.dynamic_upscale(x, scale, *attributes)


def _parse_attributes(
    mode: Any, cubic_coeff_a: Any, rounding: Any, dtype: torch.dtype
) -> tuple[int, float, int]:
    """Position of the mode, rounded coefficient, position of the rounding; traced by Dynamo."""
    if isinstance(cubic_coeff_a, (int, float)):  # symbolic, under torch.compile(dynamic=True)
        cubic_coeff_a = guard_scalar(cubic_coeff_a)
    index, value, rounded, argument_error, type_error = _constant_attributes(
        mode, cubic_coeff_a, rounding, str(dtype)
    )
    if argument_error:
        raise InvalidArgumentError(argument_error)
    if type_error:
        raise InvalidTypeError(type_error)
    return index, value, rounded


# Dynamo calls these with constants instead of tracing them. They must not raise: it would wrap the
# exception in one of its own.


@torch.compiler.assume_constant_result
def _constant_attributes(
    mode: Any, cubic_coeff_a: Any, rounding: Any, dtype: str
) -> tuple[int, float, int, str, str]:
    try:
        index = _arguments.parse_mode(mode)
        value = _arguments.parse_cubic_coeff_a(cubic_coeff_a)
        rounded = _arguments.parse_rounding(rounding)
        _arguments.check_rounding(rounded, dtype.removeprefix("torch."), index, value)
    except InvalidArgumentError as error:
        return 0, 0.0, 0, str(error), ""
    except InvalidTypeError as error:
        return 0, 0.0, 0, "", str(error)
    return index, value, rounded, "", ""


@torch.compiler.assume_constant_result
def _constant_text(value: Any) -> str:
    return _arguments.shown(value)


@torch.compiler.assume_constant_result
def _constant_output_size(n: int, scale: float) -> int:
    return _arguments.output_size(n, scale)


@torch.compiler.assume_constant_result
def _constant_float32(value: float) -> float:
    return _arguments.float32(value)


@torch.compiler.assume_constant_result
def _compiler_differentiates() -> bool:
    """Whether the compiler is inside a torch.func transform other than vmap."""
    stack = torch._C._functorch.get_interpreter_stack() or ()
    return any(level.key() != torch._C._functorch.TransformType.Vmap for level in stack)


def _upscale_by_numbers(x: Tensor, scale: Any, attributes: Any) -> Tensor:
    height, width = x.shape[2], x.shape[3]
    scale_h, scale_w = _parse_scale(scale)
    whole_h, whole_w = _whole(scale_h), _whole(scale_w)
    if (
        whole_h is not None
        and whole_w is not None
        and not (_may_be_inexact(height * whole_h) or _may_be_inexact(width * whole_w))
    ):
        out_size = [height * whole_h, width * whole_w]
        _check_output(x, out_size, "scale")
        return _upscale_to_size(x, out_size, _constant(whole_h), _constant(whole_w), *attributes)
    if (
        has_static_value(height)
        and has_static_value(width)
        and has_static_value(scale_h)
        and has_static_value(scale_w)
    ):
        scale_h, scale_w = _constant_float32(scale_h), _constant_float32(scale_w)
        out_size = [_constant_output_size(height, scale_h), _constant_output_size(width, scale_w)]
        _check_output(x, out_size, "scale")
        return _upscale_to_size(x, out_size, scale_h, scale_w, *attributes)
    # A product with a tensor keeps a symbolic factor symbolic; torch.full would freeze its value.
    ones = torch.ones((1,), dtype=torch.float64)
    scales = torch.cat([ones * scale_h, ones * scale_w])
    return _upscale_by_tensor(x, scales, *attributes)


def _may_be_inexact(extent: Any) -> bool:
    """Whether the size rule may round this product of an image size and an integer factor."""
    # An exported graph cannot branch on it: there, products are exact at any size.
    return not torch.compiler.is_exporting() and guard_or_false(extent > _EXACT)


def _whole(factor: Any) -> Any:
    """The factor as an integer where it is known to be one, else None."""
    if isinstance(factor, (int, torch.SymInt)):
        return factor
    if has_static_value(factor) and factor == int(factor):
        return int(factor)
    return None


def _constant(factor: Any) -> float | None:
    """The factor where it is a constant, else None: the op takes no symbolic one."""
    return float(factor) if has_static_value(factor) else None


def _parse_scale(scale: Any) -> tuple[Any, Any]:
    values = scale if isinstance(scale, (tuple, list)) else (scale,)
    for value in values:
        if isinstance(value, bool) or not isinstance(
            value, (int, float, torch.SymInt, torch.SymFloat)
        ):
            raise InvalidTypeError(
                f"scale: got {type(scale).__name__}, expected a number, a pair (scale_h, scale_w), "
                "or a tensor of 1, 2 or 4 elements"
            )
    if len(values) not in (1, 2, 4):
        raise InvalidArgumentError(
            f"scale: got {len(values)} elements, expected 1, 2 (height, width) or 4 "
            "([1, 1, scale_h, scale_w])"
        )
    if len(values) == 4 and not (values[0] == 1 and values[1] == 1):
        raise InvalidArgumentError(
            f"scale: got {_shown(scale)}, but batch and channels cannot be resampled: the first "
            "two of four elements must be 1"
        )
    pair = (values[0] if len(values) == 1 else values[-2], values[-1])
    _check_factors("scale", scale, pair)
    return pair


def _parse_factors(scale_factor: Any) -> tuple[Any, Any]:
    values = checks.pair(scale_factor)
    if not isinstance(values, (tuple, list)):
        raise InvalidTypeError(f"scale_factor: got {_shown(scale_factor)}, expected numbers")
    if len(values) != 2:
        raise InvalidArgumentError(checks.COUNT_OF_FACTORS.format(len(values)))
    for value in values:
        if isinstance(value, bool) or not isinstance(
            value, (int, float, torch.SymInt, torch.SymFloat)
        ):
            raise InvalidTypeError(f"scale_factor: got {_shown(scale_factor)}, expected numbers")
    _check_factors("scale_factor", scale_factor, values)
    return torch.sym_float(values[0]), torch.sym_float(values[1])  # float() would freeze them


def _check_factors(argument: str, given: Any, factors: Any) -> None:
    for factor in factors:
        # Of a factor that only a run knows (.item()), torch says here that it cannot be exported.
        if not 0 < factor < float("inf"):
            raise InvalidArgumentError(
                f"{argument}: got {_shown(given)}, expected finite numbers > 0"
            )


def _fails(condition: Any) -> bool:
    """Whether a condition on symbolic numbers, which refuses an argument, holds.

    Under torch.compile the answer becomes a guard, so that a bad value is refused when it comes.
    An exported program serves every value, and no check may narrow that: the op checks them when
    it runs. So it does with sizes that are not known here.
    """
    if torch.compiler.is_exporting():
        return statically_known_true(condition)
    return guard_or_false(condition)


def _shown(value: Any) -> str:
    """A refused argument as text; a symbolic number as the one that it stands for."""
    if isinstance(value, (tuple, list)):
        return "(" + ", ".join([_shown(v) for v in value]) + ")"
    if isinstance(value, (int, float, torch.SymInt, torch.SymFloat)):
        value = guard_scalar(value)
    return _constant_text(value)


def _parse_size(size: Any) -> list[Any]:
    """[height, width] from a pair of integers that may be symbolic."""
    if not isinstance(size, (tuple, list)):
        raise InvalidTypeError(
            f"size: got {_shown(size)}, expected a pair (height, width) of integers"
        )
    if len(size) != 2:
        raise InvalidArgumentError(f"size: got {len(size)} elements, expected (height, width)")
    for value in size:
        if isinstance(value, bool) or not isinstance(value, (int, torch.SymInt)):
            raise InvalidTypeError(f"size: got {_shown(size)}, expected a pair of integers")
        if _fails(value < 1):
            raise InvalidArgumentError(f"size: got {_shown(size)}, expected integers >= 1")
    return [size[0], size[1]]


def _check_output(x: Tensor, size: list[Any], what: str) -> None:
    """Refuse an output without pixels or of too many, as far as its size is known."""
    batch, channels, in_height, in_width = x.shape
    height, width = size
    if not has_static_value(height) or not has_static_value(width):
        return
    planes = batch * channels if has_static_value(batch * channels) else 1
    fault = checks.fault_of_output(planes, height, width)
    if fault:  # only now, since to show a symbolic size is to guard on its value
        made, of = _shown(size), _shown((in_height, in_width))
        raise InvalidArgumentError(checks.output_error(what, made, of, fault))
