"""Standard cubic Resize -> the operators of sr_ops, in models that come from elsewhere."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal, overload

import onnx

from sr_ops.errors import ModelError
from sr_ops.onnx.graphs.editing import Edits, import_domain, literal_attributes
from sr_ops.onnx.graphs.model_files import copied
from sr_ops.onnx.graphs.scopes import Scope, default_opset, scopes
from sr_ops.onnx.graphs.soundness import sound_or_model_error
from sr_ops.onnx.operators import standard_form
from sr_ops.onnx.operators.functions import add_functions
from sr_ops.onnx.operators.kinds import is_cubic_resize, is_operator
from sr_ops.onnx.rewriting import cubic_resize, matmul_nodes
from sr_ops.onnx.rewriting.cubic_resize import CubicResize, Refusal
from sr_ops.onnx.rewriting.report import Conversion, Report

__all__ = ["accelerate"]


@overload
def accelerate(
    model: str | os.PathLike[str] | onnx.ModelProto,
    *,
    verify: bool | Mapping[str, Any] = ...,
    return_report: Literal[False] = ...,
) -> onnx.ModelProto: ...
@overload
def accelerate(
    model: str | os.PathLike[str] | onnx.ModelProto,
    *,
    verify: bool | Mapping[str, Any] = ...,
    return_report: Literal[True],
) -> tuple[onnx.ModelProto, Report]: ...
@sound_or_model_error()
def accelerate(
    model: str | os.PathLike[str] | onnx.ModelProto,
    *,
    verify: bool | Mapping[str, Any] = False,
    return_report: bool = False,
) -> onnx.ModelProto | tuple[onnx.ModelProto, Report]:
    """Replace the standard cubic Resize nodes of a model by the operators of sr_ops.

    The matrix products that ``standardize(op="MatMul")`` and ``export(op="MatMul")`` write, too.

    The result computes the same, faster, where the sr_ops library is registered
    (:func:`sr_ops.onnx.make_session` does it), and runs everywhere else, too: it carries the
    operators' functions. Nodes in If, Loop, Scan and model-local functions are replaced as well.
    Images of (…, H, W, C) get transposes around them. Not replaced, with the reason in the report:
    tf_crop_and_resize, 5-D images, other axes than height and width,
    keep_aspect_ratio_policy other than stretch, element types that sr_ops lacks.

    Args:
        model: a path, or a model, which stays as it is.
        verify: run both models in ONNX Runtime and compare. True: on random inputs; or input name
            -> array.
        return_report: also return what was replaced and what was not.

    Returns:
        The new model; or (model, report).

    Raises:
        ModelError: not an ONNX model; no cubic Resize in it; or the two models' results differ.
        FileError: the file cannot be read.
        InvalidTypeError: ``model`` is neither a path nor a model.

    >>> text = (
    ...     '<ir_version: 8, opset_import: ["": 18]> graph (float[N,3,H,W] x) => (float[N,3,h,w] y)'
    ...     ' <float[4] scales = {1, 1, 2, 2}> { y = Resize<mode = "cubic">(x, , scales) }'
    ... )
    >>> [node.op_type for node in accelerate(onnx.parser.parse_model(text)).graph.node]
    ['DynamicUpscale']
    """
    result = copied(model)
    report = _replace_all(result)
    if verify:
        from sr_ops.onnx.rewriting.verification import verify_same_results

        verify_same_results(model, result, verify if isinstance(verify, Mapping) else None)
    return (result, report) if return_report else result


def _replace_all(model: onnx.ModelProto) -> Report:
    found = _find(model)
    if not found and not any(is_operator(node) for scope in scopes(model) for node in scope.nodes):
        raise ModelError(
            f"model: has no Resize with mode 'cubic'{_what_it_has(model)}; there is nothing to "
            "accelerate: use it as it is"
        )
    report = Report()
    edits = Edits()
    for item in found.values():
        report.add(item.conversion)
        if item.resize is not None:
            _replace(edits, item.scope, item.node, item.resize)
            import_domain(item.scope.function or model)
    edits.apply()
    if report.converted:
        add_functions(model)
    return report


@dataclasses.dataclass
class _Found:
    scope: Scope
    node: onnx.NodeProto
    resize: CubicResize | None
    conversion: Conversion


def _find(model: onnx.ModelProto) -> dict[tuple[object, str], _Found]:
    """Every cubic Resize once, though a function's nodes are seen at every call."""
    found: dict[tuple[object, str], _Found] = {}
    opset = default_opset(model.opset_import)
    for scope in scopes(model):
        for node in scope.nodes:
            if not (is_cubic_resize(node) or matmul_nodes.is_matmul_form(node)):
                continue
            new = _judge(node, scope, opset)
            old = found.setdefault((scope.key, node.output[0]), new)
            if new.resize is None:
                old.resize, old.conversion = None, new.conversion
    return found


def _judge(node: onnx.NodeProto, scope: Scope, opset: int) -> _Found:
    resize, reason = None, None
    try:
        if matmul_nodes.is_matmul_form(node):
            resize = matmul_nodes.read(node, scope)
        else:
            resize = cubic_resize.read(node, scope)
            standard_form.check_opset(opset, dict(resize.attributes))
    except (Refusal, ModelError) as refusal:
        resize, reason = None, str(refusal)
    conversion = Conversion.of(node, scope.path, resize.op if resize else None, reason)
    return _Found(scope, node, resize, conversion)


def _replace(edits: Edits, scope: Scope, node: onnx.NodeProto, resize: CubicResize) -> None:
    output = node.output[0]
    edits.replace(scope, output, resize.nodes(output, node.name, scope.opset))
    edits.drop_unused(scope, (n for n in node.input if n not in (resize.x, resize.extent)))


def _what_it_has(model: onnx.ModelProto) -> str:
    modes = Counter(
        str(literal_attributes(node).get("mode", "nearest"))
        for scope in scopes(model)
        for node in scope.nodes
        if node.op_type in ("Resize", "Upsample")
    )
    if not modes:
        return ""
    return ", only " + ", ".join(f"{count} of mode {mode!r}" for mode, count in modes.items())
