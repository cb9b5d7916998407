"""Readable names for the dynamic dimensions of a model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import onnx

from sr_ops.onnx.graphs.scopes import infer, make_skeleton
from sr_ops.onnx.operators.kinds import is_cubic_resize, is_operator
from sr_ops.onnx.operators.schema import DOMAIN, SCALES_OP, SIZES_OP

__all__ = ["DYNAMIC_AXES", "IMAGE_AXES", "add_value_info", "name_dimensions"]

#: Names that torch.export makes up. They stand in expressions, too: "2*u0", "TruncToInt(zuf0)".
_UNBACKED = re.compile(r"\bz?u[fs]?\d+\b")
#: Names that onnx's shape inference and torch's TorchScript exporter ("Resizey_dim_2") make up.
_UNRELATED = re.compile(r"unk__\d+|.*_dim_\d+")
#: Of an image of four axes, and those of them that are opened.
IMAGE_AXES = ("batch", "channels", "height", "width")
DYNAMIC_AXES = (0, 2, 3)
_WORD = re.compile(r"\w+")


def add_value_info(model: onnx.ModelProto) -> None:
    """Write what shape inference knows into the main graph: inner values and open outputs."""
    weights = {tensor.name for tensor in model.graph.initializer}
    skeleton = make_skeleton(model)
    _forget_made_up(skeleton.graph)
    _keep_leading_dimensions(skeleton.graph)
    inferred = infer(skeleton).graph
    del model.graph.value_info[:]
    model.graph.value_info.extend(v for v in inferred.value_info if v.name not in weights)
    for output, known in zip(model.graph.output, inferred.output, strict=True):
        output.CopyFrom(known)


def _forget_made_up(graph: onnx.GraphProto) -> None:
    given = {dim.dim_param for dim in _dims(graph.input)}
    for dim in _dims((*graph.value_info, *graph.output)):
        if dim.dim_param not in given and _UNRELATED.fullmatch(dim.dim_param):
            dim.Clear()


def _keep_leading_dimensions(graph: onnx.GraphProto) -> None:
    """Where the scales are computed, inference forgets that Resize keeps batch and channels.

    The cubic mode resamples the last two axes only (of what torch exports), like our operators,
    whose inference knows.
    """
    for node in graph.node:
        if is_cubic_resize(node):
            extent = 3 if len(node.input) == 4 else 2
            node.op_type = SIZES_OP if extent == 3 else SCALES_OP
            node.domain = DOMAIN
            inputs = [node.input[0], node.input[extent]]
            del node.input[:], node.attribute[:]
            node.input.extend(inputs)


def name_dimensions(model: onnx.ModelProto, known: Mapping[str, str]) -> None:
    """Replace made-up dimension names by ``upscaled_height``, ``upscaled_width`` and the like.

    A second resampling node gives ``upscaled_height_2``; whatever else is open is called after the
    value and the axis that show it first: ``output_height``, ``tokens_axis_1``. Names stand in
    expressions, too: ``2*height``.

    Args:
        model: changed in place.
        known: further names that are to be replaced.
    """
    names = {**_new_names(model.graph), **known}

    def new_name(name: str) -> str:
        return names.get(name) or _WORD.sub(lambda word: names.get(word[0], word[0]), name)

    for dim in _dims(_values(model.graph)):
        if dim.HasField("dim_param"):
            dim.dim_param = new_name(dim.dim_param)


def _new_names(graph: onnx.GraphProto) -> dict[str, str]:
    by_value = {value.name: value for value in _values(graph)}
    given = {dim.dim_param for dim in _dims(graph.input)}
    names: dict[str, str] = {}
    resampled = 0
    for node in graph.node:
        resamples = is_operator(node) or node.op_type == "Resize"
        resampled += resamples
        for output in node.output:
            if output not in by_value:
                continue
            dims = list(_dims([by_value[output]]))
            for axis, dim in enumerate(dims):
                if dim.dim_param in given or not _needs_name(dim.dim_param, names):
                    continue
                axis_name = IMAGE_AXES[axis] if len(dims) == 4 else f"axis_{axis}"
                name = f"{output}_{axis_name}"
                if resamples and axis >= len(dims) - 2:
                    name = f"upscaled_{IMAGE_AXES[axis - len(dims)]}"
                    name += f"_{resampled}" if resampled > 1 else ""
                names.setdefault(dim.dim_param, name)
    return names


def _needs_name(text: str, names: Mapping[str, str]) -> bool:
    """Whether a dimension is called by something made up that has no better name yet."""
    unnamed = set(_UNBACKED.findall(text)) - names.keys()
    return bool(unnamed or _UNRELATED.fullmatch(text))


def _values(graph: onnx.GraphProto) -> Iterator[onnx.ValueInfoProto]:
    for group in (graph.input, graph.value_info, graph.output):
        yield from group


def _dims(values: Iterable[onnx.ValueInfoProto]) -> Iterator[onnx.TensorShapeProto.Dimension]:
    for value in values:
        yield from value.type.tensor_type.shape.dim
