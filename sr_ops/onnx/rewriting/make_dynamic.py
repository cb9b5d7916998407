"""Models that were exported for one scale and one image size -> any scale, any size."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Literal, overload

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sr_ops.errors import InvalidArgumentError, ModelError
from sr_ops.onnx.graphs.dimensions import DYNAMIC_AXES, IMAGE_AXES, add_value_info, name_dimensions
from sr_ops.onnx.graphs.editing import Edits
from sr_ops.onnx.graphs.ir_version import DEFAULTS_IR_VERSION
from sr_ops.onnx.graphs.model_files import copied
from sr_ops.onnx.graphs.scopes import Scope, scopes
from sr_ops.onnx.graphs.soundness import sound_or_model_error
from sr_ops.onnx.operators.functions import add_functions
from sr_ops.onnx.operators.kinds import is_operator, is_resampling
from sr_ops.onnx.operators.schema import SCALES_OP
from sr_ops.onnx.rewriting import matmul_nodes
from sr_ops.onnx.rewriting.constant_shapes import rewrite_constant_shapes
from sr_ops.onnx.rewriting.cubic_resize import Refusal
from sr_ops.onnx.rewriting.fixed_scale import FixedScale, read_fixed_scale
from sr_ops.onnx.rewriting.free_dimensions import Trial, image_inputs
from sr_ops.onnx.rewriting.report import Conversion, Report
from sr_ops.onnx.rewriting.standardize import standardize

__all__ = ["make_dynamic"]

#: Key of the metadata by which ``sr-ops export`` says how a network treats pictures.
_EXPORTED = "sr_ops.network"

Model = str | os.PathLike[str] | onnx.ModelProto


@overload
def make_dynamic(
    model: Model,
    *,
    scale_name: str = ...,
    nodes: Sequence[str] | None = ...,
    return_report: Literal[False] = ...,
) -> onnx.ModelProto: ...
@overload
def make_dynamic(
    model: Model,
    *,
    scale_name: str = ...,
    nodes: Sequence[str] | None = ...,
    return_report: Literal[True],
) -> tuple[onnx.ModelProto, Report]: ...
@sound_or_model_error()
def make_dynamic(
    model: Model,
    *,
    scale_name: str = "scale",
    nodes: Sequence[str] | None = None,
    return_report: bool = False,
) -> onnx.ModelProto | tuple[onnx.ModelProto, Report]:
    """Turn the constant scale of a model into an input, and its image size into a dynamic one.

    Resize (any mode), Upsample and sr_ops nodes whose scales are constant, or whose sizes are
    constant or computed from the image's size by a constant factor, take their scale from a new
    input: float32, 2 elements (height, width). Its default value is the old scale (an initializer
    of the same name), so callers that know nothing of it get what they got.

    Batch, height and width of every image input of four axes become dynamic, wherever shape
    inference at another size finds no node that fixes them; the report names those that do.
    Reshapes to constants that are the extents of their source copy these instead, and PixelShuffle
    written as Reshape, Transpose, Reshape becomes a DepthToSpace. A model without resampling nodes
    is opened as well. value_info that no longer holds goes.

    Args:
        model: a path, or a model, which stays as it is.
        scale_name: of the new input; further ones, for nodes that do not share the constant, are
            called ``<scale_name>_2`` and so on.
        nodes: names of the resampling nodes to open; default: all that have a constant scale.
        return_report: also return what was opened and what was not.

    Returns:
        The new model; or (model, report).

    Raises:
        ModelError: not an ONNX model, or nothing in it can be opened: no scale and no size.
        InvalidArgumentError: no resampling node has one of the names in ``nodes``, or the model
            has a value called ``scale_name`` already.
        FileError: the file cannot be read.
        InvalidTypeError: ``model`` is neither a path nor a model.

    >>> text = (
    ...     '<ir_version: 8, opset_import: ["": 18]> graph (float[1,3,8,9] x) => '
    ...     "(float[1,3,24,27] y) <float[4] three = {1, 1, 3, 3}> "
    ...     '{ y = Resize<mode = "cubic">(x, , three) }'
    ... )
    >>> [value.name for value in make_dynamic(onnx.parser.parse_model(text)).graph.input]
    ['x', 'scale']
    """
    result = copied(model)
    products = matmul_nodes.read_back(result)
    report = Report()
    openings = _find(result, nodes, report)
    exported = nodes is None and any(item.key == _EXPORTED for item in result.metadata_props)
    openings = _unbound(result, openings, report)
    if exported:  # what is constant in it is the network's own factor
        openings = []
    axes = _free_axes(result, report, {node.output[0] for _, node, _ in openings})
    if not openings and not axes:
        reasons = "; ".join(str(item) for item in report.left) or "no resampling node has one"
        if exported:
            reasons = "sr-ops export wrote it, and its scale is dynamic already"
        raise ModelError(
            f"model: has no constant scale that could become an input: {reasons}; sr-ops upscale "
            "--model takes it as it is"
        )
    if axes:
        rewrite_constant_shapes(result)
        openings = [] if exported else _unbound(result, _find(result, nodes, Report()), Report())
    names = _input_names(result, openings, scale_name)
    edits = Edits()
    for scope, node, fixed in openings:
        name = names[fixed.source]
        report.add(Conversion.of(node, scope.path, f"input {name!r}"))
        edits.drop_unused(scope, node.input[1:])
        _connect(node, fixed, name)
    edits.apply()
    # Last, for it moves the nodes.
    if openings:
        _allow_defaults(result)
    _add_inputs(result.graph, {names[f.source]: f for _, _, f in openings})
    _add_heads(result.graph, {(names[f.source], f.rank) for _, _, f in openings})
    _open_dimensions(result, axes)
    if products:  # all of them, also those that stay as they are
        result = standardize(result, op="MatMul")
    return (result, report) if return_report else result


def _unbound(model: onnx.ModelProto, openings: list[Opening], report: Report) -> list[Opening]:
    """Without the nodes whose factor another part of the network must meet, as a skip's."""
    if not openings:
        return openings
    tried = onnx.ModelProto()
    tried.CopyFrom(model)
    rewrite_constant_shapes(tried)
    outputs: dict[str, set[str]] = {}
    for _, node, fixed in openings:
        outputs.setdefault(fixed.source, set()).add(node.output[0])
    every = set().union(*outputs.values())
    trial = Trial(tried, lenient=True, opened=every)
    if trial.other_scale(every) is None:
        return openings
    obstacles = {source: trial.other_scale(names) for source, names in outputs.items()}
    for scope, node, fixed in openings:
        obstacle = obstacles[fixed.source]
        if obstacle is not None:
            refusing = f"{obstacle.op_type} {obstacle.node!r}" if obstacle.node else "another node"
            reason = f"its factor is the network's own: {refusing} takes no other"
            report.add(Conversion.of(node, scope.path, None, reason))
    return [opening for opening in openings if obstacles[opening[2].source] is None]


def _free_axes(model: onnx.ModelProto, report: Report, opened: Collection[str]) -> tuple[int, ...]:
    """Fixed axes of the images that can become dynamic."""
    fixed = {
        axis
        for value in image_inputs(model)
        for axis in DYNAMIC_AXES
        if not value.type.tensor_type.shape.dim[axis].dim_param
    }
    if not fixed:
        return ()
    tried = onnx.ModelProto()
    tried.CopyFrom(model)
    rewrite_constant_shapes(tried)
    trial = Trial(tried, lenient=bool(opened), opened=opened)
    for obstacle in trial.obstacles:
        report.add(obstacle)
    return tuple(axis for axis in trial.free if axis in fixed)


Opening = tuple[Scope, onnx.NodeProto, FixedScale]


def _find(model: onnx.ModelProto, wanted: Sequence[str] | None, report: Report) -> list[Opening]:
    openings = []
    names = set()
    for scope in scopes(model):
        for node in scope.nodes:
            if not is_resampling(node):
                continue
            names.add(node.name)
            if wanted is not None and node.name not in wanted:
                continue
            try:
                if scope.function is not None:
                    raise Refusal("a function cannot see inputs of the model")
                fixed = read_fixed_scale(node, scope)
                if fixed is None:
                    raise Refusal("its scale is dynamic already, or follows another image")
            except Refusal as refusal:
                report.add(Conversion.of(node, scope.path, None, str(refusal)))
            else:
                openings.append((scope, node, fixed))
    unknown = set(wanted or ()) - names
    if unknown:
        raise InvalidArgumentError(
            f"nodes: no resampling node is called {sorted(unknown)}; there are {sorted(names)}"
        )
    return openings


def _input_names(model: onnx.ModelProto, openings: Sequence[Opening], stem: str) -> dict[str, str]:
    """Source of a scale -> name of the input that takes its place."""
    names: dict[str, str] = {}
    for _, _, fixed in openings:
        number = len(names) + 1
        names.setdefault(fixed.source, stem if number == 1 else f"{stem}_{number}")
    taken = {value.name for value in (*model.graph.input, *model.graph.initializer)}
    for scope in scopes(model):
        for node in scope.nodes:
            taken.update((*node.input, *node.output))
    clashes = taken.intersection(names.values())
    if clashes:
        raise InvalidArgumentError(
            f"scale_name: the model has a value called {min(clashes)!r} already; choose another"
        )
    return names


def _allow_defaults(model: onnx.ModelProto) -> None:
    """Raise an IR version in which inputs have no defaults."""
    if model.ir_version >= DEFAULTS_IR_VERSION:
        return
    model.ir_version = DEFAULTS_IR_VERSION
    weights = {tensor.name for tensor in model.graph.initializer}
    kept = [value for value in model.graph.input if value.name not in weights]
    del model.graph.input[:]
    model.graph.input.extend(kept)


def _add_inputs(graph: onnx.GraphProto, inputs: Mapping[str, FixedScale]) -> None:
    for name, fixed in inputs.items():
        default = np.array([fixed.height, fixed.width], dtype=np.float32)
        graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]))
        graph.initializer.append(numpy_helper.from_array(default, name))


def _connect(node: onnx.NodeProto, fixed: FixedScale, name: str) -> None:
    """Let a node take its scales from the new input."""
    inputs = [node.input[0], _full_scales(name, fixed.rank)]
    if is_operator(node):
        node.op_type = SCALES_OP
    elif len(node.input) > 2:  # not Upsample, nor Resize before opset 11
        inputs.insert(1, node.input[1])
    kept = [item for item in node.attribute if item.name != "axes"]
    del node.input[:], node.attribute[:]
    node.input.extend(inputs)
    node.attribute.extend(kept)


def _full_scales(name: str, rank: int) -> str:
    """Name of the scales for all axes."""
    return name if rank == 2 else f"{name}/axes_{rank}"


def _add_heads(graph: onnx.GraphProto, uses: Collection[tuple[str, int]]) -> None:
    """At the head of the main graph: from (height, width) to scales for all axes."""
    head = []
    for name, rank in sorted(uses):
        output = _full_scales(name, rank)
        if output == name:
            continue
        ones = numpy_helper.from_array(np.ones(rank - 2, dtype=np.float32))
        head += [
            helper.make_node("Constant", [], [f"{output}/ones"], name=f"{output}/ones", value=ones),
            helper.make_node("Concat", [f"{output}/ones", name], [output], name=output, axis=0),
        ]
    following = list(graph.node)
    del graph.node[:]
    graph.node.extend([*head, *following])


def _open_dimensions(model: onnx.ModelProto, axes: Collection[int]) -> None:
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    opened = 0
    for value in graph.input:
        dims = value.type.tensor_type.shape.dim
        if value.name in weights or len(dims) != 4:
            continue
        opened += 1
        for axis in axes:
            if not dims[axis].dim_param:
                dims[axis].dim_param = f"{value.name}_" * (opened > 1) + IMAGE_AXES[axis]
    for value in graph.output:
        _forget_extents(value)
    _forget_value_info(graph)
    for function in model.functions:
        del function.value_info[:]
    if any(is_operator(node) for scope in scopes(model) for node in scope.nodes):
        add_functions(model)
    add_value_info(model)
    name_dimensions(model, {})


def _forget_extents(value: onnx.ValueInfoProto) -> None:
    for dim in value.type.tensor_type.shape.dim:
        dim.Clear()


def _forget_value_info(graph: onnx.GraphProto) -> None:
    del graph.value_info[:]
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                _forget_value_info(attribute.g)
                for value in attribute.g.output:
                    _forget_extents(value)
