"""Which inputs of a graph a value is computed from."""

from __future__ import annotations

from collections.abc import Iterable

import onnx

__all__ = ["inputs_behind"]


def inputs_behind(graph: onnx.GraphProto, names: Iterable[str]) -> list[str]:
    """Inputs of the graph that the named values depend on, in the graph's order.

    Dependence on a shape does not count: what follows the size of an image is not its content.
    """
    producers = {name: node for node in graph.node for name in node.output}
    waiting = list(names)
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        node = producers.get(name)
        if node is not None and node.op_type not in ("Shape", "Size"):
            waiting.extend(node.input)
    return [value.name for value in graph.input if value.name in seen]
