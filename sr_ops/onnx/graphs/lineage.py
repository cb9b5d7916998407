"""Which inputs of a graph a value is computed from."""

from __future__ import annotations

from collections.abc import Iterable

import onnx

__all__ = ["Lineage"]


class Lineage:
    """The inputs behind every value of a graph, found in one pass over its nodes.

    Dependence on a shape does not count: what follows the size of an image is not its content.
    """

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._inputs = [value.name for value in graph.input]
        #: Value -> its inputs, as bits.
        self._behind = {name: 1 << i for i, name in enumerate(self._inputs)}
        for node in graph.node:
            bits = 0
            if node.op_type not in ("Shape", "Size"):
                for name in node.input:
                    bits |= self._behind.get(name, 0)
            for name in node.output:
                self._behind[name] = bits

    def inputs_behind(self, names: Iterable[str]) -> list[str]:
        """Inputs of the graph that the named values depend on, in the graph's order."""
        bits = 0
        for name in names:
            bits |= self._behind.get(name, 0)
        return [name for i, name in enumerate(self._inputs) if bits >> i & 1]
