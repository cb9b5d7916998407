"""What a tool that rewrites models did to each node."""

from __future__ import annotations

import dataclasses
from typing import Any

import onnx

__all__ = ["Conversion", "Report"]


@dataclasses.dataclass(frozen=True)
class Conversion:
    """What became of one node.

    Attributes:
        node: its name, or its first output's where it has none.
        graph: where it is: "graph", "graph/If:then_branch", "function local::Block".
        op_type: what it was.
        became: what it is now; None: it was left.
        reason: why it was left.
    """

    node: str
    graph: str
    op_type: str
    became: str | None
    reason: str | None = None

    @classmethod
    def of(
        cls, node: onnx.NodeProto, graph: str, became: str | None, reason: str | None = None
    ) -> Conversion:
        """For a node that is still in its graph."""
        name = node.name or next(iter(node.output), "")
        return cls(name, graph, node.op_type, became, reason)

    def __str__(self) -> str:
        if self.became is None:
            return f"left      {self.op_type} {self.node!r} in {self.graph}: {self.reason}"
        return f"converted {self.op_type} {self.node!r} in {self.graph} to {self.became}"


class Report:
    """What a tool did to a model: ``str()`` gives a line for each node.

    Attributes:
        converted: nodes that were replaced.
        left: nodes that were not, each with its reason.
    """

    def __init__(self) -> None:
        self.converted: list[Conversion] = []
        self.left: list[Conversion] = []

    def add(self, conversion: Conversion) -> None:
        """Sort a node in."""
        (self.left if conversion.became is None else self.converted).append(conversion)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "converted": [dataclasses.asdict(item) for item in self.converted],
            "left": [dataclasses.asdict(item) for item in self.left],
        }

    def __str__(self) -> str:
        return "\n".join(str(item) for item in (*self.converted, *self.left)) or "nothing to do"
