"""From what torch wrote to the file that was asked for: names, functions, checks."""

from __future__ import annotations

from collections.abc import Sequence

import onnx

from sr_ops.errors import ExportError, ModelError
from sr_ops.onnx.exporting.inputs import ExportInputs
from sr_ops.onnx.graphs.dimensions import add_value_info, name_dimensions
from sr_ops.onnx.graphs.ir_version import lower_ir_version
from sr_ops.onnx.graphs.scopes import default_opset, scopes
from sr_ops.onnx.operators import standard_form
from sr_ops.onnx.operators.functions import add_functions, occurrences
from sr_ops.onnx.rewriting.standardize import standardize

__all__ = ["finished"]


def finished(
    model: onnx.ModelProto,
    inputs: ExportInputs,
    *,
    op: str,
    opset_version: int,
    output_names: Sequence[str] | None,
) -> onnx.ModelProto:
    """The model with its functions, names and lowest IR version; it may be changed itself.

    Args:
        model: what torch's exporter wrote.
        inputs: what it was exported with.
        op, opset_version, output_names: as in ``export``.

    Raises:
        ExportError: it is not what was asked for.
    """
    _finish(model, opset_version, inputs, output_names)
    if op == "MatMul" and occurrences(model):
        model = standardize(model, op=op)
        lower_ir_version(model)
        _check(model)
    return model


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
