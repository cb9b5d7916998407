"""Attach to a model the functions of the operators that it uses."""

from __future__ import annotations

import dataclasses
from collections.abc import MutableSequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sr_ops.errors import ModelError
from sr_ops.onnx import function_body, standard_form
from sr_ops.onnx.function_body import Use
from sr_ops.onnx.schema import (
    DOMAIN,
    FLOAT_TYPES,
    INTEGER_RANGES,
    OPERATORS,
    VERSION,
)
from sr_ops.onnx.scopes import Scope, default_opset, scopes, tensor_dims, tensor_dtype

__all__ = ["add_functions", "is_operator"]


def is_operator(node: onnx.NodeProto) -> bool:
    """Whether a node is one of the operators of the domain ``sr_ops``."""
    return node.domain == DOMAIN and node.op_type in OPERATORS


def add_functions(model: onnx.ModelProto) -> onnx.ModelProto:
    """Attach to a model the functions of the ``sr_ops`` operators that it uses.

    The model then also runs where the sr_ops library is not: ONNX Runtime, ReferenceEvaluator and
    others run the function, which consists of standard operators. With the library registered,
    ONNX Runtime runs the library's kernel. Functions that are already there are written anew.

    One function serves all nodes of an operator. Where integer nodes meet floating-point ones, the
    integer ones get casts to float32 and back (rounding, clamping) around them.

    Args:
        model: changed in place.

    Returns:
        The model.

    Raises:
        ModelError: the element type of a node's image cannot be inferred or is not one that the
            operator takes, or the model's opset lacks what a node asks for.

    Source: ONNX IR specification, "Model local functions".
    """
    _drop_functions(model)
    occurrences = _occurrences(model)
    opset = default_opset(model.opset_import)
    for item in occurrences:
        standard_form.check_opset(opset, _literal_attributes(item.node))
        _import_domain(item.scope.function or model)
    for op in OPERATORS:
        ours = [item for item in occurrences if item.node.op_type == op]
        if ours:
            _cast_where_needed(ours, opset)
            uses = [use for item in ours for use in item.uses]
            model.functions.append(function_body.function_proto(op, uses, opset))
    if occurrences:
        _import_domain(model)
        model.ir_version = max(model.ir_version, function_body.FUNCTION_IR_VERSION)
    return model


@dataclasses.dataclass
class _Occurrence:
    """A node of ours, and how it is used: in a function, once for each call."""

    scope: Scope
    node: onnx.NodeProto
    uses: list[Use]


def _occurrences(model: onnx.ModelProto) -> list[_Occurrence]:
    found: dict[tuple[str, str], _Occurrence] = {}
    for scope in scopes(model):
        for node in scope.nodes:
            if is_operator(node):
                key = (scope.path, node.output[0])
                item = found.setdefault(key, _Occurrence(scope, node, []))
                item.uses.append(_use(scope, node))
    return list(found.values())


def _drop_functions(model: onnx.ModelProto) -> None:
    kept = [item for item in model.functions if (item.domain, item.name) not in _FUNCTION_IDS]
    del model.functions[:]
    model.functions.extend(kept)


_FUNCTION_IDS = {(DOMAIN, op) for op in OPERATORS}


def _import_domain(holder: onnx.ModelProto | onnx.FunctionProto) -> None:
    if all(item.domain != DOMAIN for item in holder.opset_import):
        holder.opset_import.append(helper.make_opsetid(DOMAIN, VERSION))


def _literal_attributes(node: onnx.NodeProto) -> dict[str, Any]:
    attributes = {
        item.name: helper.get_attribute_value(item)
        for item in node.attribute
        if not item.ref_attr_name
    }
    return {k: v.decode() if isinstance(v, bytes) else v for k, v in attributes.items()}


def _use(scope: Scope, node: onnx.NodeProto) -> Use:
    dtype = tensor_dtype(scope.types, node.input[0])
    if dtype is None:
        raise ModelError(
            f"model: the element type of {node.input[0]!r}, the image of node {node.name!r} in "
            f"{scope.path}, cannot be inferred; add value_info for it"
        )
    if dtype not in (*FLOAT_TYPES, *INTEGER_RANGES):
        raise ModelError(
            f"model: node {node.name!r} in {scope.path} resamples "
            f"{TensorProto.DataType.Name(dtype)}, which {node.op_type} does not take"
        )
    rank = len(tensor_dims(scope.types, node.input[0]) or ())
    extent = tensor_dims(scope.types, node.input[1])
    return Use(dtype, folded=rank not in (2, 4) or extent != [rank])


def _cast_where_needed(occurrences: list[_Occurrence], opset: int) -> None:
    """Cast around nodes until one function can serve all."""
    dtypes = {use.dtype for item in occurrences for use in item.uses}
    one_floating_form = opset >= 15 or len(dtypes & set(FLOAT_TYPES)) == 1
    if len(dtypes) == 1 or (dtypes <= set(FLOAT_TYPES) and one_floating_form):
        return
    target = TensorProto.FLOAT
    if not one_floating_form and TensorProto.DOUBLE in dtypes:
        target = TensorProto.DOUBLE
    served = set(FLOAT_TYPES) if one_floating_form else {target}
    for item in occurrences:
        strangers = {use.dtype for use in item.uses} - served
        if not strangers:
            continue
        if len({use.dtype for use in item.uses}) > 1:
            raise ModelError(
                f"model: {item.scope.path} is called with integers and with floating-point numbers;"
                " no single function body serves both: give each its own copy of the function"
            )
        _cast_around(item.scope.nodes, item.node, strangers.pop(), target, opset)
        item.uses = [dataclasses.replace(use, dtype=target) for use in item.uses]


class _InsertingWriter:
    """Collects nodes that go before or after a node of an existing graph."""

    def __init__(self, stem: str, opset: int) -> None:
        self.opset = opset
        self.stem = stem
        self.nodes: list[onnx.NodeProto] = []

    def op(self, op_type: str, *inputs: str | None, **attributes: Any) -> str:
        output = f"{self.stem}_{op_type.lower()}_{len(self.nodes)}"
        names = [name or "" for name in inputs]
        self.nodes.append(helper.make_node(op_type, names, [output], name=output, **attributes))
        return output

    def constant(self, array: np.ndarray[Any, Any]) -> str:
        return self.op("Constant", value=numpy_helper.from_array(np.asarray(array)))


def _cast_around(
    nodes: MutableSequence[onnx.NodeProto],
    node: onnx.NodeProto,
    dtype: int,
    target: int,
    opset: int,
) -> None:
    """Let a node compute in another type: cast its image, and its result back."""
    result = node.output[0]
    position = next(i for i, other in enumerate(nodes) if other.output[:1] == [result])
    before = _InsertingWriter(f"{result}_sr_ops_in", opset)
    image = before.op("Cast", node.input[0], to=target)
    after = _InsertingWriter(f"{result}_sr_ops_out", opset)
    inner = f"{result}_sr_ops"
    standard_form.restore_type(after, inner, dtype)
    after.nodes[-1].output[0] = result
    changed = onnx.NodeProto()
    changed.CopyFrom(node)
    changed.input[0], changed.output[0] = image, inner
    following = [changed, *after.nodes, *nodes[position + 1 :]]
    del nodes[position:]
    nodes.extend([*before.nodes, *following])
