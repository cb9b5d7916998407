"""Which nodes work on scales and sizes rather than on the picture."""

from __future__ import annotations

import os

import onnx

from sr_ops.errors import ModelError
from sr_ops.onnx.graphs.model_files import load_model
from sr_ops.onnx.graphs.soundness import sound_or_model_error
from sr_ops.onnx.operators.extents import behind_extents

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
    graph = load_model(model, weights=False).graph
    return [_name(node) for node in behind_extents(graph)[0]]


def _name(node: onnx.NodeProto) -> str:
    if not node.name:
        raise ModelError(
            f"model: the {node.op_type} node that makes {node.output[0]!r} has no name, by which "
            "tools could be told to leave it alone; give the nodes names"
        )
    return node.name
