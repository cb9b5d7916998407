"""torch model -> ONNX file whose batch, image size and scale are all dynamic."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import onnx
import torch

from sr_ops.errors import (
    ExportError,
    InvalidArgumentError,
    InvalidTypeError,
    ModelError,
    SrOpsError,
)
from sr_ops.onnx import standard_form
from sr_ops.onnx._emit import emit
from sr_ops.onnx._translation import check_flavour, translation_table
from sr_ops.onnx.dimensions import add_value_info, name_dimensions
from sr_ops.onnx.export_inputs import ExportInputs
from sr_ops.onnx.functions import add_functions
from sr_ops.onnx.ir_version import lower_ir_version
from sr_ops.onnx.model_files import check_writable, save_model
from sr_ops.onnx.scopes import default_opset, scopes

__all__ = ["export"]

EXPORTERS = ("dynamo", "torchscript")

#: Runs in ONNX Runtime 1.14 and later, and has antialias.
DEFAULT_OPSET = 18

_LOGGERS = ("torch.onnx._internal.exporter", "torch.onnx._internal.exporter._registration")


def export(
    model: torch.nn.Module,
    args: tuple[Any, ...] | torch.Tensor,
    path: str | os.PathLike[str] | None = None,
    *,
    op: str = "DynamicUpscale",
    exporter: str = "dynamo",
    kwargs: Mapping[str, Any] | None = None,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    opset_version: int = DEFAULT_OPSET,
    dynamic_shapes: Any = None,
    dynamic_axes: Mapping[str, Any] | None = None,
    **options: Any,
) -> onnx.ModelProto:
    """Export a torch model that upscales to ONNX, with batch, image size and scale dynamic.

    ``torch.onnx.export`` with the defaults that dynamic upscaling needs, and checks that the file
    is what was asked for. The model is exported in eval mode.

    Args:
        model: calls ``sr_ops.dynamic_upscale`` or holds ``sr_ops.DynamicUpscale``.
        args: example inputs of ``forward``: image tensors (N, C, H, W), and the scale as a tensor
            of 0 or 1 axes. A parameter called ``scale`` may be given as a number or a pair: it
            becomes a float32 tensor, and so an input of the file. Other Python values are frozen.
        path: the file to write; None only returns the model.
        op: ``"DynamicUpscale"`` writes the operators of the domain ``sr_ops`` with their functions:
            fast with the sr_ops library, and runnable without it. ``"Resize"`` writes the standard
            operator.
        exporter: ``"dynamo"`` (opset 18 and later) or ``"torchscript"`` (opset 11 to 20).
        kwargs: example keyword inputs of ``forward``.
        input_names: default: the parameter names of ``forward``.
        output_names: default: ``output``, or ``output_0``, ``output_1``, …
        opset_version: version of the default ONNX domain in the file.
        dynamic_shapes: dynamo only, as in ``torch.onnx.export``. Default: axes 0, 2 and 3 of every
            input of four axes, called batch, height and width. ``{}``: all static.
        dynamic_axes: input name -> {axis: dimension name} or a list of axes, instead of
            ``dynamic_shapes``; for both exporters. ``{}``: all static.
        **options: further keywords of ``torch.onnx.export``.

    Returns:
        The exported model; it passes ``onnx.checker``'s full check.

    Raises:
        ExportError: torch cannot export the model; or the result is not what was asked for: another
            opset, an input that vanished, a dynamic axis that became static.
        InvalidArgumentError, InvalidTypeError: an argument is not accepted.
        FileError: the file cannot be written; nothing is left behind.

    >>> import sr_ops
    >>> model = export(sr_ops.DynamicUpscale(), (torch.rand(1, 3, 8, 9), 2.0))
    >>> [value.name for value in model.graph.input]
    ['x', 'scale']
    """
    check_flavour(op)
    if exporter not in EXPORTERS:
        raise InvalidArgumentError(
            f"exporter: got {exporter!r}, expected one of {', '.join(EXPORTERS)}"
        )
    if not isinstance(opset_version, int) or isinstance(opset_version, bool):
        raise InvalidTypeError(f"opset_version: got {opset_version!r}, expected an integer")
    if exporter == "torchscript" and dynamic_shapes is not None:
        raise InvalidArgumentError(
            "dynamic_shapes: the torchscript exporter takes dynamic_axes instead"
        )
    if path is not None:
        check_writable(path)
    inputs = ExportInputs(
        model,
        args,
        kwargs=kwargs,
        input_names=input_names,
        dynamic_shapes=dynamic_shapes,
        dynamic_axes=dynamic_axes,
    )
    run = _run_dynamo if exporter == "dynamo" else _run_torchscript
    with _evaluating(model), _quiet(), _translated_errors(exporter):
        result = run(
            inputs,
            op,
            opset_version=opset_version,
            output_names=list(output_names) if output_names is not None else None,
            **options,
        )
    _finish(result, opset_version, inputs, output_names)
    if path is not None:
        save_model(result, path)
    return result


def _run_dynamo(inputs: ExportInputs, op: str, **options: Any) -> onnx.ModelProto:
    table = {**translation_table(op), **options.pop("custom_translation_table", {})}
    program = torch.onnx.export(
        inputs.model,
        inputs.args,
        kwargs=inputs.kwargs,
        input_names=inputs.names,
        dynamic_shapes=inputs.dynamic_shapes,
        custom_translation_table=table,
        dynamo=True,
        verbose=options.pop("verbose", False),
        **options,
    )
    assert program is not None
    return program.model_proto


def _run_torchscript(inputs: ExportInputs, op: str, **options: Any) -> onnx.ModelProto:
    if inputs.kwargs:
        raise InvalidArgumentError(
            f"kwargs: the torchscript exporter cannot pass keyword-only inputs: "
            f"{', '.join(map(repr, inputs.kwargs))}; use exporter='dynamo'"
        )
    with tempfile.TemporaryDirectory() as folder, emit(op):
        file = os.path.join(folder, "model.onnx")
        torch.onnx.export(
            inputs.model,
            inputs.args,
            file,
            input_names=inputs.names,
            dynamic_axes=inputs.dynamic_axes,
            dynamo=False,
            **options,
        )
        return onnx.load(file)


@contextlib.contextmanager
def _evaluating(model: torch.nn.Module) -> Iterator[None]:
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without torch's notices that the caller can do nothing about."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextlib.contextmanager
def _translated_errors(exporter: str) -> Iterator[None]:
    """sr_ops' own errors come out of torch's wrappings; others become ExportError."""
    try:
        yield
    except Exception as error:
        causes = list(_causes(error))
        for cause in causes:
            if isinstance(cause, ModelError):
                raise ExportError(str(cause)) from error
            if isinstance(cause, SrOpsError):
                raise cause from error
        innermost = str(causes[-1]).strip().splitlines() or [type(causes[-1]).__name__]
        hint = "the full report is in this exception's cause"
        if "data-dependent" in innermost[0]:
            hint = (
                "the value of a tensor was read as a Python number, as .item(), float() and int() "
                "do: hand the tensor on as it is; " + hint
            )
        raise ExportError(f"torch's {exporter} exporter failed: {innermost[0]} ({hint})") from error


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__


def _finish(
    model: onnx.ModelProto,
    opset_version: int,
    inputs: ExportInputs,
    output_names: Sequence[str] | None,
) -> None:
    opset = default_opset(model.opset_import)
    if opset != opset_version:
        raise ExportError(
            f"opset_version: asked for {opset_version}, got a model of opset {opset}; ask for "
            f"{opset} or a later one, or use exporter='torchscript', which writes 11 to 20"
        )
    inputs.check(model.graph)
    if output_names is None:
        _name_outputs(model.graph)
    try:
        _check_resize_attributes(model, opset)
        add_functions(model)
    except ModelError as error:
        raise ExportError(str(error)) from error
    add_value_info(model)
    name_dimensions(model, inputs.dimension_names(model.graph))
    lower_ir_version(model)
    _check(model)


def _check(model: onnx.ModelProto) -> None:
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(f"the exported model is not valid ONNX: {error}") from error


def _check_resize_attributes(model: onnx.ModelProto, opset: int) -> None:
    for scope in scopes(model):
        for node in scope.nodes:
            if node.op_type == "Resize":
                attributes = {
                    item.name: onnx.helper.get_attribute_value(item) for item in node.attribute
                }
                mode = attributes.get("coordinate_transformation_mode", b"").decode()
                standard_form.check_opset(
                    opset, {**attributes, "coordinate_transformation_mode": mode}
                )


def _name_outputs(graph: onnx.GraphProto) -> None:
    """Call the outputs ``output`` or ``output_0``, ``output_1``, …, where that is possible."""
    taken = {name for node in graph.node for name in (*node.input, *node.output)}
    taken.update(value.name for value in (*graph.input, *graph.initializer))
    sources = {value.name for value in (*graph.input, *graph.initializer)}
    for index, output in enumerate(graph.output):
        name = "output" if len(graph.output) == 1 else f"output_{index}"
        old = output.name
        if name in taken or old in sources:
            continue
        output.name = name
        for node in graph.node:
            node.input[:] = [name if item == old else item for item in node.input]
            node.output[:] = [name if item == old else item for item in node.output]
