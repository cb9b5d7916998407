"""The operators of sr_ops -> standard Resize: the way back from accelerate."""

from __future__ import annotations

import os
from typing import Any, Literal, overload

import onnx
from onnx import TensorProto

from sr_ops.errors import ModelError
from sr_ops.onnx import standard_form
from sr_ops.onnx.conversion import Conversion, Report, copied
from sr_ops.onnx.function_body import MIXED_FLOATS_OPSET
from sr_ops.onnx.functions import Occurrence, drop_functions, occurrences
from sr_ops.onnx.graph_edit import InsertingWriter, literal_attributes, replace_node
from sr_ops.onnx.schema import DOMAIN, FLOAT_TYPES, SCALES_OP
from sr_ops.onnx.scopes import default_opset

__all__ = ["standardize"]


@overload
def standardize(
    model: str | os.PathLike[str] | onnx.ModelProto, *, return_report: Literal[False] = ...
) -> onnx.ModelProto: ...
@overload
def standardize(
    model: str | os.PathLike[str] | onnx.ModelProto, *, return_report: Literal[True]
) -> tuple[onnx.ModelProto, Report]: ...
def standardize(
    model: str | os.PathLike[str] | onnx.ModelProto, *, return_report: bool = False
) -> onnx.ModelProto | tuple[onnx.ModelProto, Report]:
    """Replace the operators of sr_ops in a model by the standard Resize.

    For runtimes and compilers that know neither custom domains nor functions. Other element types
    than float32 get casts around the Resize, integers also rounding and clamping.

    Args:
        model: a path, or a model, which stays as it is.
        return_report: also return what was replaced.

    Returns:
        The new model; or (model, report).

    Raises:
        ModelError: not an ONNX model, no operator of sr_ops in it, or one that its opset's Resize
            cannot express.
        FileError: the file cannot be read.
        InvalidTypeError: ``model`` is neither a path nor a model.

    >>> text = (
    ...     '<ir_version: 8, opset_import: ["": 18, "sr_ops": 1]> graph '
    ...     "(float[N,3,H,W] X, float[4] scales) => (float[N,3,h,w] Y) "
    ...     "{ Y = sr_ops.DynamicUpscale(X, scales) }"
    ... )
    >>> [node.op_type for node in standardize(onnx.parser.parse_model(text)).graph.node]
    ['Resize']
    """
    result = copied(model)
    found = occurrences(result)
    if not found:
        raise ModelError(f"model: has no node of the domain {DOMAIN!r}")
    opset = default_opset(result.opset_import)
    report = Report()
    for item in found:
        standard_form.check_opset(opset, literal_attributes(item.node))
        report.add(Conversion.of(item.node, item.scope.path, "Resize"))
        output = item.node.output[0]
        replace_node(item.scope.nodes, output, _standard_nodes(item))
    drop_functions(result)
    for holder in (result, *result.functions):
        _drop_import(holder)
    return (result, report) if return_report else result


def _standard_nodes(item: Occurrence) -> list[onnx.NodeProto]:
    node, scope = item.node, item.scope
    writer = InsertingWriter(f"{node.output[0]}/standard", scope.opset)
    attributes = literal_attributes(node)
    if scope.opset < 18:
        attributes.pop("antialias", None)
    extent = "scales" if node.op_type == SCALES_OP else "sizes"
    standard_form.upscale(
        writer,
        node.input[0],
        **{extent: node.input[1]},
        dtype=_dtype(item),
        attributes=attributes,
        fold=any(use.folded for use in item.uses),
    )
    resize = next(new for new in writer.nodes if new.op_type == "Resize")
    resize.name = node.name
    resize.attribute.extend(a for a in node.attribute if a.ref_attr_name)
    writer.nodes[-1].output[0] = node.output[0]
    return writer.nodes


def _dtype(item: Occurrence) -> int | None:
    """The element type of the image; None for any floating-point type."""
    dtypes = {use.dtype for use in item.uses}
    if len(dtypes) == 1:
        return next(iter(dtypes))
    if dtypes <= set(FLOAT_TYPES) and item.scope.opset >= MIXED_FLOATS_OPSET:
        return None
    names = ", ".join(sorted(TensorProto.DataType.Name(dtype) for dtype in dtypes))
    raise ModelError(f"model: {item.scope.path} is called with {names}; no single form serves them")


def _drop_import(holder: Any) -> None:
    kept = [item for item in holder.opset_import if item.domain != DOMAIN]
    del holder.opset_import[:]
    holder.opset_import.extend(kept)
