"""The model-local functions that let a model run where the sr_ops library is not.

ONNX Runtime prefers a registered kernel to a function of the same name, so one file serves both.
The function of an operator serves every node of that operator in a model, whence its form: as
simple as the nodes of the model allow.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from sr_ops.errors import ModelError
from sr_ops.onnx import standard_form
from sr_ops.onnx.schema import ATTRIBUTES, DOMAIN, FLOAT_TYPES, OPERATORS, SCALES_OP

__all__ = ["FUNCTION_IR_VERSION", "MIXED_FLOATS_OPSET", "Use", "function_proto"]

#: CastLike, which lets one body serve several floating-point types, came with this version.
MIXED_FLOATS_OPSET = 15
#: Models hold functions from this IR version on.
FUNCTION_IR_VERSION = 8


@dataclasses.dataclass(frozen=True)
class Use:
    """How one node uses its operator.

    Attributes:
        dtype: ONNX element type of X.
        folded: X has other than 2 or 4 axes, or scales (sizes) other than one element an axis, or
            one of these is not known.
    """

    dtype: int
    folded: bool = False


class _BodyWriter:
    """Collects the nodes of a function body."""

    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.nodes: list[onnx.NodeProto] = []

    def op(self, op_type: str, *inputs: str | None, **attributes: Any) -> str:
        references = {k: v for k, v in attributes.items() if isinstance(v, _Reference)}
        output = f"{op_type.lower()}_{len(self.nodes)}"
        node = helper.make_node(
            op_type,
            [name or "" for name in inputs],
            [output],
            **{k: v for k, v in attributes.items() if k not in references},
        )
        for name, reference in references.items():
            node.attribute.append(
                onnx.AttributeProto(name=name, ref_attr_name=name, type=reference.type)
            )
        self.nodes.append(node)
        return output

    def constant(self, array: np.ndarray[Any, Any]) -> str:
        return self.op("Constant", value=numpy_helper.from_array(np.asarray(array)))


@dataclasses.dataclass(frozen=True)
class _Reference:
    """An attribute whose value comes from the node that calls the function."""

    type: onnx.AttributeProto.AttributeType


def function_proto(op: str, uses: Iterable[Use], opset: int) -> onnx.FunctionProto:
    """The function of an operator, for all its uses in a model.

    Args:
        op: ``"DynamicUpscale"`` or ``"DynamicUpscaleToSizes"``.
        uses: at least one.
        opset: version of the default domain in the model.

    Raises:
        ModelError: the uses mix integers with other element types, or floating-point types below
            opset 15: no single function serves them.

    >>> function = function_proto("DynamicUpscale", [Use(onnx.TensorProto.FLOAT)], 18)
    >>> [node.op_type for node in function.node]
    ['Resize']
    """
    if op not in OPERATORS:
        raise ModelError(f"op: got {op!r}, expected one of {', '.join(OPERATORS)}")
    uses = list(uses)
    writer = _BodyWriter(opset)
    extent = "scales" if op == SCALES_OP else "sizes"
    standard_form.upscale(
        writer,
        "X",
        **{extent: extent},
        dtype=_common_dtype(op, {use.dtype for use in uses}, opset),
        attributes=_references(opset),
        fold=any(use.folded for use in uses),
    )
    writer.nodes[-1].output[0] = "Y"
    return helper.make_function(
        DOMAIN,
        op,
        ["X", extent],
        ["Y"],
        writer.nodes,
        opset_imports=[helper.make_opsetid("", opset)],
        attributes=list(ATTRIBUTES),
    )


def _references(opset: int) -> dict[str, _Reference]:
    # A node that leaves an attribute out leaves it out of Resize, too, whose defaults are the same.
    return {
        name: _Reference(helper.make_attribute(name, default).type)
        for name, default in ATTRIBUTES.items()
        if name != "antialias" or opset >= 18
    }


def _common_dtype(op: str, dtypes: set[int], opset: int) -> int | None:
    if len(dtypes) == 1:
        return next(iter(dtypes))
    if dtypes <= set(FLOAT_TYPES) and opset >= MIXED_FLOATS_OPSET:
        return None
    names = ", ".join(sorted(onnx.TensorProto.DataType.Name(dtype) for dtype in dtypes))
    raise ModelError(f"{op}: one function cannot serve {names} at opset {opset}")
