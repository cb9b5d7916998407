"""Models without their values: what of the output depends on which pixels.

A NaN goes wherever the value that it stands for would go, except through operators that choose
between values (Relu and the like). Here these are replaced by ones that keep it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, MutableSequence
from typing import NamedTuple

import onnx
from onnx import TensorProto, helper

from sr_ops.onnx.graphs.editing import literal_attributes
from sr_ops.onnx.graphs.model_files import copied
from sr_ops.onnx.graphs.scopes import default_opset, infer, tensor_dims, tensor_dtype
from sr_ops.onnx.graphs.soundness import sound_or_model_error
from sr_ops.onnx.operators.schema import DOMAIN

__all__ = ["Dependence", "dependence"]

Types = Mapping[str, onnx.TypeProto]
Model = str | os.PathLike[str] | onnx.ModelProto

#: Functions of one value (the first input), which runtimes compute with limits that swallow NaN.
_POINTWISE = {
    *("Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "Clip", "Sigmoid", "HardSigmoid"),
    *("HardSwish", "Swish", "Mish", "Tanh", "Erf", "Gelu", "Softplus", "Softsign"),
    *("ThresholdedRelu", "Abs", "Round", "Floor", "Ceil", "Exp", "Sqrt"),
}
_OF_SEVERAL = {"Max": "Sum", "Min": "Sum"}
_INTEGERS = {TensorProto.UINT8, TensorProto.INT8}
#: ReduceMean's axes are an input from here on.
_AXES_ARE_AN_INPUT = 18
_SIDE = 64  # pixels, of an image whose extents are open


class Dependence(NamedTuple):
    """What :func:`dependence` found.

    Attributes:
        model: of the same graph, whose outputs are NaN where they depend on a NaN of an input;
            uint8 images are float32 in it.
        memory: floats that an operator takes and gives at most, for each pixel of the image.
    """

    model: onnx.ModelProto
    memory: int


@sound_or_model_error()
def dependence(model: Model) -> Dependence:
    """A model that shows which output pixels depend on which input pixels.

    Args:
        model: a path, or a model, which stays as it is.

    Raises:
        ModelError: not an ONNX model.
        FileError: the file cannot be read.

    >>> text = (
    ...     '<ir_version: 8, opset_import: ["": 18]> graph (float[1,3,H,W] x) => (float[1,3,H,W] y)'
    ...     " { y = Relu(x) }"
    ... )
    >>> dependence(onnx.parser.parse_model(text)).model.graph.node[0].op_type
    'Identity'
    """
    result = copied(model)
    memory = _memory(result)
    _as_float(result)
    types = _types(infer(result).graph)
    _rewrite(result.graph.node, default_opset(result.opset_import), types)
    for function in result.functions:
        if function.domain != DOMAIN:  # ours reckon with indices, and choose nothing
            _rewrite(function.node, default_opset(function.opset_import), {})
    del result.graph.value_info[:]
    return Dependence(result, memory)


def _as_float(model: onnx.ModelProto) -> None:
    graph = model.graph
    for value in (*graph.input, *graph.output):
        kind = value.type.tensor_type
        if kind.elem_type in _INTEGERS and len(kind.shape.dim) >= 3:
            kind.elem_type = TensorProto.FLOAT


def _types(inferred: onnx.GraphProto) -> dict[str, onnx.TypeProto]:
    values = (*inferred.value_info, *inferred.input, *inferred.output)
    return {value.name: value.type for value in values}


def _rewrite(nodes: MutableSequence[onnx.NodeProto], opset: int, types: Types) -> None:
    new: list[onnx.NodeProto] = []
    for node in nodes:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                _rewrite(attribute.g.node, opset, types)
        plain = node.domain not in ("", "ai.onnx") or not node.input or _counts(node, types)
        new += [node] if plain else _kept_open(node, opset)
    copies = [_copy(node) for node in new]
    del nodes[:]
    nodes.extend(copies)


def _counts(node: onnx.NodeProto, types: Types) -> bool:
    """Whether a node works on extents or indices rather than on the picture."""
    dtype, dims = tensor_dtype(types, node.input[0]), tensor_dims(types, node.input[0])
    return dtype in (TensorProto.INT64, TensorProto.INT32) or (dims is not None and len(dims) < 2)


def _copy(node: onnx.NodeProto) -> onnx.NodeProto:
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    return copy


def _kept_open(node: onnx.NodeProto, opset: int) -> list[onnx.NodeProto]:
    """The node, or what lets a NaN through in its place."""
    if node.op_type in _POINTWISE:
        return [helper.make_node("Identity", node.input[:1], node.output[:1], name=node.name)]
    if node.op_type in _OF_SEVERAL:
        changed = _copy(node)
        changed.op_type = _OF_SEVERAL[node.op_type]
        return [changed]
    if node.op_type == "Cast" and literal_attributes(node)["to"] in _INTEGERS:
        to = TensorProto.FLOAT
        return [helper.make_node("Cast", node.input, node.output, name=node.name, to=to)]
    if node.op_type == "MaxPool":
        changed = _copy(node)
        changed.op_type = "AveragePool"
        kept = [item for item in changed.attribute if item.name != "storage_order"]
        del changed.attribute[:], changed.output[1:]
        changed.attribute.extend(kept)
        return [changed]
    if node.op_type == "Softmax":
        return _mean_of_the_row(node, opset)
    return [node]


def _mean_of_the_row(node: onnx.NodeProto, opset: int) -> list[onnx.NodeProto]:
    axis = literal_attributes(node).get("axis", -1 if opset >= 13 else 1)
    mean, axes = f"{node.output[0]}/mean", f"{node.output[0]}/axes"
    if opset < _AXES_ARE_AN_INPUT:
        nodes = [helper.make_node("ReduceMean", node.input[:1], [mean], axes=[axis], keepdims=1)]
    else:
        nodes = [
            helper.make_node("Constant", [], [axes], value_ints=[axis]),
            helper.make_node("ReduceMean", [node.input[0], axes], [mean], keepdims=1),
        ]
    return [*nodes, helper.make_node("Add", [node.input[0], mean], node.output, name=node.name)]


def _memory(model: onnx.ModelProto) -> int:
    """Elements that a node of the main graph takes and gives, over the pixels of the image."""
    sized = onnx.ModelProto()
    sized.CopyFrom(model)
    pixels = 1
    for value in sized.graph.input:
        dims = value.type.tensor_type.shape.dim
        if len(dims) < 3:
            continue
        for axis, dim in enumerate(dims):
            if not dim.HasField("dim_value"):
                dim.dim_value = 1 if axis == 0 and len(dims) == 4 else _SIDE
        pixels = max(pixels, math.prod(sorted(dim.dim_value for dim in dims)[-2:]))
    del sized.graph.value_info[:]
    for output in sized.graph.output:
        output.type.tensor_type.ClearField("shape")
    inferred = infer(sized).graph
    types = _types(inferred)
    weights = {tensor.name for tensor in model.graph.initializer}
    kernels = [tensor.dims for tensor in model.graph.initializer if len(tensor.dims) == 4]
    largest = pixels * max((kernel[0] + kernel[1] for kernel in kernels), default=1)
    for node in model.graph.node:
        names = {*node.input, *node.output} - weights - {""}
        largest = max(largest, sum(_elements(tensor_dims(types, name)) for name in names))
    return max(1, math.ceil(largest / pixels))


def _elements(dims: list[int | str | None] | None) -> int:
    if dims is None or not all(isinstance(dim, int) for dim in dims):
        return 0
    return math.prod(int(dim) for dim in dims if dim is not None)
