"""What kind of node a node is, as far as upscaling goes."""

from __future__ import annotations

import onnx

from sr_ops.onnx.operators.schema import DOMAIN, OPERATORS

__all__ = ["extent_names", "is_cubic_resize", "is_operator", "is_resampling"]

_STANDARD_DOMAINS = ("", "ai.onnx")


def is_operator(node: onnx.NodeProto) -> bool:
    """Whether a node is one of the operators of the domain ``sr_ops``."""
    return node.domain == DOMAIN and node.op_type in OPERATORS


def is_cubic_resize(node: onnx.NodeProto) -> bool:
    """Whether a node is a standard Resize with mode "cubic"."""
    return (
        node.op_type == "Resize"
        and node.domain in _STANDARD_DOMAINS
        and any(item.name == "mode" and item.s == b"cubic" for item in node.attribute)
    )


def is_resampling(node: onnx.NodeProto) -> bool:
    """Whether a node is Resize, Upsample or one of ours, in any mode."""
    standard = node.domain in _STANDARD_DOMAINS and node.op_type in ("Resize", "Upsample")
    return standard or is_operator(node)


def extent_names(node: onnx.NodeProto) -> list[str]:
    """The inputs of a resampling node that say how large its result is: scales, sizes or both."""
    first = 2 if node.op_type == "Resize" and len(node.input) > 2 else 1  # after roi
    return [name for name in node.input[first:] if name]
