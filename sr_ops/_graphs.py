"""Arguments where a graph is made: torch.compile, torch.export, symbolic shapes, torch.jit.trace.

There, sizes and scales may be symbolic, and the graph must stay right for values that it has not
seen. The checks repeat those of ``_arguments`` in a form that Dynamo can trace.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.fx.experimental.symbolic_shapes import guard_or_false, has_static_value

from sr_ops import _arguments, _torch_library
from sr_ops._autograd import (
    UpscaleByTensor,
    UpscaleToSize,
    upscale_to_size,
    upscale_to_size_in_script,
)
from sr_ops.errors import InvalidArgumentError, InvalidTypeError

__all__ = ["check_scale_tensor", "parse_attributes", "upscale_in_graph", "upscale_in_trace"]

#: Up to here, float32 holds every integer: a product with an integer factor is exact.
_EXACT = 2**24


def check_scale_tensor(scale: Tensor) -> None:
    """Refuse a scale tensor by its shape and dtype; its values are the op's business."""
    if scale.dim() > 1 or scale.numel() not in (1, 2, 4):
        raise InvalidArgumentError(
            f"scale: got a tensor of shape {list(scale.shape)}, expected at most one dimension of "
            "1, 2 (height, width) or 4 ([1, 1, scale_h, scale_w]) elements"
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
def _constant_output_size(n: int, scale: float) -> int:
    return _arguments.output_size(n, scale)


@torch.compiler.assume_constant_result
def _constant_float32(value: float) -> float:
    return _arguments.float32(value)


def upscale_in_graph(x: Tensor, scale: Any, size: Any, attributes: Any) -> Tensor:
    """``dynamic_upscale`` for compiled, exported and otherwise symbolic code."""
    height, width = x.shape[2], x.shape[3]
    if size is not None:
        return upscale_to_size(x, _parse_size(size), None, None, *attributes)
    if isinstance(scale, Tensor):
        check_scale_tensor(scale)
        return _torch_library.dynamic_upscale(x, scale, *attributes)
    scale_h, scale_w = _parse_scale(scale)
    whole_h, whole_w = _whole(scale_h), _whole(scale_w)
    if (
        whole_h is not None
        and whole_w is not None
        and guard_or_false(height * whole_h <= _EXACT)
        and guard_or_false(width * whole_w <= _EXACT)
    ):
        out_size = [height * whole_h, width * whole_w]
        return upscale_to_size(x, out_size, None, None, *attributes)
    if (
        has_static_value(height)
        and has_static_value(width)
        and has_static_value(scale_h)
        and has_static_value(scale_w)
    ):
        scale_h, scale_w = _constant_float32(scale_h), _constant_float32(scale_w)
        out_size = [_constant_output_size(height, scale_h), _constant_output_size(width, scale_w)]
        _check_output(x, out_size, scale)
        return upscale_to_size(x, out_size, scale_h, scale_w, *attributes)
    # A product with a tensor keeps a symbolic factor symbolic; torch.full would freeze its value.
    ones = torch.ones((1,), dtype=torch.float64)
    scales = torch.cat([ones * scale_h, ones * scale_w])
    return _torch_library.dynamic_upscale(x, scales, *attributes)


def _whole(factor: Any) -> Any:
    """The factor as an integer where it is known to be one, else None."""
    if isinstance(factor, (int, torch.SymInt)):
        return factor
    if has_static_value(factor) and factor == int(factor):
        return int(factor)
    return None


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
            f"scale: got {scale}, but batch and channels cannot be resampled: the first two of "
            "four elements must be 1"
        )
    pair = (values[0] if len(values) == 1 else values[-2], values[-1])
    for value in pair:
        if not 0 < value < float("inf"):
            raise InvalidArgumentError(f"scale: got {scale}, expected finite numbers > 0")
    return pair


def _parse_size(size: Any) -> list[Any]:
    if not isinstance(size, (tuple, list)):
        raise InvalidTypeError(f"size: got {size}, expected a pair (height, width) of integers")
    if len(size) != 2:
        raise InvalidArgumentError(f"size: got {len(size)} elements, expected (height, width)")
    for value in size:
        if isinstance(value, bool) or not isinstance(value, (int, torch.SymInt)):
            raise InvalidTypeError(f"size: got {size}, expected a pair of integers")
        # Not known (unbacked) sizes pass: the op checks them when it runs.
        if guard_or_false(value < 1):
            raise InvalidArgumentError(f"size: got {size}, expected integers >= 1")
    return [size[0], size[1]]


def _check_output(x: Tensor, out_size: list[int], scale: Any) -> None:
    height, width = out_size
    if height < 1 or width < 1:
        raise InvalidArgumentError(
            f"scale: {scale} makes {x.shape[2]} x {x.shape[3]} into {height} x {width}: each axis "
            "must keep at least one pixel; use a larger scale"
        )
    if height * width > _arguments.MAX_ELEMENTS:
        raise InvalidArgumentError(
            f"scale: {scale} makes {x.shape[2]} x {x.shape[3]} into {height} x {width}: more than "
            "2**40 elements; use a smaller scale"
        )


def upscale_in_trace(x: Tensor, scale: Any, size: Any, attributes: Any) -> Tensor:
    """``dynamic_upscale`` under torch.jit's tracer and the exporter that builds on it.

    Image sizes are tensors there. Scale and size go in as tensors too, so that nothing is frozen;
    the exporter needs a ``Function``, for its ``symbolic``; a trace that can be saved, an op.
    """
    exporting = torch.onnx.is_in_onnx_export()
    if size is not None:
        sizes = _traced_size(size)
        if exporting:
            exported: Tensor = UpscaleToSize.apply(x, sizes, None, None, *attributes)
            return exported
        return upscale_to_size_in_script()(x, sizes, None, None, *attributes)
    scales = _traced_scale(scale)
    if exporting:
        exported = UpscaleByTensor.apply(x, scales, *attributes)
        return exported
    return _torch_library.dynamic_upscale(x, scales, *attributes)


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
        factors = scale.to(torch.float32).reshape(-1)
        count = len(factors.unbind())  # a plain integer, where shape and numel are tensors
        if scale.dim() > 1 or count not in (1, 2, 4):
            raise InvalidArgumentError(
                f"scale: got a tensor of {scale.dim()} dimensions and {count} elements, expected "
                "at most one dimension of 1, 2 (height, width) or 4 ([1, 1, scale_h, scale_w])"
            )
        if count == 4:
            return factors
        ones = torch.ones(2, device=scale.device)
        return torch.cat([ones, factors] if count == 2 else [ones, factors, factors])
    pair = _arguments.parse_scale(scale)
    return torch.cat([torch.full((n,), v) for n, v in ((2, 1.0), (1, pair[0]), (1, pair[1]))])
