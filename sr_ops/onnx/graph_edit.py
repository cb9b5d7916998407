"""Replacing nodes in existing graphs."""

from __future__ import annotations

from collections.abc import Iterable, MutableSequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from sr_ops.onnx.schema import DOMAIN, VERSION
from sr_ops.onnx.scopes import Scope

__all__ = [
    "InsertingWriter",
    "drop_unused",
    "import_domain",
    "literal_attributes",
    "names_read_by",
    "replace_node",
]


class InsertingWriter:
    """Collects nodes that are to stand around, or in place of, a node of an existing graph.

    Attributes:
        stem: what the names of the new values start with; unique in the model.
        opset: version of the default domain.
        nodes: what was written so far.
    """

    def __init__(self, stem: str, opset: int) -> None:
        self.stem = stem
        self.opset = opset
        self.nodes: list[onnx.NodeProto] = []

    def op(self, op_type: str, *inputs: str | None, **attributes: Any) -> str:
        """Append a node of the default domain; a None input is an omitted one."""
        output = f"{self.stem}_{op_type.lower()}_{len(self.nodes)}"
        names = [name or "" for name in inputs]
        self.nodes.append(helper.make_node(op_type, names, [output], name=output, **attributes))
        return output

    def constant(self, array: np.ndarray[Any, Any]) -> str:
        """Append a Constant node."""
        return self.op("Constant", value=numpy_helper.from_array(np.asarray(array)))


def replace_node(
    nodes: MutableSequence[onnx.NodeProto], output: str, new: Iterable[onnx.NodeProto]
) -> None:
    """Put new nodes in the place of the node whose first output is ``output``."""
    position = next(i for i, node in enumerate(nodes) if node.output[:1] == [output])
    following = [*new, *nodes[position + 1 :]]
    del nodes[position:]
    nodes.extend(following)


def drop_unused(scope: Scope, candidates: Iterable[str]) -> None:
    """Remove nodes and initializers that give ``candidates``, and what only they read.

    Args:
        scope: whose nodes, and whose graph's initializers, may go.
        candidates: values that may have lost their last reader.
    """
    waiting = [name for name in candidates if name]
    while waiting:
        name = waiting.pop()
        readers = _names_read(scope)
        producer = next((n for n in scope.nodes if name in n.output), None)
        if producer is not None and not readers.intersection(producer.output):
            waiting.extend(filter(None, producer.input))
            scope.nodes.remove(producer)
        elif producer is None and scope.graph is not None and name not in readers:
            _drop_initializer(scope.graph, name)


def _drop_initializer(graph: onnx.GraphProto, name: str) -> None:
    if any(value.name == name for value in graph.input):
        return  # callers may feed it
    for tensor in graph.initializer:
        if tensor.name == name:
            graph.initializer.remove(tensor)
            return


def _names_read(scope: Scope) -> set[str]:
    names = names_read_by(scope.nodes)
    if scope.graph is not None:
        names.update(value.name for value in scope.graph.output)
    if scope.function is not None:
        names.update(scope.function.output)
    return names


def names_read_by(nodes: Iterable[onnx.NodeProto]) -> set[str]:
    """Every name that nodes, and the graphs inside them, read."""
    names: set[str] = set()
    for node in nodes:
        names.update(node.input)
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                names |= names_read_by(attribute.g.node)
                names.update(value.name for value in attribute.g.output)
    return names


def literal_attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """Attribute -> value, with text as str; without those that refer to a function's attributes."""
    attributes = {
        item.name: helper.get_attribute_value(item)
        for item in node.attribute
        if not item.ref_attr_name
    }
    return {k: v.decode() if isinstance(v, bytes) else v for k, v in attributes.items()}


def import_domain(holder: onnx.ModelProto | onnx.FunctionProto) -> None:
    """Import the domain ``sr_ops`` into a model or function, unless it already is."""
    if all(item.domain != DOMAIN for item in holder.opset_import):
        holder.opset_import.append(helper.make_opsetid(DOMAIN, VERSION))
