"""Standard cubic Resize -> the operators of sr_ops, in models that come from elsewhere."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal, overload

import onnx

from sr_ops.errors import ModelError
from sr_ops.onnx import cubic_resize, standard_form
from sr_ops.onnx.conversion import Conversion, Report, copied
from sr_ops.onnx.cubic_resize import CubicResize, Refusal, is_cubic_resize
from sr_ops.onnx.functions import add_functions, is_operator
from sr_ops.onnx.graph_edit import drop_unused, import_domain, literal_attributes, replace_node
from sr_ops.onnx.scopes import Scope, default_opset, scopes

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
def accelerate(
    model: str | os.PathLike[str] | onnx.ModelProto,
    *,
    verify: bool | Mapping[str, Any] = False,
    return_report: bool = False,
) -> onnx.ModelProto | tuple[onnx.ModelProto, Report]:
    """Replace the standard cubic Resize nodes of a model by the operators of sr_ops.

    The result computes the same, faster, where the sr_ops library is registered
    (:func:`sr_ops.onnx.make_session` does it), and runs everywhere else, too: it carries the
    operators' functions. Nodes in If, Loop, Scan and model-local functions are replaced as well.
    Not replaced, with the reason in the report: tf_crop_and_resize, 5-D images, other axes than
    the last two, keep_aspect_ratio_policy other than stretch, element types that sr_ops lacks.

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
        from sr_ops.onnx.verification import verify_same_results

        verify_same_results(model, result, verify if isinstance(verify, Mapping) else None)
    return (result, report) if return_report else result


def _replace_all(model: onnx.ModelProto) -> Report:
    found = _find(model)
    if not found and not any(is_operator(node) for scope in scopes(model) for node in scope.nodes):
        raise ModelError(f"model: has no Resize with mode 'cubic'{_what_it_has(model)}")
    report = Report()
    for item in found.values():
        report.add(item.conversion)
        if item.resize is not None:
            _replace(item.scope, item.node, item.resize)
            import_domain(item.scope.function or model)
    if report.converted:
        add_functions(model)
    return report


@dataclasses.dataclass
class _Found:
    scope: Scope
    node: onnx.NodeProto
    resize: CubicResize | None
    conversion: Conversion


def _find(model: onnx.ModelProto) -> dict[tuple[str, str], _Found]:
    """Every cubic Resize once, though a function's nodes are seen at every call."""
    found: dict[tuple[str, str], _Found] = {}
    opset = default_opset(model.opset_import)
    for scope in scopes(model):
        for node in scope.nodes:
            if not is_cubic_resize(node):
                continue
            new = _judge(node, scope, opset)
            old = found.setdefault((scope.path, node.output[0]), new)
            if new.resize is None:
                old.resize, old.conversion = None, new.conversion
    return found


def _judge(node: onnx.NodeProto, scope: Scope, opset: int) -> _Found:
    resize, reason = None, None
    try:
        resize = cubic_resize.read(node, scope)
        standard_form.check_opset(opset, dict(resize.attributes))
    except (Refusal, ModelError) as refusal:
        resize, reason = None, str(refusal)
    conversion = Conversion.of(node, scope.path, resize.op if resize else None, reason)
    return _Found(scope, node, resize, conversion)


def _replace(scope: Scope, node: onnx.NodeProto, resize: CubicResize) -> None:
    orphans = [name for name in node.input if name not in ("", resize.x, resize.extent)]
    output, name = node.output[0], node.name
    replace_node(scope.nodes, output, resize.nodes(output, name, scope.opset))
    drop_unused(scope, orphans)


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
