"""Readable names for the dynamic dimensions of a model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import onnx

from sr_ops.onnx.functions import is_operator
from sr_ops.onnx.scopes import infer

__all__ = ["add_value_info", "name_dimensions"]

#: Names that torch.export ("u0"), onnx's shape inference ("unk__0") and torch's TorchScript
#: exporter ("Resizey_dim_2") make up.
_MADE_UP = re.compile(r"u\d+|unk__\d+|\w+_dim_\d+")
_WORD = re.compile(r"\w+")


def add_value_info(model: onnx.ModelProto) -> None:
    """Write what shape inference knows into the main graph: inner values and open outputs."""
    inferred = infer(model).graph
    del model.graph.value_info[:]
    weights = {tensor.name for tensor in model.graph.initializer}
    model.graph.value_info.extend(v for v in inferred.value_info if v.name not in weights)
    for output, known in zip(model.graph.output, inferred.output, strict=True):
        output.CopyFrom(known)


def name_dimensions(model: onnx.ModelProto, known: Mapping[str, str]) -> None:
    """Replace made-up dimension names by ``upscaled_height``, ``upscaled_width`` and the like.

    A second resampling node gives ``upscaled_height_2``; whatever else is open is called after the
    value and the axis that show it first: ``features_axis_2``. Names stand in expressions, too:
    ``2*height``.

    Args:
        model: changed in place.
        known: further names that are to be replaced.
    """
    names = {**_new_names(model.graph), **known}
    for dim in _dims(_values(model.graph)):
        if dim.HasField("dim_param"):
            dim.dim_param = _WORD.sub(lambda match: names.get(match[0], match[0]), dim.dim_param)


def _new_names(graph: onnx.GraphProto) -> dict[str, str]:
    by_value = {value.name: value for value in _values(graph)}
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
                if not _MADE_UP.fullmatch(dim.dim_param):
                    continue
                name = f"{output}_axis_{axis}"
                if resamples and axis >= len(dims) - 2:
                    name = ("upscaled_height", "upscaled_width")[axis - len(dims)]
                    name += f"_{resampled}" if resampled > 1 else ""
                names.setdefault(dim.dim_param, name)
    return names


def _values(graph: onnx.GraphProto) -> Iterator[onnx.ValueInfoProto]:
    for group in (graph.input, graph.value_info, graph.output):
        yield from group


def _dims(values: Iterable[onnx.ValueInfoProto]) -> Iterator[onnx.TensorShapeProto.Dimension]:
    for value in values:
        yield from value.type.tensor_type.shape.dim
