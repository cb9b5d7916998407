"""Writing nodes: into a function body, or in place of a node of an existing graph."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

__all__ = ["AttributeReference", "NodeWriter"]


@dataclasses.dataclass(frozen=True)
class AttributeReference:
    """In a function body: an attribute whose value comes from the node that calls the function.

    Attributes:
        type: of the value.
    """

    type: onnx.AttributeProto.AttributeType


class NodeWriter:
    """Collects nodes.

    Attributes:
        opset: version of the default domain.
        stem: what the names of the new values and nodes start with, unique in the model; None in a
            function body, whose names are its own. Its nodes have names, too: fusions of
            onnxruntime 1.21 give two nodes without names the same new one, and fail.
        nodes: what was written so far.
    """

    def __init__(self, opset: int, stem: str | None = None) -> None:
        self.opset = opset
        self.stem = stem
        self.nodes: list[onnx.NodeProto] = []

    def op(self, op_type: str, *inputs: str | None, **attributes: Any) -> str:
        """Append a node of the default domain; a None input is an omitted one."""
        output = f"{op_type.lower()}_{len(self.nodes)}"
        if self.stem is not None:
            output = f"{self.stem}_{output}"
        literal = {k: v for k, v in attributes.items() if not isinstance(v, AttributeReference)}
        names = [item or "" for item in inputs]
        node = helper.make_node(op_type, names, [output], name=output, **literal)
        for key in attributes.keys() - literal.keys():
            node.attribute.append(
                onnx.AttributeProto(name=key, ref_attr_name=key, type=attributes[key].type)
            )
        self.nodes.append(node)
        return output

    def constant(self, array: np.ndarray[Any, Any]) -> str:
        """Append a Constant node."""
        return self.op("Constant", value=numpy_helper.from_array(np.asarray(array)))
