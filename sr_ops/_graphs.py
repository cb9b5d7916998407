"""Arguments where a graph is made: torch.compile, torch.export, symbolic shapes, torch.jit.trace.

There, sizes and scales may be symbolic, and the graph must stay right for values that it has not
seen. The checks repeat those of ``_arguments`` in a form that Dynamo can trace.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.fx.experimental.symbolic_shapes import guard_or_false, guard_scalar, has_static_value

from sr_ops import _arguments, _torch_library
from sr_ops._autograd import (
    UpscaleByTensor,
    UpscaleToSize,
    upscale_by_tensor,
    upscale_to_size,
    upscale_to_size_in_script,
)
from sr_ops.errors import InvalidArgumentError, InvalidTypeError

__all__ = [
    "check_output",
    "check_scale_tensor",
    "parse_attributes",
    "parse_size",
    "shown",
    "upscale_in_graph",
    "upscale_in_trace",
]

#: Up to here, float32 holds every integer, so that the product of the size rule is exact.
_EXACT = 2**24


def check_scale_tensor(scale: Tensor) -> None:
    """Refuse a scale tensor by its shape and dtype; its values are the op's business."""
    _check_scale_tensor(scale, scale.dim(), scale.numel())


def _check_scale_tensor(scale: Tensor, dimensions: int, elements: int) -> None:
    if dimensions > 1 or elements not in (1, 2, 4):
        raise InvalidArgumentError(
            f"scale: got a tensor of {dimensions} dimensions and {elements} elements, expected at "
            "most one dimension of 1, 2 (height, width) or 4 ([1, 1, scale_h, scale_w]) elements"
        )
    if scale.is_complex() or scale.dtype == torch.bool:
        raise InvalidTypeError(f"scale: got a tensor of {scale.dtype}, expected real numbers")


def parse_attributes(mode: Any, cubic_coeff_a: Any) -> tuple[int, float]:
    """Position of the mode and rounded coefficient, in code that Dynamo traces."""
    index, value, argument_error, type_error = _constant_attributes(mode, cubic_coeff_a)
    if argument_error:
        raise InvalidArgumentError(argument_error)
    if type_error:
        raise InvalidTypeError(type_error)
    return index, value


# Dynamo calls these with constants instead of tracing them. They must not raise: it would wrap the
# exception in one of its own.


@torch.compiler.assume_constant_result
def _constant_attributes(mode: Any, cubic_coeff_a: Any) -> tuple[int, float, str, str]:
    try:
        index = _arguments.parse_mode(mode)
        return index, _arguments.parse_cubic_coeff_a(cubic_coeff_a), "", ""
    except InvalidArgumentError as error:
        return 0, 0.0, str(error), ""
    except InvalidTypeError as error:
        return 0, 0.0, "", str(error)


@torch.compiler.assume_constant_result
def _constant_text(value: Any) -> str:
    return repr(value)


@torch.compiler.assume_constant_result
def _constant_output_size(n: int, scale: float) -> int:
    return _arguments.output_size(n, scale)


@torch.compiler.assume_constant_result
def _constant_float32(value: float) -> float:
    return _arguments.float32(value)


def upscale_in_graph(x: Tensor, scale: Any, size: Any, attributes: Any) -> Tensor:
    """``dynamic_upscale`` for compiled, exported and otherwise symbolic code."""
    height, width = x.shape[2], x.shape[3]
    if size is not None:
        return upscale_to_size(x, parse_size(size), None, None, *attributes)
    if isinstance(scale, Tensor):
        check_scale_tensor(scale)
        return upscale_by_tensor(x, scale, *attributes)
    scale_h, scale_w = _parse_scale(scale)
    whole_h, whole_w = _whole(scale_h), _whole(scale_w)
    if (
        whole_h is not None
        and whole_w is not None
        and not (_may_be_inexact(height * whole_h) or _may_be_inexact(width * whole_w))
    ):
        out_size = [height * whole_h, width * whole_w]
        check_output(x, out_size, "scale")
        return upscale_to_size(x, out_size, _constant(whole_h), _constant(whole_w), *attributes)
    if (
        has_static_value(height)
        and has_static_value(width)
        and has_static_value(scale_h)
        and has_static_value(scale_w)
    ):
        scale_h, scale_w = _constant_float32(scale_h), _constant_float32(scale_w)
        out_size = [_constant_output_size(height, scale_h), _constant_output_size(width, scale_w)]
        check_output(x, out_size, "scale")
        return upscale_to_size(x, out_size, scale_h, scale_w, *attributes)
    # A product with a tensor keeps a symbolic factor symbolic; torch.full would freeze its value.
    ones = torch.ones((1,), dtype=torch.float64)
    scales = torch.cat([ones * scale_h, ones * scale_w])
    return upscale_by_tensor(x, scales, *attributes)


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
            f"scale: got {shown(scale)}, but batch and channels cannot be resampled: the first two "
            "of four elements must be 1"
        )
    pair = (values[0] if len(values) == 1 else values[-2], values[-1])
    for value in pair:
        if not 0 < value < float("inf"):
            raise InvalidArgumentError(f"scale: got {shown(scale)}, expected finite numbers > 0")
    return pair


def shown(value: Any) -> str:
    """A refused argument as text; a symbolic number as the one that it stands for."""
    if isinstance(value, (tuple, list)):
        return "(" + ", ".join([shown(v) for v in value]) + ")"
    if isinstance(value, (int, float, torch.SymInt, torch.SymFloat)):
        value = guard_scalar(value)
    return _constant_text(value)


def parse_size(size: Any) -> list[Any]:
    """[height, width] from a pair of integers that may be symbolic."""
    if not isinstance(size, (tuple, list)):
        raise InvalidTypeError(
            f"size: got {shown(size)}, expected a pair (height, width) of integers"
        )
    if len(size) != 2:
        raise InvalidArgumentError(f"size: got {len(size)} elements, expected (height, width)")
    for value in size:
        if isinstance(value, bool) or not isinstance(value, (int, torch.SymInt)):
            raise InvalidTypeError(f"size: got {shown(size)}, expected a pair of integers")
        # Not known (unbacked) sizes pass: the op checks them when it runs.
        if guard_or_false(value < 1):
            raise InvalidArgumentError(f"size: got {shown(size)}, expected integers >= 1")
    return [size[0], size[1]]


def check_output(x: Tensor, size: list[Any], what: str) -> None:
    """Refuse an output without pixels or of too many, as far as its size is known."""
    batch, channels, in_height, in_width = x.shape
    height, width = size
    if not has_static_value(height) or not has_static_value(width):
        return
    made, of = shown(size), shown((in_height, in_width))
    shape = f"{what}: makes an image of size {made} of one of size {of}"
    if height < 1 or width < 1:
        raise InvalidArgumentError(
            f"{shape}; each axis must keep at least one pixel: use a larger scale"
        )
    planes = batch * channels if has_static_value(batch * channels) else 1
    if max(planes, 1) * height * width > _arguments.MAX_ELEMENTS:
        raise InvalidArgumentError(
            f"{shape}; more than 2**40 elements: use a smaller scale or size"
        )


def upscale_in_trace(x: Tensor, scale: Any, size: Any, attributes: Any) -> Tensor:
    """``dynamic_upscale`` under torch.jit's tracer and the exporter that builds on it.

    Image sizes are tensors there. Scale and size go in as tensors too, so that nothing is frozen;
    the exporter needs a ``Function``, for its ``symbolic``; a trace that can be saved, an op.
    """
    exporting = torch.onnx.is_in_onnx_export()
    try:
        if size is not None:
            call = UpscaleToSize.apply if exporting else upscale_to_size_in_script()
            return call(x, _traced_size(size), None, None, *attributes)
        call = UpscaleByTensor.apply if exporting else _torch_library.dynamic_upscale
        return call(x, _traced_scale(scale), *attributes)
    except ValueError as error:  # the op's own checks: it has seen the values first
        raise InvalidArgumentError(str(error)) from error


def _traced_size(size: Any) -> Tensor:
    if not isinstance(size, (tuple, list)) or not any(isinstance(v, Tensor) for v in size):
        size = _arguments.parse_size(size)
    if len(size) != 2:
        raise InvalidArgumentError(f"size: got {len(size)} elements, expected (height, width)")
    # torch.full, since torch.tensor warns in a trace.
    return torch.stack([v if isinstance(v, Tensor) else torch.full((), v) for v in size])


def _traced_scale(scale: Any) -> Tensor:
    """ONNX's form, [1, 1, scale_h, scale_w] in float32, by ordinary ops."""
    if isinstance(scale, Tensor):
        count = len(scale.reshape(-1).unbind())  # a plain integer, where numel is a tensor
        _check_scale_tensor(scale, scale.dim(), count)
        factors = scale.to(torch.float32).reshape(-1)
        if count == 4:
            return factors
        ones = torch.ones(2, device=scale.device)
        return torch.cat([ones, factors] if count == 2 else [ones, factors, factors])
    pair = _arguments.parse_scale(scale)
    return torch.cat([torch.full((n,), v) for n, v in ((2, 1.0), (1, pair[0]), (1, pair[1]))])
