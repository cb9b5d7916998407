"""Which node of an exported model keeps a shape that should follow the inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]

from sr_ops.onnx.running.session import make_session

__all__ = ["frozen_node"]

#: Operators that take a shape as an input -> the positions of such inputs.
_SHAPE_INPUTS = {
    "ConstantOfShape": (0,),
    "DynamicUpscale": (1,),
    "DynamicUpscaleToSizes": (1,),
    "Expand": (1,),
    "Pad": (1,),
    "Reshape": (1,),
    "Resize": (2, 3),
    "Slice": (1, 2),
    "Tile": (1,),
}
_FAILED_NODE = re.compile(r"Name:'([^']*)'")
_SOURCE_LINE = re.compile(r'File "([^"]+)", line (\d+), in \S+')
_TRACE = "pkg.torch.onnx.stack_trace"


def frozen_node(
    model: onnx.ModelProto, traced: Mapping[str, Any], other: Mapping[str, Any]
) -> str | None:
    """Describe the first node that computes one shape for two sizes of the inputs.

    Args:
        model: the exported model.
        traced, other: its inputs at the size of the export and at another.

    Returns:
        Operator, name and, where the exporter noted it, line of the model's code; None if there is
        no such node.
    """
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    known = {value.name for value in model.graph.output}
    names = [name for node in model.graph.node for name in node.output if name]
    watched.graph.output.extend(
        onnx.ValueInfoProto(name=name) for name in names if name not in known
    )
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = make_session(watched, sess_options=options)
    outputs = [value.name for value in session.get_outputs()]
    before = {**traced, **dict(zip(outputs, session.run(outputs, dict(traced)), strict=True))}
    try:
        after = {**other, **dict(zip(outputs, session.run(outputs, dict(other)), strict=True))}
    except Exception as error:  # onnxruntime's own classes
        name = _FAILED_NODE.search(str(error))
        failed = [node for node in model.graph.node if name and node.name == name.group(1)]
        return _described(failed[0]) if failed else None
    for node in model.graph.node:
        if _is_frozen(node, before, after):
            return _described(node)
    return None


def _is_frozen(node: onnx.NodeProto, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    positions = _SHAPE_INPUTS.get(node.op_type)
    if positions is None:
        return False
    data = [name for name in node.input if name in before]
    grown = any(np.shape(before[name]) != np.shape(after[name]) for name in data)
    result = node.output[0]
    same = np.shape(before[result])[-2:] == np.shape(after[result])[-2:]
    shapes = [node.input[at] for at in positions if at < len(node.input) and node.input[at]]
    return grown and same and bool(shapes)


def _described(node: onnx.NodeProto) -> str:
    text = f"{node.op_type} {node.name!r}"
    for item in node.metadata_props:
        lines = _SOURCE_LINE.findall(item.value) if item.key == _TRACE else []
        if lines:
            file, line = lines[-1]
            return f"{text} (written in {file}, line {line})"
    return text
