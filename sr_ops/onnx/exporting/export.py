"""torch model -> ONNX file whose batch, image size and scale are all dynamic."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import onnx
import torch

from sr_ops.errors import InvalidArgumentError, InvalidTypeError
from sr_ops.onnx.exporting.inputs import ExportInputs
from sr_ops.onnx.exporting.torch_exporters import EXPORTERS
from sr_ops.onnx.exporting.ways import Recipe, exported
from sr_ops.onnx.graphs.model_files import check_writable, save_model
from sr_ops.onnx.operators.flavours import NAMED_SIZES_CLASH, flavour_for

__all__ = ["export"]

#: Runs in ONNX Runtime 1.14 and later, and has antialias.
DEFAULT_OPSET = 18


def export(
    model: torch.nn.Module | torch.export.ExportedProgram,
    args: tuple[Any, ...] | torch.Tensor = (),
    path: str | os.PathLike[str] | None = None,
    *,
    op: str | None = None,
    target: str | None = None,
    exporter: str = "dynamo",
    kwargs: Mapping[str, Any] | None = None,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    opset_version: int = DEFAULT_OPSET,
    dynamic_shapes: Any = None,
    dynamic_axes: Mapping[str, Any] | None = None,
    verify: bool = True,
    verify_args: Sequence[Any] | None = None,
    **options: Any,
) -> onnx.ModelProto:
    """Export a torch model that upscales to ONNX, with batch, image size and scale dynamic.

    ``torch.onnx.export`` with the defaults that dynamic upscaling needs, and checks that the file
    is what was asked for. The model is exported in eval mode.

    Args:
        model: calls ``sr_ops.dynamic_upscale``, holds ``sr_ops.DynamicUpscale``, or calls
            ``torch.nn.functional.interpolate`` with ``mode="bicubic"``, which becomes the same
            operator with torch's meaning. Or what ``torch.export.export`` made of it: then its
            inputs and dynamic axes are the program's, and args, kwargs, dynamic_shapes and
            dynamic_axes are not given.
        args: example inputs of ``forward``: image tensors (N, C, H, W), and the scale as a tensor
            of 0 or 1 axes. A parameter called ``scale`` may be given as a number or a pair: it
            becomes a float32 tensor, and so an input of the file. Other Python values are frozen.
        path: the file to write; None only returns the model.
        op: ``"DynamicUpscale"`` writes the operators of the domain ``sr_ops`` with their functions:
            fast with the sr_ops library, and runnable without it. ``"Resize"`` writes the standard
            operator. ``"MatMul"`` writes matrix products, of standard operators alone: for runtimes
            that know no functions and whose cubic Resize is slow, wrong or missing. None: the first
            of ``"DynamicUpscale"`` and ``"MatMul"`` that the target runs right.
        target: the runtime that the file is for: ``"onnxruntime"``, ``"onnxruntime-web"``,
            ``"openvino"`` or ``"tract"``. An ``op`` that it does not run right is refused, and so
            is a model whose scale is an input for tract, which takes constant scales only.
        exporter: ``"dynamo"`` (opset 18 and later) or ``"torchscript"`` (opset 11 to 20).
        kwargs: example keyword inputs of ``forward``.
        input_names: default: the parameter names of ``forward``.
        output_names: default: ``output``, or ``output_0``, ``output_1``, …
        opset_version: version of the default ONNX domain in the file.
        dynamic_shapes: dynamo only, as in ``torch.onnx.export``. Default: axes 0, 2 and 3 of every
            input of four axes, called batch, height and width. ``{}``: all static.
        dynamic_axes: input name -> {axis: dimension name} or a list of axes, instead of
            ``dynamic_shapes``; for both exporters. ``{}``: all static.
        verify: run the file in onnxruntime, where that is installed, and the model itself at a
            second and third batch, height, width and scale, and compare shapes and values. It costs
            a few runs of the model (``logging.getLogger("sr_ops.onnx")`` says how long). Sizes keep
            the divisors of the example's; those that the model refuses are reported as not checked.
        verify_args: examples to check instead: a sequence of tuples as ``args``.
        **options: further keywords of ``torch.onnx.export``.

    Returns:
        The exported model; it passes ``onnx.checker``'s full check.

    Raises:
        ExportError: torch cannot export the model; or the result is not what was asked for: another
            opset, an input that vanished, a dynamic axis that became static or is dynamic in name
            only, a scale that the target does not take.
        InvalidArgumentError, InvalidTypeError: an argument is not accepted.
        FileError: the file cannot be written; nothing is left behind.

    >>> import sr_ops
    >>> model = export(sr_ops.DynamicUpscale(), (torch.rand(1, 3, 8, 9), 2.0))
    >>> [value.name for value in model.graph.input]
    ['x', 'scale']
    """
    op = flavour_for(op, target)
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
    if exporter == "dynamo" and isinstance(model, torch.jit.ScriptModule):
        raise InvalidArgumentError(
            "exporter: a TorchScript program goes through exporter='torchscript' only"
        )
    if path is not None:
        check_writable(path)
    if isinstance(model, torch.export.ExportedProgram):
        _check_program_arguments(exporter, args, kwargs, dynamic_shapes, dynamic_axes)
        inputs = ExportInputs.of_program(model, input_names)
    else:
        inputs = ExportInputs(
            model,
            args,
            kwargs=kwargs,
            input_names=input_names,
            dynamic_shapes=dynamic_shapes,
            dynamic_axes=dynamic_axes,
        )
    recipe = Recipe(op, target, exporter, opset_version, output_names, options, verify, verify_args)
    with _evaluating(model):
        result = exported(inputs, recipe)
    if target in NAMED_SIZES_CLASH:
        del result.graph.value_info[:]
    if path is not None:
        save_model(result, path)
    return result


def _check_program_arguments(exporter: str, *given: Any) -> None:
    if exporter != "dynamo":
        raise InvalidArgumentError("exporter: an ExportedProgram goes through 'dynamo' only")
    for name, value in zip(
        ("args", "kwargs", "dynamic_shapes", "dynamic_axes"), given, strict=True
    ):
        if value is not None and not (isinstance(value, tuple) and not value):
            raise InvalidArgumentError(
                f"{name}: does not go with an ExportedProgram, which has its inputs and dynamic "
                "axes; give it to torch.export.export"
            )


@contextlib.contextmanager
def _evaluating(model: torch.nn.Module | torch.export.ExportedProgram) -> Iterator[None]:
    if isinstance(model, torch.export.ExportedProgram):  # captured in the mode that it had
        yield
        return
    training = [m for m in model.modules() if getattr(m, "training", False)]  # frozen: without
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True
