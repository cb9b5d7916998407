"""What the TorchScript exporter (``torch.onnx.export`` with ``dynamo=False``) writes for the ops.

``torch.autograd.Function.symbolic`` leads here, with graph values for tensors and Python values for
the others. torch's own bicubic operators, and ours in scripted and traced modules, come here while
``aten_symbolics`` holds, with graph values for everything.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from onnx import TensorProto
from torch.onnx import symbolic_helper

from sr_ops._torch import aten_bicubic
from sr_ops._torch.onnx_emit import emitted_op
from sr_ops.onnx.operators import standard_form
from sr_ops.onnx.operators.schema import DOMAIN, SCALES_OP, SIZES_OP

__all__ = ["aten_symbolics", "upscale", "upscale_to_sizes"]

_ELEMENT_TYPES = {
    "Float": TensorProto.FLOAT,
    "Double": TensorProto.DOUBLE,
    "Half": TensorProto.FLOAT16,
    "BFloat16": TensorProto.BFLOAT16,
    "Byte": TensorProto.UINT8,
}
_ATTRIBUTE_KINDS = ("i", "f", "b", "b", "i")
_SUFFIXES = {str: "s", float: "f", int: "i"}


class _Writer:
    """Writes into the exporter's graph."""

    def __init__(self, graph_context: Any) -> None:
        self.graph_context = graph_context
        self.opset: int = graph_context.opset

    def op(self, op_type: str, *inputs: Any, **attributes: Any) -> Any:
        return self.graph_context.op(
            op_type,
            *(self._nothing() if value is None else value for value in inputs),
            **{f"{k}_{_SUFFIXES[type(v)]}": v for k, v in attributes.items()},
        )

    def constant(self, array: np.ndarray[Any, Any]) -> Any:
        return self.graph_context.op("Constant", value_t=torch.from_numpy(np.array(array)))

    def _nothing(self) -> Any:
        nothing = self.graph_context.op("prim::Constant")
        nothing.setType(torch._C.OptionalType.ofTensor())
        return nothing


def upscale(g: Any, x: Any, scales: Any, *attributes: Any) -> Any:
    """``dynamic_upscale``; scales: [1, 1, scale_h, scale_w] in float32."""
    return _write(g, x, SCALES_OP, {"scales": scales}, standard_form.attribute_values(*attributes))


def upscale_to_sizes(g: Any, x: Any, size: Any, *attributes: Any) -> Any:
    """``dynamic_upscale_to_size``; size: (height, width) in int64."""
    sizes = standard_form.full_sizes(_Writer(g), x, size)
    return _write(g, x, SIZES_OP, {"sizes": sizes}, standard_form.attribute_values(*attributes))


@contextlib.contextmanager
def aten_symbolics(opset_version: int) -> Iterator[None]:
    """Have the exporter write ours for ``torch.nn.functional.interpolate`` with mode "bicubic".

    And for our own ops in a program of TorchScript, which holds them without an autograd function.
    """
    symbolics: dict[str, Callable[..., Any]] = {
        "sr_ops::dynamic_upscale": _in_script,
        "sr_ops::dynamic_upscale_to_size": _in_script_to_sizes,
        "aten::upsample_bicubic2d": _aten_symbolic(antialias=False),
        "aten::_upsample_bicubic2d_aa": _aten_symbolic(antialias=True),
    }
    for name, symbolic in symbolics.items():
        torch.onnx.register_custom_op_symbolic(  # type: ignore[attr-defined]
            name, symbolic, opset_version
        )
    try:
        yield
    finally:
        for name in symbolics:
            torch.onnx.unregister_custom_op_symbolic(  # type: ignore[attr-defined]
                name, opset_version
            )
            _forget_if_empty(name)


def _in_script(g: Any, x: Any, scales: Any, *attributes: Any) -> Any:
    return upscale(g, x, scales, *_attributes(attributes))


def _in_script_to_sizes(g: Any, x: Any, size: Any, *rest: Any) -> Any:
    return upscale_to_sizes(g, x, _sizes(g, size), *_attributes(rest[2:]))  # without the factors


def _attributes(values: tuple[Any, ...]) -> list[Any]:
    """Mode, coefficient, antialias, exclude_outside and rounding as Python values."""
    parse = symbolic_helper._parse_arg
    return [parse(v, kind) for v, kind in zip(values, _ATTRIBUTE_KINDS, strict=True)]  # type: ignore[arg-type]


def _forget_if_empty(name: str) -> None:
    """Of a name that torch itself does not have, unregistering leaves an entry that breaks it."""
    with contextlib.suppress(ImportError, AttributeError, KeyError):
        from torch.onnx._internal.torchscript_exporter.registration import registry

        group = registry.get_function_group(name)
        if group is not None and not group._functions:
            del registry._registry[name]


def _aten_symbolic(antialias: bool) -> Callable[..., Any]:
    def symbolic(g: Any, x: Any, size: Any, align_corners: Any, *factors: Any) -> Any:
        aligned = symbolic_helper._parse_arg(align_corners, "b")
        attributes = aten_bicubic.exportable(aligned, antialias)
        values = _factors(factors)
        if values is None:
            return upscale_to_sizes(g, x, _sizes(g, size), *attributes)
        return upscale(
            g, x, _Writer(g).constant(np.array([1, 1, *values], dtype=np.float32)), *attributes
        )

    return symbolic


def _factors(given: tuple[Any, ...]) -> list[float] | None:
    """The factors of the overload ``vec``, a list, or of the default one, two numbers; or None."""
    if any(symbolic_helper._is_none(value) for value in given):
        return None
    if len(given) == 1:
        return list(symbolic_helper._parse_arg(given[0], "fs"))
    return [float(symbolic_helper._parse_arg(value, "f")) for value in given]


def _sizes(g: Any, size: Any) -> Any:
    """(height, width) in int64 from a list of graph values, or from one value."""
    writer = _Writer(g)
    if not symbolic_helper._is_packed_list(size):
        return writer.op("Cast", size, to=int(TensorProto.INT64))
    one = np.array([1], dtype=np.int64)
    parts = [
        writer.op("Reshape", extent, writer.constant(one))
        for extent in symbolic_helper._unpack_list(size)
    ]
    return writer.op("Cast", writer.op("Concat", *parts, axis=0), to=int(TensorProto.INT64))


def _write(g: Any, x: Any, op: str, extent: dict[str, Any], attributes: dict[str, Any]) -> Any:
    writer = _Writer(g)
    if emitted_op() == "Resize":
        standard_form.check_opset(writer.opset, attributes)
        dtype = _ELEMENT_TYPES.get(x.type().scalarType(), TensorProto.FLOAT)
        y = standard_form.upscale(writer, x, **extent, dtype=dtype, attributes=attributes)
    else:
        y = writer.op(f"{DOMAIN}::{op}", x, *extent.values(), **attributes)
    # The traced output size is one of many.
    sizes = x.type().varyingSizes()
    if sizes is not None:
        y.setType(x.type().with_sizes([*sizes[:2], None, None]))
    return y
