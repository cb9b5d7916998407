"""A picture of a graph, laid out by Graphviz: values flow downwards, resampling nodes stand out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import onnx

from sr_ops.errors import MissingDependencyError
from sr_ops.onnx.graphs.editing import literal_attributes
from sr_ops.onnx.graphs.ir_version import DEFAULTS_IR_VERSION
from sr_ops.onnx.graphs.scopes import infer, tensor_dims
from sr_ops.onnx.operators.kinds import is_operator, is_resampling

try:
    import graphviz
except ModuleNotFoundError as error:
    raise MissingDependencyError(
        "a picture of a graph needs the Python package graphviz: pip install 'sr-ops[graph]'"
    ) from error

__all__ = ["draw"]

_FONT = {"fontname": "Helvetica,sans-serif", "fontsize": "11"}
_NODE = {"shape": "box", "style": "filled,rounded", "color": "#6e6e73", "fillcolor": "#f2f2f4"}
#: What stands out, as (class in the SVG, attributes).
_OURS = ("ours", {"color": "#1f7a33", "fillcolor": "#bfe3c6", "penwidth": "2"})
_RESIZE = ("resize", {"color": "#a86a00", "fillcolor": "#fde3b0", "penwidth": "2"})
_EDGE = {"color": "#9a9aa0", "fontcolor": "#6e6e73"}
_VALUE = ("value", {"shape": "ellipse", "style": "dashed"})


def draw(model: onnx.ModelProto) -> str:
    """The graph as an SVG document, with the graphs inside its nodes; constants are left out.

    Raises:
        MissingDependencyError: Graphviz is not installed.
    """
    picture = _Drawing(model).picture
    try:
        return str(picture.pipe(format="svg", encoding="utf-8"))
    except graphviz.ExecutableNotFound as error:
        raise MissingDependencyError(
            "a picture of a graph needs the program dot of Graphviz on the PATH: apt-get install "
            "graphviz, brew install graphviz, or https://graphviz.org/download"
        ) from error


class _Drawing:
    def __init__(self, model: onnx.ModelProto) -> None:
        inferred = infer(model).graph
        self._types = {
            value.name: value.type
            for group in (inferred.value_info, inferred.input, inferred.output)
            for value in group
        }
        self._weights_are_inputs = model.ir_version < DEFAULTS_IR_VERSION
        # Of our own making: the names of a model may contain anything.
        self._keys: Iterator[str] = map("n{}".format, itertools.count())
        self.picture = graphviz.Digraph(
            "model", node_attr=_NODE | _FONT, edge_attr=_EDGE | _FONT | {"fontsize": "9"}
        )
        self._add_graph(self.picture, model.graph, {})

    def _add_graph(
        self, frame: graphviz.Digraph, graph: onnx.GraphProto, outer: dict[str, str]
    ) -> list[str]:
        """Draw a graph into its frame; ``outer`` maps the values seen outside to what gives them.

        Returns what the graph's outputs are drawn as.
        """
        givers = dict(outer)
        weights = {tensor.name for tensor in graph.initializer} if self._weights_are_inputs else ()
        for value in graph.input:
            if value.name not in weights:
                givers[value.name] = self._add_box(frame, value.name, "input", _VALUE)
        for node in graph.node:
            key = self._add_node(frame, node, givers)
            givers.update((name, key) for name in node.output if name)
        outputs = []
        for value in graph.output:
            outputs.append(self._add_box(frame, value.name, "output", _VALUE))
            self._add_edge(givers, value.name, outputs[-1])
        return outputs

    def _add_node(
        self, frame: graphviz.Digraph, node: onnx.NodeProto, givers: dict[str, str]
    ) -> str:
        kind = _OURS if is_operator(node) else _RESIZE if is_resampling(node) else None
        key = self._add_box(frame, node.op_type, _tooltip(node), kind)
        for name in dict.fromkeys(node.input):
            self._add_edge(givers, name, key)
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                with frame.subgraph(name=f"cluster_{next(self._keys)}") as inner:
                    inner.attr(label=graphviz.escape(attribute.name), style="dotted", **_FONT)
                    for output in self._add_graph(inner, attribute.g, givers):
                        self.picture.edge(output, key, style="dotted")
        return key

    def _add_box(
        self,
        frame: graphviz.Digraph,
        label: str,
        tooltip: str,
        kind: tuple[str, dict[str, str]] | None,
    ) -> str:
        key = next(self._keys)
        style = {} if kind is None else {"class": kind[0], **kind[1]}
        frame.node(key, graphviz.escape(label), tooltip=graphviz.escape(tooltip), **style)
        return key

    def _add_edge(self, givers: dict[str, str], name: str, to: str) -> None:
        # An edge in a frame would pull both of its ends inside: all belong to the whole picture.
        if name in givers:  # neither a weight nor an input left out
            dims = self._dims(name)
            tooltip = graphviz.escape(f"{name} {dims}")
            self.picture.edge(givers[name], to, graphviz.escape(dims), tooltip=tooltip)

    def _dims(self, name: str) -> str:
        dims = tensor_dims(self._types, name) or ()
        # Shape inference names what it does not know "unk__0" and so on.
        known = ("?" if dim is None or str(dim).startswith("unk__") else str(dim) for dim in dims)
        return " x ".join(known)


def _tooltip(node: onnx.NodeProto) -> str:
    attributes = literal_attributes(node)
    simple = [f"{k} = {v}" for k, v in attributes.items() if isinstance(v, (str, int, float, list))]
    return "\n".join([node.name or node.op_type, *simple])
