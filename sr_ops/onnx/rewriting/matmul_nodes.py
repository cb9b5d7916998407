"""The matrix products that standardize writes for an operator, and how accelerate knows them again.

Their last node says in its documentation what they stand for. Tools keep it, and where they rename
values they rename all nodes of the group alike.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

import onnx

from sr_ops.onnx.graphs.editing import Edits, import_domain, literal_attributes
from sr_ops.onnx.graphs.node_writer import NodeWriter
from sr_ops.onnx.graphs.scopes import Scope, scopes, tensor_dtype
from sr_ops.onnx.operators.schema import ATTRIBUTES, DOMAIN, OPERATORS
from sr_ops.onnx.rewriting.cubic_resize import CubicResize, Refusal

__all__ = ["is_matmul_form", "mark", "read", "read_back"]

_MARK = f"{DOMAIN}:"


def mark(writer: NodeWriter, node: onnx.NodeProto) -> None:
    """Write into the last node what all of them stand for."""
    content = {"op": node.op_type, "name": node.name, "attributes": literal_attributes(node)}
    writer.nodes[-1].doc_string = _MARK + json.dumps(content)


def is_matmul_form(node: onnx.NodeProto) -> bool:
    """Whether a node is the last one of an operator's matrix products."""
    return node.doc_string.startswith(_MARK)


def read(node: onnx.NodeProto, scope: Scope) -> CubicResize:
    """What the matrix products that end in a node stand for.

    Raises:
        Refusal: a tool has changed them since.
    """
    content = _content(node)
    group, given = _group(node, scope)
    x = next(iter(group[0].input), "")
    outside = {name for member in group for name in member.input} - given - {x, ""}
    if group[0].op_type not in ("Shape", "Cast") or len(outside) != 1:
        raise Refusal("its matrix products were changed since they were written")
    dtype = tensor_dtype(scope.types, x)
    if dtype is None:
        raise Refusal("the element type of X is not known")
    attributes = tuple(
        (name, content["attributes"][name])
        for name, default in ATTRIBUTES.items()
        if content["attributes"].get(name, default) != default
    )
    return CubicResize(content["op"], x, outside.pop(), None, attributes, dtype, content["name"])


def read_back(model: onnx.ModelProto) -> int:
    """Turn all matrix products in a model, but those that were changed, into operators of ours.

    Returns:
        How many there were. Where there is one, no node of the model is an operator already: a
        model of matrix products is for runtimes that know no other domain.
    """
    edits = Edits()
    found = 0
    for scope in scopes(model):
        for node in scope.nodes:
            if not is_matmul_form(node):
                continue
            with contextlib.suppress(Refusal):
                resize = read(node, scope)
                output = node.output[0]
                edits.replace(scope, output, resize.nodes(output, node.name, scope.opset))
                edits.drop_unused(
                    scope, (n for n in node.input if n not in (resize.x, resize.extent))
                )
                import_domain(scope.function or model)
                found += 1
    edits.apply()
    return found


def _content(node: onnx.NodeProto) -> dict[str, Any]:
    try:
        content = json.loads(node.doc_string.removeprefix(_MARK))
        if content["op"] in OPERATORS and isinstance(content["attributes"], dict):
            return {"name": str(content.get("name", "")), **content}
    except (ValueError, KeyError, TypeError):
        pass
    raise Refusal("its documentation does not say what its matrix products stand for")


def _group(node: onnx.NodeProto, scope: Scope) -> tuple[list[onnx.NodeProto], set[str]]:
    """The nodes that compute a value, back to those that are not of its group, in their order.

    Without constants; and the values that they and the constants give.
    """
    stem = node.name.rpartition("_")[0].rpartition("_")[0]
    if not stem:
        raise Refusal("its matrix products lost their names")
    positions: set[int] = set()
    waiting = [node.output[0]]
    while waiting:
        position = scope.producers.get(waiting.pop())
        if position is None or position in positions:
            continue
        member = scope.nodes[position]
        if member.name.startswith(f"{stem}_"):
            positions.add(position)
            waiting.extend(member.input)
    members = [scope.nodes[i] for i in sorted(positions)]
    given = {name for member in members for name in member.output}
    return [member for member in members if member.op_type != "Constant"], given
