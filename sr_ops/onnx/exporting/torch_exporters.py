"""torch's two ONNX exporters, with sr_ops' translations and quiet."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any

import onnx
import torch

from sr_ops._torch.onnx_emit import emit
from sr_ops._torch.onnx_size_arithmetic import size_arithmetic_table
from sr_ops._torch.onnx_symbolic import aten_symbolics
from sr_ops._torch.onnx_translation import translation_table
from sr_ops.errors import ExportError, InvalidArgumentError, ModelError, SrOpsError
from sr_ops.onnx.exporting.inputs import ExportInputs

__all__ = ["EXPORTERS", "run_exporter"]

EXPORTERS = ("dynamo", "torchscript")

_GRAPH_LOG = "_jit_onnx_log"
_LOGGERS = ("torch.onnx._internal.exporter", "torch.onnx._internal.exporter._registration")


def run_exporter(
    exporter: str,
    model: torch.nn.Module | torch.export.ExportedProgram,
    inputs: ExportInputs,
    op: str,
    **options: Any,
) -> onnx.ModelProto:
    """What torch writes for a model, unchecked.

    Args:
        exporter: one of ``EXPORTERS``.
        model: the inputs' model, or a capture of it.
        inputs: examples, names and dynamic axes.
        op: what bicubic upscaling becomes: ``"DynamicUpscale"`` or ``"Resize"``.
        **options: keywords of ``torch.onnx.export``.

    Raises:
        ExportError: torch cannot export the model.
    """
    run = _run_dynamo if exporter == "dynamo" else _run_torchscript
    with _quiet(), _translated_errors(exporter):
        return run(model, inputs, op, **options)


def _run_dynamo(model: Any, inputs: ExportInputs, op: str, **options: Any) -> onnx.ModelProto:
    options = dict(options)
    captured = isinstance(model, torch.export.ExportedProgram)
    table = {**translation_table(op), **size_arithmetic_table()}
    table.update(options.pop("custom_translation_table", {}))
    program = torch.onnx.export(
        model,
        () if captured else inputs.args,
        kwargs=None if captured else inputs.kwargs,
        input_names=inputs.names,
        dynamic_shapes=None if captured else inputs.dynamic_shapes,
        custom_translation_table=table,
        dynamo=True,
        verbose=options.pop("verbose", False),
        **options,
    )
    assert program is not None
    return program.model_proto


def _run_torchscript(model: Any, inputs: ExportInputs, op: str, **options: Any) -> onnx.ModelProto:
    if inputs.kwargs:
        raise InvalidArgumentError(
            f"kwargs: the torchscript exporter cannot pass keyword-only inputs: "
            f"{', '.join(map(repr, inputs.kwargs))}; use exporter='dynamo'"
        )
    opset = options["opset_version"]
    with tempfile.TemporaryDirectory() as folder, emit(op), aten_symbolics(opset):
        file = os.path.join(folder, "model.onnx")
        torch.onnx.export(
            model,
            inputs.args,
            file,
            input_names=inputs.names,
            dynamic_axes=inputs.dynamic_axes,
            dynamo=False,
            **options,
        )
        return onnx.load(file)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without torch's notices that the caller can do nothing about."""
    # Some releases of torch print the whole graph on stdout where an operator cannot be written.
    log = getattr(torch._C, _GRAPH_LOG, None)
    if log is not None:
        setattr(torch._C, _GRAPH_LOG, lambda *_: None)
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", FutureWarning)
            warnings.filterwarnings("ignore", "no signature found for <torch.ScriptMethod")
            yield
    finally:
        if log is not None:
            setattr(torch._C, _GRAPH_LOG, log)
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
        elif "conflicts between" in innermost[0]:
            innermost[0] = " ".join(innermost[:2])
            hint = "the model's code makes a constant of that size; " + hint
        elif exporter == "torchscript":
            hint = (
                "it takes no Python numbers made of sizes; exporter='dynamo' keeps int(), float() "
                "and round(); " + hint
            )
        raise ExportError(f"torch's {exporter} exporter failed: {innermost[0]} ({hint})") from error


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
