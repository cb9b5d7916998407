"""Replacing nodes in existing graphs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import onnx
from onnx import helper

from sr_ops.onnx.graphs.scopes import Scope
from sr_ops.onnx.operators.schema import DOMAIN, VERSION

__all__ = [
    "Edits",
    "import_domain",
    "literal_attributes",
    "names_read_by",
]


class Edits:
    """Changes to the node lists of a model, made together: one pass over each list.

    They are collected while the scopes of the model are walked, and made when the walk is over, for
    that moves the nodes.
    """

    def __init__(self) -> None:
        self._by_list: dict[object, _ListEdits] = {}

    def replace(self, scope: Scope, output: str, new: Iterable[onnx.NodeProto]) -> None:
        """Put new nodes in the place of the node whose first output is ``output``."""
        self._of(scope).replacements[output] = list(new)

    def drop_unused(self, scope: Scope, candidates: Iterable[str]) -> None:
        """Remove what gives ``candidates``, and what only they read, where nothing reads them.

        Args:
            scope: whose nodes, and whose graph's initializers, may go.
            candidates: values that may have lost their last reader.
        """
        self._of(scope).candidates.extend(filter(None, candidates))

    def apply(self) -> None:
        """Make all changes."""
        # Inner lists first: a list that is written anew takes its inner graphs along as they are.
        for edits in reversed(self._by_list.values()):
            edits.apply()

    def _of(self, scope: Scope) -> _ListEdits:
        return self._by_list.setdefault(scope.key, _ListEdits(scope))


class _ListEdits:
    """Changes to the nodes of one scope."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.replacements: dict[str, list[onnx.NodeProto]] = {}
        self.candidates: list[str] = []

    def apply(self) -> None:
        nodes: list[onnx.NodeProto] = []
        for node in self._scope.nodes:
            output = node.output[0] if node.output else ""
            nodes.extend(self.replacements.get(output, [node]))
        if self.candidates:
            nodes = self._without_unused(nodes)
        if self.replacements or len(nodes) < len(self._scope.nodes):
            copies = [_copied(node) for node in nodes]
            del self._scope.nodes[:]
            self._scope.nodes.extend(copies)

    def _without_unused(self, nodes: list[onnx.NodeProto]) -> list[onnx.NodeProto]:
        readers = Counter(name for node in nodes for name in names_read_by([node]))
        readers.update(_results(self._scope))
        producers = {name: i for i, node in enumerate(nodes) for name in node.output if name}
        dropped: set[int] = set()
        weights: set[str] = set()
        waiting = list(self.candidates)
        while waiting:
            name = waiting.pop()
            position = producers.get(name)
            if readers[name] or position in dropped:
                continue
            if position is None:
                weights.add(name)
            elif not any(readers[output] for output in nodes[position].output):
                dropped.add(position)
                read = names_read_by([nodes[position]]) - {""}
                readers.subtract(read)
                waiting.extend(read)
        if self._scope.graph is not None and weights:
            _drop_initializers(self._scope.graph, weights)
        return [node for i, node in enumerate(nodes) if i not in dropped]


def _copied(node: onnx.NodeProto) -> onnx.NodeProto:
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    return copy


def _drop_initializers(graph: onnx.GraphProto, names: set[str]) -> None:
    names = names - {value.name for value in graph.input}  # callers may feed those
    for position in reversed(range(len(graph.initializer))):
        if graph.initializer[position].name in names:
            del graph.initializer[position]


def _results(scope: Scope) -> set[str]:
    """What a scope hands out."""
    if scope.graph is not None:
        return {value.name for value in scope.graph.output}
    return set(scope.function.output) if scope.function is not None else set()


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
