"""Constant shapes that exporters write for one size, rewritten so that they serve every size.

Torch's tracing exporter turns ``x.view(n, c, h, w)`` into a Reshape to four numbers. Where the
numbers are those of the value that is reshaped, the node can say so instead.
"""

from __future__ import annotations

import math

import numpy as np
import onnx
from onnx import helper, numpy_helper

from sr_ops.onnx.graphs.editing import Edits, literal_attributes
from sr_ops.onnx.graphs.scopes import Scope, scopes, tensor_dims

__all__ = ["rewrite_constant_shapes"]

#: Of PixelShuffle between its two Reshapes: (n, c, r, r, h, w) -> (n, c, h, r, w, r).
_SHUFFLE = [0, 1, 4, 2, 5, 3]


def rewrite_constant_shapes(model: onnx.ModelProto) -> None:
    """Let Reshape nodes of the main graph copy extents, and PixelShuffle be a DepthToSpace.

    Args:
        model: changed in place; its results at the size that it was traced with stay the same.
    """
    main = next(iter(scopes(model)))
    edits = Edits()
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in main.nodes:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    taken: set[str] = set()
    for node in main.nodes:
        if node.op_type != "Reshape" or not node.output or node.output[0] in taken:
            continue
        chain = _pixel_shuffle(node, main, readers)
        if chain is not None:
            _write_depth_to_space(edits, main, chain)
            taken.update(member.output[0] for member in chain)
        else:
            _copy_extents(edits, main, node)
    edits.apply()


def _constant_shape(node: onnx.NodeProto, scope: Scope) -> list[int] | None:
    constant = scope.constants.get(node.input[1]) if len(node.input) > 1 else None
    if constant is None or literal_attributes(node).get("allowzero"):
        return None
    return [int(extent) for extent in numpy_helper.to_array(constant).reshape(-1)]


def _known_dims(scope: Scope, name: str) -> list[int] | None:
    dims = tensor_dims(scope.types, name)
    if dims is None or not all(isinstance(dim, int) for dim in dims):
        return None
    return [int(dim) for dim in dims if dim is not None]


def _pixel_shuffle(
    first: onnx.NodeProto, scope: Scope, readers: dict[str, list[onnx.NodeProto]]
) -> list[onnx.NodeProto] | None:
    """Reshape, Transpose, Reshape that together are a PixelShuffle."""
    chain = [first]
    for op_type in ("Transpose", "Reshape"):
        following = readers.get(chain[-1].output[0], [])
        if len(following) != 1 or following[0].op_type != op_type:
            return None
        chain.append(following[0])
    if list(literal_attributes(chain[1]).get("perm", ())) != _SHUFFLE:
        return None
    dims, shape = _known_dims(scope, first.input[0]), _constant_shape(first, scope)
    if dims is None or shape is None or len(dims) != 4 or len(shape) != 6:
        return None
    factor = shape[2]
    n, channels, height, width = dims
    inner = [n, channels // factor**2 if factor > 0 else 0, factor, factor, height, width]
    outer = [n, inner[1], height * factor, width * factor]
    if not _same_shape(shape, inner) or not _same_shape(_constant_shape(chain[2], scope), outer):
        return None
    return chain


def _same_shape(written: list[int] | None, wanted: list[int]) -> bool:
    """Whether a Reshape to ``written`` gives ``wanted``; one extent may be -1."""
    if written is None or len(written) != len(wanted):
        return False
    return all(a in (b, -1) for a, b in zip(written, wanted, strict=True))


def _write_depth_to_space(edits: Edits, scope: Scope, chain: list[onnx.NodeProto]) -> None:
    first, turn, last = chain
    factor = (_constant_shape(first, scope) or [])[2]
    node = helper.make_node(
        "DepthToSpace",
        [first.input[0]],
        [last.output[0]],
        name=last.name,
        blocksize=factor,
        mode="CRD",
    )
    edits.replace(scope, first.output[0], [])
    edits.replace(scope, turn.output[0], [])
    edits.replace(scope, last.output[0], [node])
    edits.drop_unused(scope, [first.input[1], last.input[1]])


def _copy_extents(edits: Edits, scope: Scope, node: onnx.NodeProto) -> None:
    """0 for leading extents that are the source's, -1 for the one that is left."""
    dims, shape = _known_dims(scope, node.input[0]), _constant_shape(node, scope)
    if dims is None or shape is None or not shape:
        return
    same = 0
    while same < min(len(dims), len(shape)) and shape[same] in (0, dims[same]):
        same += 1
    rest = shape[same:]
    if len(rest) == 1 and math.prod(dims[same:]) > 0:
        rest = [-1]
    new = [0] * same + rest
    if new == shape:
        return
    name = f"{node.output[0]}/shape"
    constant = numpy_helper.from_array(np.array(new, dtype=np.int64))
    changed = onnx.NodeProto()
    changed.CopyFrom(node)
    changed.input[1] = name
    holder = helper.make_node("Constant", [], [name], name=name, value=constant)
    edits.replace(scope, node.output[0], [holder, changed])
    edits.drop_unused(scope, [node.input[1]])
