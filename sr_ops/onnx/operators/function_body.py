"""The model-local functions that let a model run where the sr_ops library is not.

ONNX Runtime prefers a registered kernel to a function of the same name, so one file serves both.
The function of an operator serves every node of that operator in a model, whence its form: as
simple as the nodes of the model allow.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import onnx
from onnx import helper

from sr_ops.errors import ModelError
from sr_ops.onnx.graphs.node_writer import AttributeReference, NodeWriter
from sr_ops.onnx.operators import standard_form
from sr_ops.onnx.operators.schema import ATTRIBUTES, DOMAIN, OPERATORS, SCALES_OP
from sr_ops.onnx.operators.standard_form import MIXED_FLOATS_OPSET, common_dtype

__all__ = ["Use", "form_of", "function_proto"]

_COMPUTED_IN_FLOAT32 = {
    onnx.TensorProto.FLOAT,
    onnx.TensorProto.FLOAT16,
    onnx.TensorProto.BFLOAT16,
}
_DEFAULT_ROUNDING = ATTRIBUTES["rounding"]


@dataclasses.dataclass(frozen=True)
class Use:
    """How one node uses its operator.

    Attributes:
        dtype: ONNX element type of X.
        folded: X has other than 2 or 4 axes, or scales (sizes) other than one element an axis, or
            one of these is not known.
        attributes: of the node, all of them, in order; None: not known.
    """

    dtype: int
    folded: bool = False
    attributes: tuple[tuple[str, Any], ...] | None = None


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
    ['Cast', 'Cast', 'Resize', 'CastLike']
    >>> use = Use(onnx.TensorProto.FLOAT, attributes=tuple(ATTRIBUTES.items()))
    >>> function = function_proto("DynamicUpscale", [use], 18)
    >>> sum(node.op_type == "MatMul" for node in function.node)
    2
    """
    if op not in OPERATORS:
        raise ModelError(f"op: got {op!r}, expected one of {', '.join(OPERATORS)}")
    uses = list(uses)
    writer = NodeWriter(opset)
    form, attributes = _form_of(uses, opset)
    extent = "scales" if op == SCALES_OP else "sizes"
    standard_form.upscale(
        writer,
        "X",
        **{extent: extent},
        dtype=_served_dtype(op, {use.dtype for use in uses}, opset),
        attributes=attributes,
        fold=any(use.folded for use in uses),
        form=form,
        widen_scales=True,
    )
    writer.nodes[-1].output[0] = "Y"
    return helper.make_function(
        DOMAIN,
        op,
        ["X", extent],
        ["Y"],
        writer.nodes,
        opset_imports=[helper.make_opsetid("", opset)],
        attributes=_names(attributes),
        doc_string=_documentation(form, attributes),
    )


def _served_dtype(op: str, dtypes: set[int], opset: int) -> int | None:
    """The element type that a function is written for; None: any floating-point type.

    Where float32 suffices for the computation, the function takes every type, for those who convert
    a finished file to half precision: they leave functions as they are.
    """
    if dtypes <= _COMPUTED_IN_FLOAT32 and opset >= MIXED_FLOATS_OPSET:
        return None
    refusal = f"{op}: one function cannot serve {{types}} at opset {opset}"
    return common_dtype(dtypes, opset, refusal)


def form_of(uses: Iterable[Use]) -> str:
    """How a function that serves these uses is written: ``"MatMul"`` or ``"Resize"``.

    The matrices' form depends on the attributes, so it serves nodes that all have the same ones.
    """
    attributes = {use.attributes for use in uses}
    return "MatMul" if len(attributes) == 1 and None not in attributes else "Resize"


def _form_of(uses: list[Use], opset: int) -> tuple[str, dict[str, Any]]:
    form = form_of(uses)
    if form == "MatMul":
        return form, dict(uses[0].attributes or ())
    return form, dict(_references(opset))


def _names(attributes: dict[str, Any]) -> list[str]:
    # Calls leave the rounding out where it is at its default, as older files do.
    plain = attributes.get("rounding", _DEFAULT_ROUNDING) == _DEFAULT_ROUNDING
    return [name for name in ATTRIBUTES if name != "rounding" or not plain]


def _documentation(form: str, attributes: dict[str, Any]) -> str:
    if form == "Resize":
        return "One Resize; the attributes are those of the call."
    values = ", ".join(f"{name}={attributes[name]}" for name in _names(attributes))
    return f"Banded matrix products, for calls with {values} alone."


def _references(opset: int) -> dict[str, AttributeReference]:
    # A node that leaves an attribute out leaves it out of Resize, too, whose defaults are the same.
    return {
        name: AttributeReference(helper.make_attribute(name, default).type)
        for name, default in ATTRIBUTES.items()
        if name != "rounding" and (name != "antialias" or opset >= 18)
    }
