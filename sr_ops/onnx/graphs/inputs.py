"""What callers of a model can feed, and what of it only looks so.

Before IR version 4 every weight was an input as well, and exporters went on writing files so. From
version 4 on, an initializer of an input's name is the input's default value.
"""

from __future__ import annotations

import onnx

from sr_ops.onnx.graphs.ir_version import DEFAULTS_IR_VERSION
from sr_ops.onnx.graphs.lineage import Lineage
from sr_ops.onnx.operators.kinds import extent_names, is_resampling

__all__ = ["scale_inputs", "weights_among_inputs"]


def scale_inputs(graph: onnx.GraphProto) -> list[str]:
    """Inputs, those with a default too, that the scales or sizes of resampling nodes follow."""
    return Lineage(graph).inputs_behind(
        name for node in graph.node if is_resampling(node) for name in extent_names(node)
    )


def weights_among_inputs(model: onnx.ModelProto) -> set[str]:
    """Inputs that are weights, written down as inputs in the manner of old exporters.

    From IR version 4 on nothing tells them from inputs with a default. Where every initializer is
    an input, they are weights, but for those that scales follow.
    """
    names = {value.name for value in model.graph.input}
    defaults = {tensor.name for tensor in model.graph.initializer}
    if model.ir_version < DEFAULTS_IR_VERSION:
        return names & defaults
    if len(defaults) < 2 or not defaults <= names:
        return set()
    return defaults - set(scale_inputs(model.graph))
