"""Several ONNX graphs in one, of which the scale chooses one when it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper

__all__ = ["chosen_by_scale"]


def chosen_by_scale(models: Mapping[int, ModelProto]) -> ModelProto:
    """A model that runs the one of the next key above the larger scale, or of the highest key.

    What all begin with is done once, before the choice: ONNX Runtime lays out convolutions for the
    processor in the main graph only, so that in a branch they take twice as long.

    Args:
        models: by their factors, each with an image and a scale as inputs, and one output.
    """
    *lower, highest = sorted(models)
    whole = ModelProto()
    whole.CopyFrom(models[highest])
    graph = whole.graph
    common = _common([model.graph for model in models.values()])
    kept = {"", *(value.name for value in graph.input), *_outputs(common)}
    branches = {factor: _branch(models[factor].graph, factor, common, kept) for factor in models}
    choice, conditions = branches[highest], []
    initializers = [tensor for tensor in graph.initializer if tensor.name in _inputs(common)]
    for factor in reversed(lower):
        limit = numpy_helper.from_array(np.array(factor, np.float32), f"factor_{factor}")
        initializers.append(limit)
        condition = f"up_to_{factor}"
        conditions.append(helper.make_node("LessOrEqual", ["largest", limit.name], [condition]))
        choice = _if(condition, branches[factor], choice)
    choice.node[0].output[:] = [graph.output[0].name]
    largest = helper.make_node("ReduceMax", [graph.input[1].name], ["largest"], keepdims=0)
    for field in ("node", "initializer", "value_info"):
        graph.ClearField(field)
    graph.node.extend([*common, largest, *conditions, *choice.node])
    graph.initializer.extend(initializers)
    onnx.checker.check_model(whole)
    return whole


def _common(graphs: Sequence[GraphProto]) -> list[NodeProto]:
    """The nodes with which all graphs begin, and which do the same in all."""
    tensors = [{tensor.name: tensor for tensor in graph.initializer} for graph in graphs]
    common = []
    for nodes in zip(*(graph.node for graph in graphs), strict=False):
        first = nodes[0]
        if any(_meaning(node) != _meaning(first) for node in nodes[1:]):
            break
        if any(t.get(name) != tensors[0].get(name) for t in tensors for name in first.input):
            break
        common.append(first)
    return common


def _meaning(node: NodeProto) -> NodeProto:
    """Without what is said to the reader only."""
    plain = NodeProto()
    plain.CopyFrom(node)
    for field in ("name", "doc_string", "metadata_props"):
        plain.ClearField(field)
    return plain


def _inputs(nodes: Iterable[NodeProto]) -> set[str]:
    return {name for node in nodes for name in node.input}


def _outputs(nodes: Iterable[NodeProto]) -> set[str]:
    return {name for node in nodes for name in node.output}


def _branch(
    graph: GraphProto, factor: int, common: Sequence[NodeProto], kept: set[str]
) -> GraphProto:
    """The rest of a graph as a branch of ``If``, with names of its own.

    Args:
        graph: whose first nodes are ``common``.
        factor: part of the names.
        common: what is done before the branch.
        kept: names of what is outside.
    """
    names = {name: name for name in kept}
    weights = {tensor.name for tensor in graph.initializer if "." in tensor.name}

    def own(name: str) -> str:
        return name if name in weights else names.setdefault(name, f"{factor}/{len(names)}")

    branch = GraphProto(name=f"factor_{factor}")
    rest = graph.node[len(common) :]
    for node in map(_meaning, rest):
        node.input[:] = map(own, node.input)
        node.output[:] = map(own, node.output)
        branch.node.append(node)
    for tensor in graph.initializer:
        if tensor.name in _inputs(rest):
            copied = branch.initializer.add()
            copied.CopyFrom(tensor)
            copied.name = own(tensor.name)
    result = branch.output.add()
    result.CopyFrom(graph.output[0])
    result.name = own(result.name)
    return branch


def _if(condition: str, then: GraphProto, otherwise: GraphProto) -> GraphProto:
    """A graph of one node that runs one graph or the other."""
    result = onnx.ValueInfoProto()
    result.CopyFrom(then.output[0])
    result.name = f"{condition}/{result.name}"
    node = helper.make_node(
        "If", [condition], [result.name], then_branch=then, else_branch=otherwise
    )
    return helper.make_graph([node], condition, [], [result])
