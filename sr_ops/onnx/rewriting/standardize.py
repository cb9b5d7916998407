"""The operators of sr_ops -> standard operators: the way back from accelerate."""

from __future__ import annotations

import os
from typing import Any, Literal, overload

import onnx

from sr_ops.errors import ModelError
from sr_ops.onnx.graphs.editing import Edits, literal_attributes
from sr_ops.onnx.graphs.model_files import copied
from sr_ops.onnx.graphs.node_writer import NodeWriter
from sr_ops.onnx.graphs.scopes import default_opset
from sr_ops.onnx.graphs.soundness import sound_or_model_error
from sr_ops.onnx.operators import standard_form
from sr_ops.onnx.operators.flavours import STANDARD_FLAVOURS, check_flavour
from sr_ops.onnx.operators.functions import Occurrence, drop_functions, occurrences
from sr_ops.onnx.operators.schema import DOMAIN, SCALES_OP
from sr_ops.onnx.rewriting import matmul_nodes
from sr_ops.onnx.rewriting.report import Conversion, Report

__all__ = ["standardize"]


@overload
def standardize(
    model: str | os.PathLike[str] | onnx.ModelProto,
    *,
    op: str = ...,
    return_report: Literal[False] = ...,
) -> onnx.ModelProto: ...
@overload
def standardize(
    model: str | os.PathLike[str] | onnx.ModelProto, *, op: str = ..., return_report: Literal[True]
) -> tuple[onnx.ModelProto, Report]: ...
@sound_or_model_error()
def standardize(
    model: str | os.PathLike[str] | onnx.ModelProto,
    *,
    op: str = "Resize",
    return_report: bool = False,
) -> onnx.ModelProto | tuple[onnx.ModelProto, Report]:
    """Replace the operators of sr_ops in a model by standard ones.

    For runtimes and compilers that know neither custom domains nor functions. Other element types
    than float32 get casts around them, integers also rounding and clamping.

    Args:
        model: a path, or a model, which stays as it is.
        op: ``"Resize"``, the standard operator; or ``"MatMul"``, the same result from banded matrix
            products, for runtimes whose cubic Resize is slow, wrong or missing.
        return_report: also return what was replaced.

    Returns:
        The new model; or (model, report).

    Raises:
        ModelError: not an ONNX model, no operator of sr_ops in it, or one that its opset's Resize
            cannot express.
        InvalidArgumentError: another ``op``.
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
    check_flavour(op, STANDARD_FLAVOURS)
    result = copied(model)
    found = occurrences(result)
    if not found:
        raise ModelError(f"model: has no node of the domain {DOMAIN!r}")
    opset = default_opset(result.opset_import)
    report = Report()
    edits = Edits()
    for item in found:
        standard_form.check_opset(opset, literal_attributes(item.node), op)
        report.add(Conversion.of(item.node, item.scope.path, op))
        edits.replace(item.scope, item.node.output[0], _standard_nodes(item, op))
    edits.apply()
    drop_functions(result)
    for holder in (result, *result.functions):
        _drop_import(holder)
    return (result, report) if return_report else result


def _standard_nodes(item: Occurrence, op: str) -> list[onnx.NodeProto]:
    node, scope = item.node, item.scope
    references = [a for a in node.attribute if a.ref_attr_name]
    if op == "MatMul" and references:
        raise ModelError(
            f"model: the attributes of node {node.name!r} in {scope.path} come from the call of "
            "the function; matrix products need their values"
        )
    writer = NodeWriter(scope.opset, f"{node.output[0]}/standard")
    attributes = literal_attributes(node)
    if scope.opset < 18 and op == "Resize":
        attributes.pop("antialias", None)
    extent = "scales" if node.op_type == SCALES_OP else "sizes"
    standard_form.upscale(
        writer,
        node.input[0],
        **{extent: node.input[1]},
        dtype=_dtype_of_uses(item),
        attributes=attributes,
        fold=any(use.folded for use in item.uses),
        form=op,
        widen_scales=item.half_scales,
    )
    if op == "Resize":
        resize = next(new for new in writer.nodes if new.op_type == "Resize")
        resize.name = node.name
        resize.attribute.extend(references)
    else:
        matmul_nodes.mark(writer, node)
    writer.nodes[-1].output[0] = node.output[0]
    return writer.nodes


def _dtype_of_uses(item: Occurrence) -> int | None:
    """The element type of the image; None for any floating-point type."""
    return standard_form.common_dtype(
        {use.dtype for use in item.uses},
        item.scope.opset,
        f"model: {item.scope.path} is called with {{types}}; no single form serves them",
    )


def _drop_import(holder: Any) -> None:
    kept = [item for item in holder.opset_import if item.domain != DOMAIN]
    del holder.opset_import[:]
    holder.opset_import.extend(kept)
