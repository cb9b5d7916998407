"""What computes how large a resampled picture becomes."""

from __future__ import annotations

from collections.abc import Iterator

import onnx

from sr_ops.onnx.operators.kinds import extent_names, is_resampling

__all__ = ["behind_extents", "inputs_that_scale"]


def behind_extents(graph: onnx.GraphProto) -> tuple[list[onnx.NodeProto], set[str]]:
    """Resampling nodes and what computes their scales and sizes, in order; the values they read.

    Back to inputs and to the shapes of pictures, through subgraphs.
    """
    wanted: set[str] = set()
    found = []
    # Backwards: whoever makes a value stands before those who take it.
    for node in reversed(list(_nodes(graph))):
        if is_resampling(node):
            wanted.update(extent_names(node))
        elif wanted.isdisjoint(node.output):
            continue
        elif node.op_type not in ("Shape", "Size"):
            wanted.update(node.input)
        found.append(node)
    return found[::-1], wanted


def inputs_that_scale(graph: onnx.GraphProto) -> list[str]:
    """Inputs of a graph whose values, and not only whose shapes, say how large a result becomes."""
    _, values = behind_extents(graph)
    constants = {tensor.name for tensor in graph.initializer}
    return [v.name for v in graph.input if v.name in values and v.name not in constants]


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Those of subgraphs just before the node that holds them: they see what came earlier."""
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _nodes(attribute.g)
        yield node
