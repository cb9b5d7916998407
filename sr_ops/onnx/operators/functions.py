"""Attach to a model the functions of the operators that it uses."""

from __future__ import annotations

import dataclasses
from typing import Any

import onnx
from onnx import TensorProto, helper

from sr_ops.errors import ModelError
from sr_ops.onnx.graphs.editing import (
    Edits,
    import_domain,
    literal_attributes,
)
from sr_ops.onnx.graphs.ir_version import FUNCTION_IR_VERSION
from sr_ops.onnx.graphs.node_writer import NodeWriter
from sr_ops.onnx.graphs.scopes import Scope, default_opset, scopes, tensor_dims, tensor_dtype
from sr_ops.onnx.graphs.soundness import check_sound, sound_or_model_error
from sr_ops.onnx.operators import function_body, standard_form
from sr_ops.onnx.operators.function_body import Use
from sr_ops.onnx.operators.kinds import is_operator
from sr_ops.onnx.operators.schema import (
    ATTRIBUTES,
    DOMAIN,
    FLOAT_TYPES,
    INTEGER_RANGES,
    OPERATORS,
    SCALES_OP,
)

__all__ = ["Occurrence", "add_functions", "drop_functions", "occurrences"]


@sound_or_model_error()
def add_functions(model: onnx.ModelProto) -> onnx.ModelProto:
    """Attach to a model the functions of the ``sr_ops`` operators that it uses.

    The model then also runs where the sr_ops library is not: ONNX Runtime, ReferenceEvaluator and
    others run the function, which consists of standard operators. With the library registered,
    ONNX Runtime runs the library's kernel. Functions that are already there are written anew.

    One function serves all nodes of an operator: fast matrix products where all of them have the
    same attributes, else a Resize. Where Pillow's rounding meets others, its nodes become matrix
    products themselves. Where integer nodes meet floating-point ones, the
    integer ones get casts to float32 and back (rounding, clamping) around them.

    Args:
        model: changed in place.

    Returns:
        The model.

    Raises:
        ModelError: the element type of a node's image cannot be inferred or is not one that the
            operator takes, or the model's opset lacks what a node asks for.

    Source: ONNX IR specification, "Model local functions".

    >>> text = (
    ...     '<ir_version: 8, opset_import: ["": 18, "sr_ops": 1]> graph '
    ...     "(float[N,3,H,W] X, float[4] scales) => (float[N,3,h,w] Y) "
    ...     "{ Y = sr_ops.DynamicUpscale(X, scales) }"
    ... )
    >>> [function.name for function in add_functions(onnx.parser.parse_model(text)).functions]
    ['DynamicUpscale']
    """
    check_sound(model)
    found = occurrences(model)
    opset = default_opset(model.opset_import)
    drop_functions(model)
    for item in found:
        _write_out_defaults(item.node)
        import_domain(item.scope.function or model)
    edits = Edits()
    for op in OPERATORS:
        ours = [item for item in found if item.node.op_type == op]
        ours = _without_lone_pillows(edits, ours)
        if ours:
            _cast_where_needed(edits, ours, opset)
            uses = [use for item in ours for use in item.uses]
            for item in ours:
                form = function_body.form_of(uses)
                standard_form.check_opset(opset, literal_attributes(item.node), form)
            model.functions.append(function_body.function_proto(op, uses, opset))
    edits.apply()
    if found:
        import_domain(model)
        model.ir_version = max(model.ir_version, FUNCTION_IR_VERSION)
    return model


@dataclasses.dataclass
class Occurrence:
    """A node of ours, and how it is used: in a function, once for each call."""

    scope: Scope
    node: onnx.NodeProto
    uses: list[Use]

    @property
    def half_scales(self) -> bool:
        """Whether the scales may be of another type than float32."""
        return tensor_dtype(self.scope.types, self.node.input[1]) != TensorProto.FLOAT


def occurrences(model: onnx.ModelProto) -> list[Occurrence]:
    """Every node of ours in a model, wherever it stands."""
    found: dict[tuple[object, str], Occurrence] = {}
    for scope in scopes(model):
        for node in scope.nodes:
            if is_operator(node):
                key = (scope.key, node.output[0])
                item = found.setdefault(key, Occurrence(scope, node, []))
                item.uses.append(use_of(scope, node))
    return list(found.values())


def _write_out_defaults(node: onnx.NodeProto) -> None:
    """Not every implementation of functions copes with attributes that the call leaves out."""
    given = {item.name for item in node.attribute}
    for name, default in ATTRIBUTES.items():
        if name not in given and name != "rounding":  # which earlier versions do not know
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
    return Use(dtype, rank not in (2, 4) or extent != [rank], _attributes_of(node))


def _without_lone_pillows(edits: Edits, ours: list[Occurrence]) -> list[Occurrence]:
    """Those that one function can serve: Pillow's rounding has one of its own.

    Where it meets others in one operator, its nodes become the matrix products themselves.
    """
    pillows = [item for item in ours if all(_is_pillow(use) for use in item.uses)]
    if len(pillows) in (0, len(ours)):
        return ours
    for item in pillows:
        writer = NodeWriter(item.scope.opset, f"{item.node.output[0]}/standard")
        extent = "scales" if item.node.op_type == SCALES_OP else "sizes"
        standard_form.upscale(
            writer,
            item.node.input[0],
            **{extent: item.node.input[1]},
            dtype=item.uses[0].dtype,
            attributes=literal_attributes(item.node),
            form="MatMul",
            widen_scales=item.half_scales,
        )
        writer.nodes[-1].output[0] = item.node.output[0]
        edits.replace(item.scope, item.node.output[0], writer.nodes)
    return [item for item in ours if item not in pillows]


def _is_pillow(use: Use) -> bool:
    return use.attributes is not None and dict(use.attributes)["rounding"] == "pillow"


def _attributes_of(node: onnx.NodeProto) -> tuple[tuple[str, Any], ...] | None:
    """All attributes of a node of ours; None where one comes from the call of a function."""
    if any(item.ref_attr_name for item in node.attribute):
        return None
    given = literal_attributes(node)
    return tuple((name, given.get(name, default)) for name, default in ATTRIBUTES.items())


def _cast_where_needed(edits: Edits, occurrences: list[Occurrence], opset: int) -> None:
    """Cast around nodes until one function can serve all."""
    dtypes = {use.dtype for item in occurrences for use in item.uses}
    if len(dtypes) == 1:
        return
    served = dtypes & set(FLOAT_TYPES)
    computed = TensorProto.FLOAT
    if served != dtypes:
        served.add(computed)
    if len(served) > 1 and opset < standard_form.MIXED_FLOATS_OPSET:
        computed = TensorProto.DOUBLE if TensorProto.DOUBLE in served else TensorProto.FLOAT
        served = {computed}
    for item in occurrences:
        strangers = {use.dtype for use in item.uses} - served
        if not strangers:
            continue
        if len({use.dtype for use in item.uses}) > 1:
            raise ModelError(
                f"model: {item.scope.path} is called with integers and with floating-point numbers;"
                " no single function body serves both: give each its own copy of the function"
            )
        _cast_around(edits, item.scope, item.node, strangers.pop(), computed)
        item.uses = [dataclasses.replace(use, dtype=computed) for use in item.uses]


def _cast_around(
    edits: Edits,
    scope: Scope,
    node: onnx.NodeProto,
    dtype: int,
    computed: int,
) -> None:
    """Let a node compute in another type: cast its image, and its result back."""
    result = node.output[0]
    before = NodeWriter(scope.opset, f"{result}/in")
    image = before.op("Cast", node.input[0], to=computed)
    after = NodeWriter(scope.opset, f"{result}/out")
    inner = f"{result}/upscaled"
    standard_form.restore_type(after, inner, dtype, computed=computed)
    after.nodes[-1].output[0] = result
    changed = onnx.NodeProto()
    changed.CopyFrom(node)
    changed.input[0], changed.output[0] = image, inner
    edits.replace(scope, result, [*before.nodes, changed, *after.nodes])
