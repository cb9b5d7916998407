"""Models that decide something by a size: one file of what each decision gives."""

from __future__ import annotations

from collections.abc import Sequence

import onnx
from onnx import helper

from sr_ops.onnx.graphs.scopes import default_opset

__all__ = ["joined"]


def joined(
    condition: tuple[Sequence[onnx.NodeProto], str], then: onnx.ModelProto, other: onnx.ModelProto
) -> onnx.ModelProto:
    """A model that runs one of two with the same inputs and outputs, by a condition.

    Weights that both have under one name are held once.

    Args:
        condition: nodes that compute it from the inputs, and the name of its value, a bool.
        then, other: what runs where it holds, and where not.
    """
    nodes, value = condition
    result = onnx.ModelProto()
    result.CopyFrom(then)
    del result.graph.node[:], result.graph.value_info[:], result.graph.output[:]
    branches = [_branch(then, result, "then"), _branch(other, result, "else")]
    names = [f"joined_{index}" for index in range(len(then.graph.output))]
    choice = helper.make_node(
        "If", [value], names, name="decision", then_branch=branches[0], else_branch=branches[1]
    )
    result.graph.node.extend([*nodes, choice])
    for name, first, second in zip(names, then.graph.output, other.graph.output, strict=True):
        output = result.graph.output.add()
        output.CopyFrom(first)
        output.name = name
        _forget_differing_extents(output, second)
    result.opset_import.extend(
        item
        for item in other.opset_import
        if all(item.domain != known.domain for known in result.opset_import)
    )
    assert default_opset(then.opset_import) == default_opset(other.opset_import)
    return result


def _branch(model: onnx.ModelProto, host: onnx.ModelProto, stem: str) -> onnx.GraphProto:
    """The model's graph as a branch in the host, which gets its weights."""
    held = {item.name: item.SerializeToString() for item in host.graph.initializer}
    outer = {value.name for value in model.graph.input}
    renamed: dict[str, str] = {"": ""}
    for item in model.graph.initializer:
        if held.get(item.name) == item.SerializeToString():
            outer.add(item.name)
            continue
        copy = host.graph.initializer.add()
        copy.CopyFrom(item)
        copy.name = renamed[item.name] = f"{stem}/{item.name}"
    graph = onnx.GraphProto(name=stem)
    graph.node.extend(model.graph.node)
    graph.output.extend(model.graph.output)
    for output in graph.output:
        for dim in output.type.tensor_type.shape.dim:
            dim.ClearField("dim_param")  # each capture has its own meaning of a name
    _rename(graph, stem, outer, renamed)
    return graph


def _rename(graph: onnx.GraphProto, stem: str, outer: set[str], renamed: dict[str, str]) -> None:
    """Give every value but the outer ones a name of the branch's own, in inner graphs too."""

    def name(old: str) -> str:
        return old if old in outer else renamed.setdefault(old, f"{stem}/{old}")

    for node in graph.node:
        node.name = f"{stem}/{node.name}"
        node.input[:] = [name(item) for item in node.input]
        node.output[:] = [name(item) for item in node.output]
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                _rename(attribute.g, stem, outer, renamed)
    for value in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        value.name = name(value.name)


def _forget_differing_extents(output: onnx.ValueInfoProto, other: onnx.ValueInfoProto) -> None:
    dims, others = (value.type.tensor_type.shape.dim for value in (output, other))
    for dim, second in zip(dims, others, strict=True):
        if dim.dim_value != second.dim_value or not dim.HasField("dim_value"):
            dim.Clear()
