"""The lowest IR version that expresses a model, so that old runtimes read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import onnx
from onnx import TensorProto, helper

__all__ = ["DEFAULTS_IR_VERSION", "FUNCTION_IR_VERSION", "lower_ir_version"]

#: From this IR version on, an initializer of an input's name is the input's default. Before, every
#: initializer had to be an input as well.
DEFAULTS_IR_VERSION = 4
#: Models hold functions from this IR version on.
FUNCTION_IR_VERSION = 8

_METADATA_IR_VERSION = 10


def lower_ir_version(model: onnx.ModelProto) -> None:
    """Set the lowest IR version that expresses a model; never raises it.

    Below IR version 10 nodes and values have no metadata: it goes. A model with 8-bit floats or
    narrower types, which came with several versions, is left as it is.
    """
    if any(tensor.data_type > TensorProto.BFLOAT16 for tensor in model.graph.initializer):
        return
    needed = helper.find_min_ir_version_for(list(model.opset_import), ignore_unknown=True)
    if model.functions:
        needed = max(needed, FUNCTION_IR_VERSION)
    for function in model.functions:
        if function.attribute_proto:
            needed = max(needed, 9)
        if function.overload:
            needed = max(needed, 10)
    if needed >= model.ir_version:
        return
    model.ir_version = needed
    if needed < _METADATA_IR_VERSION:
        for holder in _metadata_holders(model):
            del holder.metadata_props[:]


def _metadata_holders(model: onnx.ModelProto) -> Iterator[Any]:
    for function in model.functions:
        yield function
        yield from function.value_info
        yield from _in_nodes(function.node)
    yield from _in_graph(model.graph)


def _in_graph(graph: onnx.GraphProto) -> Iterator[Any]:
    yield graph
    for group in (graph.input, graph.output, graph.value_info, graph.initializer):
        yield from group
    yield from _in_nodes(graph.node)


def _in_nodes(nodes: Iterable[onnx.NodeProto]) -> Iterator[Any]:
    for node in nodes:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _in_graph(attribute.g)
