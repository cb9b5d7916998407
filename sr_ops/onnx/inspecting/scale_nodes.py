"""Which nodes work on scales and sizes rather than on the picture."""

from __future__ import annotations

import os
from collections.abc import Iterator

import onnx

from sr_ops.errors import ModelError
from sr_ops.onnx.graphs.model_files import load_model
from sr_ops.onnx.graphs.soundness import sound_or_model_error
from sr_ops.onnx.operators.kinds import extent_names, is_resampling

__all__ = ["scale_nodes"]


@sound_or_model_error()
def scale_nodes(model: str | os.PathLike[str] | onnx.ModelProto) -> list[str]:
    """Names of the nodes that must stay float32 for a scale to stay what it is.

    The resampling nodes, and those that their scales and sizes are computed by, back to the model's
    inputs and to the shapes of pictures. Tools that quantize or convert a finished file take such
    names: ``nodes_to_exclude`` of ``onnxruntime.quantization``, ``node_block_list`` of the float16
    converters.

    Args:
        model: a path, or a model, which stays as it is.

    Returns:
        Names, in the model's order, those in subgraphs included. Empty: nothing is resampled.

    Raises:
        ModelError: not an ONNX model; or one of the nodes has no name.
        FileError: the file cannot be read.
        InvalidTypeError: ``model`` is neither a path nor a model.

    >>> text = (
    ...     '<ir_version: 8, opset_import: ["": 18]> graph (float[1,1,H,W] x, float[2] s) => '
    ...     "(float[1,1,h,w] y) <float[2] ones = {1, 1}> "
    ...     '{ [c] k = Concat<axis = 0>(ones, s) [r] z = Resize<mode = "cubic">(x, , k) '
    ...     "[n] y = Relu(z) }"
    ... )
    >>> scale_nodes(onnx.parser.parse_model(text))
    ['c', 'r']
    """
    nodes = list(_nodes(load_model(model, weights=False).graph))
    wanted: set[str] = set()
    found = []
    # Backwards: whoever makes a value stands before those who take it.
    for node in reversed(nodes):
        if is_resampling(node):
            wanted.update(extent_names(node))
        elif wanted.isdisjoint(node.output):
            continue
        elif node.op_type not in ("Shape", "Size"):
            wanted.update(node.input)
        found.append(_name(node))
    return found[::-1]


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Those of subgraphs just before the node that holds them: they see what came earlier."""
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _nodes(attribute.g)
        yield node


def _name(node: onnx.NodeProto) -> str:
    if not node.name:
        raise ModelError(
            f"model: the {node.op_type} node that makes {node.output[0]!r} has no name, by which "
            "tools could be told to leave it alone; give the nodes names"
        )
    return node.name
