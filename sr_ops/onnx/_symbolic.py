"""What the TorchScript exporter (``torch.onnx.export`` with ``dynamo=False``) writes for the ops.

``torch.autograd.Function.symbolic`` leads here, with graph values for tensors and Python values for
the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from onnx import TensorProto

from sr_ops import _arguments
from sr_ops.onnx import standard_form
from sr_ops.onnx._emit import emitted_op
from sr_ops.onnx.schema import DOMAIN, SCALES_OP, SIZES_OP

__all__ = ["upscale", "upscale_to_sizes"]

_ELEMENT_TYPES = {
    "Float": TensorProto.FLOAT,
    "Double": TensorProto.DOUBLE,
    "Half": TensorProto.FLOAT16,
    "BFloat16": TensorProto.BFLOAT16,
    "Byte": TensorProto.UINT8,
}
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
    return _write(g, x, SCALES_OP, {"scales": scales}, _attributes(*attributes))


def upscale_to_sizes(g: Any, x: Any, size: Any, *attributes: Any) -> Any:
    """``dynamic_upscale_to_size``; size: (height, width) in int64."""
    sizes = standard_form.full_sizes(_Writer(g), x, size)
    return _write(g, x, SIZES_OP, {"sizes": sizes}, _attributes(*attributes))


def _attributes(mode: int, cubic_coeff_a: float, antialias: bool, exclude_outside: bool) -> Any:
    attributes = {
        "coordinate_transformation_mode": _arguments.COORDINATE_TRANSFORMATION_MODES[mode],
        "cubic_coeff_a": float(cubic_coeff_a),
        "exclude_outside": int(exclude_outside),
    }
    # Left out where it is at its default: before opset 18, Resize does not have it.
    return {**attributes, "antialias": 1} if antialias else attributes


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
