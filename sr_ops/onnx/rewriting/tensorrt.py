"""Exported models as TensorRT's plugins for the operators of sr_ops take them."""

from __future__ import annotations

import os

import onnx
from onnx import helper, numpy_helper

from sr_ops._arguments import DEFAULT_ROUNDING
from sr_ops.errors import ModelError
from sr_ops.onnx.graphs.editing import literal_attributes
from sr_ops.onnx.graphs.model_files import copied
from sr_ops.onnx.graphs.soundness import sound_or_model_error
from sr_ops.onnx.operators.functions import Occurrence, drop_functions, occurrences
from sr_ops.onnx.operators.schema import DOMAIN, SCALES_OP

__all__ = ["for_tensorrt"]

#: What the ONNX parser of TensorRT reads of a plugin's node: inputs whose values give shapes.
_SHAPE_INPUTS = "tensorrt_plugin_shape_input_indices"


@sound_or_model_error()
def for_tensorrt(model: str | os.PathLike[str] | onnx.ModelProto) -> onnx.ModelProto:
    """Prepare a model for TensorRT with the plugins of sr_ops (``SR_OPS_TENSORRT``).

    The functions of the operators are dropped, since TensorRT would prefer them to plugins; the
    constant scales of ``DynamicUpscale`` become the attribute ``scales``, and the sizes of
    ``DynamicUpscaleToSizes`` are marked as a shape tensor. An engine has one scale, but any size.

    Args:
        model: a path, or a model, which stays as it is.

    Returns:
        The new model, for TensorRT alone.

    Raises:
        ModelError: not an ONNX model, no operator of sr_ops in it, or one whose scales are no
            constant or that has Pillow's rounding.
        FileError: the file cannot be read.
        InvalidTypeError: ``model`` is neither a path nor a model.

    >>> text = (
    ...     '<ir_version: 8, opset_import: ["": 18, "sr_ops": 1]> graph '
    ...     "(float[N,3,H,W] X, int64[4] sizes) => (float[N,3,h,w] Y) "
    ...     "{ Y = sr_ops.DynamicUpscaleToSizes(X, sizes) }"
    ... )
    >>> for_tensorrt(onnx.parser.parse_model(text)).graph.node[0].attribute[0].name
    'tensorrt_plugin_shape_input_indices'
    """
    result = copied(model)
    found = occurrences(result)
    if not found:
        raise ModelError(f"model: has no node of the domain {DOMAIN!r}")
    for item in found:
        _set_attributes(item)
    drop_functions(result)
    return result


def _set_attributes(item: Occurrence) -> None:
    node = item.node
    if literal_attributes(node).get("rounding", DEFAULT_ROUNDING) != DEFAULT_ROUNDING:
        raise ModelError(
            f"model: node {node.name!r} in {item.scope.path} has Pillow's rounding, which is "
            "computed on the CPU alone; run that part of the model before TensorRT, or export it "
            "with rounding='exact'"
        )
    if node.op_type != SCALES_OP:
        node.attribute.append(helper.make_attribute(_SHAPE_INPUTS, [1]))
        return
    constant = item.scope.constants.get(node.input[1])
    if constant is None:
        raise ModelError(
            f"model: the scales of node {node.name!r} in {item.scope.path}, {node.input[1]!r}, are "
            "no constant, which an engine of TensorRT needs; export the model with a fixed scale, "
            "or with size= in place of the scale"
        )
    scales = numpy_helper.to_array(constant).ravel().tolist()
    node.attribute.append(helper.make_attribute("scales", scales))
