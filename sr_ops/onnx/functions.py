"""Attach to a model the functions of the operators that it uses."""

from __future__ import annotations

import dataclasses

import onnx
from onnx import TensorProto, helper

from sr_ops.errors import ModelError
from sr_ops.onnx import function_body, standard_form
from sr_ops.onnx.function_body import Use
from sr_ops.onnx.graph_edit import (
    InsertingWriter,
    import_domain,
    literal_attributes,
    replace_node,
)
from sr_ops.onnx.schema import ATTRIBUTES, DOMAIN, FLOAT_TYPES, INTEGER_RANGES, OPERATORS
from sr_ops.onnx.scopes import Scope, default_opset, scopes, tensor_dims, tensor_dtype

__all__ = ["Occurrence", "add_functions", "drop_functions", "is_operator", "occurrences"]


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
    found = occurrences(model)
    opset = default_opset(model.opset_import)
    drop_functions(model)
    for item in found:
        standard_form.check_opset(opset, literal_attributes(item.node))
        _write_out_defaults(item.node)
        import_domain(item.scope.function or model)
    for op in OPERATORS:
        ours = [item for item in found if item.node.op_type == op]
        if ours:
            _cast_where_needed(ours, opset)
            uses = [use for item in ours for use in item.uses]
            model.functions.append(function_body.function_proto(op, uses, opset))
    if found:
        import_domain(model)
        model.ir_version = max(model.ir_version, function_body.FUNCTION_IR_VERSION)
    return model


@dataclasses.dataclass
class Occurrence:
    """A node of ours, and how it is used: in a function, once for each call."""

    scope: Scope
    node: onnx.NodeProto
    uses: list[Use]


def occurrences(model: onnx.ModelProto) -> list[Occurrence]:
    """Every node of ours in a model, wherever it stands."""
    found: dict[tuple[str, str], Occurrence] = {}
    for scope in scopes(model):
        for node in scope.nodes:
            if is_operator(node):
                key = (scope.path, node.output[0])
                item = found.setdefault(key, Occurrence(scope, node, []))
                item.uses.append(use_of(scope, node))
    return list(found.values())


def _write_out_defaults(node: onnx.NodeProto) -> None:
    """Not every implementation of functions copes with attributes that the call leaves out."""
    given = {item.name for item in node.attribute}
    for name, default in ATTRIBUTES.items():
        if name not in given:
            node.attribute.append(helper.make_attribute(name, default))


def drop_functions(model: onnx.ModelProto) -> None:
    """Remove the functions of our operators."""
    kept = [item for item in model.functions if (item.domain, item.name) not in _FUNCTION_IDS]
    del model.functions[:]
    model.functions.extend(kept)


_FUNCTION_IDS = {(DOMAIN, op) for op in OPERATORS}


def use_of(scope: Scope, node: onnx.NodeProto) -> Use:
    """How a node uses its operator; ModelError where that cannot be told."""
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


def _cast_where_needed(occurrences: list[Occurrence], opset: int) -> None:
    """Cast around nodes until one function can serve all."""
    dtypes = {use.dtype for item in occurrences for use in item.uses}
    if len(dtypes) == 1:
        return
    served = dtypes & set(FLOAT_TYPES)
    target = TensorProto.FLOAT
    if served != dtypes:
        served.add(target)
    if len(served) > 1 and opset < function_body.MIXED_FLOATS_OPSET:
        target = TensorProto.DOUBLE if TensorProto.DOUBLE in served else TensorProto.FLOAT
        served = {target}
    for item in occurrences:
        strangers = {use.dtype for use in item.uses} - served
        if not strangers:
            continue
        if len({use.dtype for use in item.uses}) > 1:
            raise ModelError(
                f"model: {item.scope.path} is called with integers and with floating-point numbers;"
                " no single function body serves both: give each its own copy of the function"
            )
        _cast_around(item.scope, item.node, strangers.pop(), target)
        item.uses = [dataclasses.replace(use, dtype=target) for use in item.uses]


def _cast_around(
    scope: Scope,
    node: onnx.NodeProto,
    dtype: int,
    target: int,
) -> None:
    """Let a node compute in another type: cast its image, and its result back."""
    result = node.output[0]
    before = InsertingWriter(f"{result}/in", scope.opset)
    image = before.op("Cast", node.input[0], to=target)
    after = InsertingWriter(f"{result}/out", scope.opset)
    inner = f"{result}/upscaled"
    standard_form.restore_type(after, inner, dtype, computed=target)
    after.nodes[-1].output[0] = result
    changed = onnx.NodeProto()
    changed.CopyFrom(node)
    changed.input[0], changed.output[0] = image, inner
    replace_node(scope.nodes, result, [*before.nodes, changed, *after.nodes])
