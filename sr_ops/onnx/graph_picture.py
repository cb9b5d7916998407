"""A picture of a graph: values flow downwards, resampling nodes stand out."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

import onnx

from sr_ops.onnx.fixed_scale import is_resampling
from sr_ops.onnx.functions import is_operator
from sr_ops.onnx.graph_edit import literal_attributes
from sr_ops.onnx.scopes import infer, tensor_dims

__all__ = ["draw"]

_ROW = 76  # pixels from one layer to the next
_GAP = 24  # pixels between neighbours
_HEIGHT = 34
#: Kind of the invisible boxes that lead a value past the layers between its ends.
_BEND = "bend"
_CHARACTER = 7.3  # pixels, at the font size below
_STYLE = """
text { font: 12px sans-serif; text-anchor: middle; dominant-baseline: central; fill: #1d1d1f; }
rect { stroke: #6e6e73; fill: #f2f2f4; }
rect.value { fill: #ffffff; stroke-dasharray: 4 3; }
rect.ours { fill: #bfe3c6; stroke: #1f7a33; stroke-width: 2; }
rect.resize { fill: #fde3b0; stroke: #a86a00; stroke-width: 2; }
path { fill: none; stroke: #9a9aa0; }
text.dims { font-size: 10px; fill: #6e6e73; }
text.halo { stroke: #ffffff; stroke-width: 4; }
"""


@dataclasses.dataclass
class _Box:
    label: str
    kind: str
    tooltip: str
    reads: list[str]
    gives: list[str]
    layer: int = 0
    x: float = 0.0  # centre, pixels

    @property
    def width(self) -> float:
        return 12.0 if self.kind == _BEND else max(60.0, len(self.label) * _CHARACTER + 16)

    @property
    def half_height(self) -> float:
        return 0.0 if self.kind == _BEND else _HEIGHT / 2

    @property
    def y(self) -> float:
        return 30.0 + self.layer * _ROW


def draw(model: onnx.ModelProto) -> str:
    """The main graph as an SVG document; inner graphs stay inside their node."""
    inferred = infer(model).graph
    types = {
        value.name: value.type
        for group in (inferred.value_info, inferred.input, inferred.output)
        for value in group
    }
    boxes = _boxes(model.graph)
    edges = _with_bends(boxes, _connect(boxes))
    layers = _arrange(boxes, edges)
    labels = {name: _dims(types, name) for _, _, name in edges}
    widest_label = max((len(text) * _CHARACTER for text in labels.values()), default=0)
    width = max(widest_label, *(sum(box.width + _GAP for box in layer) for layer in layers)) + _GAP
    _place(layers, width)
    body = [_edge(boxes[a], boxes[b], name, labels[name]) for a, b, name in edges]
    body += [_box(box) for box in boxes if box.kind != _BEND]
    height = 60 + (len(layers) - 1) * _ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
        f'width="{width:.0f}" height="{height}">\n<style>{_STYLE}</style>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def _boxes(graph: onnx.GraphProto) -> list[_Box]:
    weights = {tensor.name for tensor in graph.initializer}
    boxes = [
        _Box(value.name, "value", "input", [], [value.name])
        for value in graph.input
        if value.name not in weights
    ]
    for node in graph.node:
        kind = "ours" if is_operator(node) else "resize" if is_resampling(node) else "node"
        boxes.append(_Box(node.op_type, kind, _tooltip(node), list(node.input), list(node.output)))
    boxes += [_Box(value.name, "value", "output", [value.name], []) for value in graph.output]
    return boxes


def _tooltip(node: onnx.NodeProto) -> str:
    attributes = literal_attributes(node)
    simple = [f"{k} = {v}" for k, v in attributes.items() if isinstance(v, (str, int, float, list))]
    return "\n".join([node.name or node.op_type, *simple])


def _connect(boxes: Sequence[_Box]) -> list[tuple[int, int, str]]:
    """(from, to, value); a box that nothing leads to, such as a Constant, starts its own flow."""
    producers = {name: i for i, box in enumerate(boxes) for name in box.gives if name}
    return [
        (producers[name], i, name)
        for i, box in enumerate(boxes)
        for name in dict.fromkeys(box.reads)
        if name in producers
    ]


def _with_bends(
    boxes: list[_Box], edges: Sequence[tuple[int, int, str]]
) -> list[tuple[int, int, str]]:
    """Put every box in a layer, and edges past layers into one piece for each."""
    sources = _sources(edges)
    for i, box in enumerate(boxes):  # nodes come in topological order
        box.layer = max((boxes[j].layer + 1 for j in sources.get(i, ())), default=0)
    pieces = []
    for start, end, name in edges:
        last = start
        for layer in range(boxes[start].layer + 1, boxes[end].layer):
            boxes.append(_Box("", _BEND, "", [], [], layer))
            pieces.append((last, len(boxes) - 1, name))
            last = len(boxes) - 1
        pieces.append((last, end, name))
    return pieces


def _sources(edges: Sequence[tuple[int, int, str]]) -> dict[int, list[int]]:
    sources: dict[int, list[int]] = {}
    for start, end, _ in edges:
        sources.setdefault(end, []).append(start)
    return sources


def _arrange(boxes: Sequence[_Box], edges: Sequence[tuple[int, int, str]]) -> list[list[_Box]]:
    """The layers from top to bottom; in each, boxes near what they read."""
    sources = _sources(edges)
    members: dict[int, list[int]] = {}
    for i, box in enumerate(boxes):
        members.setdefault(box.layer, []).append(i)
    position: dict[int, float] = {}
    layers = []
    for _, indices in sorted(members.items()):
        wish = {i: _mean([position[j] for j in sources.get(i, ())]) for i in indices}
        ordered = sorted(indices, key=wish.__getitem__)
        for rank, i in enumerate(ordered):
            position[i] = (rank + 1) / (len(ordered) + 1)
        layers.append([boxes[i] for i in ordered])
    return layers


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.5


def _place(layers: Sequence[Sequence[_Box]], width: float) -> None:
    for layer in layers:
        x = (width - sum(box.width + _GAP for box in layer) + _GAP) / 2
        for box in layer:
            box.x = x + box.width / 2
            x += box.width + _GAP


def _dims(types: dict[str, onnx.TypeProto], name: str) -> str:
    dims = tensor_dims(types, name)
    return "" if dims is None else " x ".join("?" if dim is None else str(dim) for dim in dims)


def _edge(start: _Box, end: _Box, name: str, dims: str) -> str:
    top, bottom = start.y + start.half_height, end.y - end.half_height
    bend = (bottom - top) / 2
    path = (
        f"M {start.x:.0f} {top:.0f} C {start.x:.0f} {top + bend:.0f}, "
        f"{end.x:.0f} {bottom - bend:.0f}, {end.x:.0f} {bottom:.0f}"
    )
    label = ""
    if dims and start.kind != _BEND:
        x, y = (start.x + end.x) / 2, (top + bottom) / 2
        label = "".join(
            f'<text class="{style}" x="{x:.0f}" y="{y:.0f}">{escape(dims)}</text>'
            for style in ("dims halo", "dims")
        )
    return f"<g><title>{escape(f'{name} {dims}')}</title><path d={quoteattr(path)}/>{label}</g>"


def _box(box: _Box) -> str:
    left, top = box.x - box.width / 2, box.y - _HEIGHT / 2
    return (
        f"<g><title>{escape(box.tooltip)}</title>"
        f'<rect class="{box.kind}" x="{left:.0f}" y="{top:.0f}" width="{box.width:.0f}" '
        f'height="{_HEIGHT}" rx="{8 if box.kind == "value" else 3}"/>'
        f'<text x="{box.x:.0f}" y="{box.y:.0f}">{escape(box.label)}</text></g>'
    )
