"""What is in a model, as far as upscaling goes: text, JSON, a picture."""

from __future__ import annotations

import dataclasses
import math
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import onnx
from onnx import helper, numpy_helper

from sr_ops import _arguments
from sr_ops.errors import MissingDependencyError
from sr_ops.onnx.graphs.editing import literal_attributes
from sr_ops.onnx.graphs.inputs import weights_among_inputs
from sr_ops.onnx.graphs.lineage import Lineage
from sr_ops.onnx.graphs.model_files import load_model
from sr_ops.onnx.graphs.scopes import Scope, scopes, tensor_dims, tensor_dtype
from sr_ops.onnx.graphs.soundness import sound_or_model_error
from sr_ops.onnx.operators.kinds import is_operator, is_resampling

__all__ = ["Inspection", "ResizeNode", "Value", "inspect"]

#: Of a constant, at most so many elements are shown.
_SHOWN = 8

_RESIZE_DEFAULTS = {
    "mode": "nearest",
    "coordinate_transformation_mode": "half_pixel",
    "cubic_coeff_a": _arguments.DEFAULT_CUBIC_COEFF_A,
    "exclude_outside": 0,
    "antialias": 0,
}


@dataclasses.dataclass(frozen=True)
class Value:
    """An input or output.

    Attributes:
        name: of the value.
        dtype: numpy's name of the element type.
        dims: each a number, a name, or "?"; None: the number of axes is not known.
        default: of an optional input, if it is small.
    """

    name: str
    dtype: str
    dims: list[int | str] | None
    default: Any = None

    def __str__(self) -> str:
        dims = "unknown shape" if self.dims is None else f"({', '.join(map(str, self.dims))})"
        default = "" if self.default is None else f" = {self.default}"
        return f"{self.name}: {self.dtype} {dims}{default}"


@dataclasses.dataclass(frozen=True)
class ResizeNode:
    """A resampling node.

    Attributes:
        node: its name, or its first output's.
        graph: where it is: "graph", "graph/If:then_branch", "function local::Block".
        op_type: Resize, Upsample, DynamicUpscale or DynamicUpscaleToSizes.
        dtype: numpy's name of the image's element type; None: not known.
        attributes: mode, coordinate_transformation_mode and so on.
        extent: the constant scales or sizes, or where they come from.
        path: what runs it here: library, function, runtime or none; None: onnxruntime is missing.
    """

    node: str
    graph: str
    op_type: str
    dtype: str | None
    attributes: dict[str, Any]
    extent: str
    path: str | None

    def __str__(self) -> str:
        attributes = ", ".join(f"{k}={v}" for k, v in self.attributes.items())
        where = f" -> {self.path}" if self.path else ""
        return (
            f"{self.op_type} {self.node!r} in {self.graph}: {self.dtype}, {self.extent}, "
            f"{attributes}{where}"
        )


class Inspection:
    """What :func:`inspect` returns; ``str()`` gives text.

    Attributes:
        inputs, outputs: of the model; without weights that are written down as inputs.
        dynamic_dimensions: names of the dimensions that are open, in order.
        resize_nodes: every resampling node, wherever it stands.
        domains: domain -> number of nodes, beside the default one.
        functions: names of the functions that the model carries.
        opsets: domain -> version.
        operators: operator -> number of nodes, in the main graph and inside.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self._model = model
        self.ir_version = model.ir_version
        self.producer = f"{model.producer_name} {model.producer_version}".strip()
        self.opsets = {item.domain or "ai.onnx": item.version for item in model.opset_import}
        self.functions = [f"{item.domain}::{item.name}" for item in model.functions]
        defaults = {tensor.name: tensor for tensor in model.graph.initializer}
        weights = weights_among_inputs(model)
        self.inputs = [_value(v, defaults) for v in model.graph.input if v.name not in weights]
        self.outputs = [_value(value, {}) for value in model.graph.output]
        dims = [d for v in (*self.inputs, *self.outputs) for d in v.dims or ()]
        self.dynamic_dimensions = list(dict.fromkeys(d for d in dims if isinstance(d, str)))
        self.resize_nodes: list[ResizeNode] = []
        self.operators: Counter[str] = Counter()
        self.domains: Counter[str] = Counter()
        walked = list(scopes(model))
        self._look_at_nodes(walked, _paths(model, walked))

    def _look_at_nodes(
        self, walked: Iterable[Scope], paths: dict[tuple[str, str], str] | None
    ) -> None:
        seen = set()
        for scope in walked:
            lineage = Lineage(scope.graph) if scope.graph is not None else None
            for node in scope.nodes:
                key = (scope.path, *node.output)
                if key in seen:  # the second call of a function
                    continue
                seen.add(key)
                self.operators[node.op_type] += 1
                if node.domain not in ("", "ai.onnx"):
                    self.domains[node.domain] += 1
                if is_resampling(node):
                    self.resize_nodes.append(_resize_node(node, scope, lineage, paths))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "ir_version": self.ir_version,
            "producer": self.producer,
            "opsets": self.opsets,
            "inputs": [dataclasses.asdict(value) for value in self.inputs],
            "outputs": [dataclasses.asdict(value) for value in self.outputs],
            "dynamic_dimensions": self.dynamic_dimensions,
            "resize_nodes": [dataclasses.asdict(node) for node in self.resize_nodes],
            "domains": dict(self.domains),
            "functions": self.functions,
            "operators": dict(self.operators),
        }

    @sound_or_model_error()
    def svg(self) -> str:
        """A picture of the graph: an SVG document, laid out by Graphviz.

        Raises:
            MissingDependencyError: (an ImportError) Graphviz or its Python package is missing.
        """
        from sr_ops.onnx.inspecting import picture  # needs an extra that nothing else here does

        return picture.draw(self._model)

    def __str__(self) -> str:
        opsets = ", ".join(f"{domain} {version}" for domain, version in self.opsets.items())
        operators = ", ".join(f"{n} {op}" for op, n in self.operators.most_common())
        sections: dict[str, Sequence[object]] = {
            "inputs": self.inputs,
            "outputs": self.outputs,
            "resampling": self.resize_nodes or ["none"],
        }
        lines = [f"IR version {self.ir_version}, opset {opsets}"]
        for title, items in sections.items():
            lines += [f"{title}:", *(f"  {item}" for item in items)]
        lines.append(f"dynamic dimensions: {', '.join(self.dynamic_dimensions) or 'none'}")
        lines.append(f"functions: {', '.join(self.functions) or 'none'}")
        lines.append(f"operators: {operators}")
        return "\n".join(lines)


@sound_or_model_error()
def inspect(model: str | os.PathLike[str] | onnx.ModelProto) -> Inspection:
    """Look into a model: inputs, dynamic dimensions, resampling nodes and what runs them here.

    Args:
        model: a path, or a model. Weights in other files are not read.

    Returns:
        An object whose ``str()`` is text, ``as_dict()`` is for JSON, and ``svg()`` a picture.

    Raises:
        ModelError: not an ONNX model.
        FileError: the file cannot be read.
        InvalidTypeError: ``model`` is neither a path nor a model.

    >>> text = (
    ...     '<ir_version: 8, opset_import: ["": 18]> graph (float[N,3,H,W] x) => (float[N,3,h,w] y)'
    ...     ' <float[4] scales = {1, 1, 2, 2}> { y = Resize<mode = "cubic">(x, , scales) }'
    ... )
    >>> inspect(onnx.parser.parse_model(text)).resize_nodes[0].extent
    'scales [1, 1, 2, 2]'
    """
    return Inspection(load_model(model, weights=False))


def _value(value: onnx.ValueInfoProto, defaults: dict[str, onnx.TensorProto]) -> Value:
    types = {value.name: value.type}
    dims = tensor_dims(types, value.name)
    default = None
    if value.name in defaults and math.prod(defaults[value.name].dims) <= _SHOWN:
        default = numpy_helper.to_array(defaults[value.name]).tolist()
    return Value(
        value.name,
        _dtype_name(tensor_dtype(types, value.name)) or "not a tensor",
        None if dims is None else ["?" if dim is None else dim for dim in dims],
        default,
    )


def _dtype_name(elem_type: int | None) -> str | None:
    if elem_type is None:
        return None
    if elem_type == onnx.TensorProto.STRING:
        return "str"
    return str(helper.tensor_dtype_to_np_dtype(elem_type))


def _paths(model: onnx.ModelProto, walked: Iterable[Scope]) -> dict[tuple[str, str], str] | None:
    """(graph, node) -> what runs it in this installation."""
    try:
        from sr_ops.onnx.running.session import explain_walked
    except (ImportError, MissingDependencyError):
        return None
    nodes = explain_walked(model, walked).nodes
    return {(node.graph, node.node): node.path for node in nodes}


def _resize_node(
    node: onnx.NodeProto,
    scope: Scope,
    lineage: Lineage | None,
    paths: dict[tuple[str, str], str] | None,
) -> ResizeNode:
    name = node.name or node.output[0]
    given = literal_attributes(node)
    attributes = {k: given.get(k, default) for k, default in _RESIZE_DEFAULTS.items()}
    if is_operator(node):
        attributes["mode"] = "cubic"
    path = None if paths is None else paths.get((scope.path, name), "runtime")
    dtype = _dtype_name(tensor_dtype(scope.types, node.input[0]))
    return ResizeNode(
        name,
        scope.path,
        node.op_type,
        dtype,
        attributes,
        _extent(node, scope, lineage, given),
        path,
    )


def _extent(
    node: onnx.NodeProto, scope: Scope, lineage: Lineage | None, attributes: dict[str, Any]
) -> str:
    if "scales" in attributes:
        return f"scales {_numbers(attributes['scales'])}"
    labels = ("", "", "scales", "sizes") if len(node.input) > 2 else ("", "scales")
    if is_operator(node):
        labels = ("", "scales" if node.op_type == "DynamicUpscale" else "sizes")
    for label, name in reversed(list(zip(labels, node.input, strict=False))):
        if not label or not name or tensor_dims(scope.types, name) == [0]:
            continue
        if name in scope.constants:
            values = numpy_helper.to_array(scope.constants[name]).reshape(-1).tolist()
            return f"{label} {_numbers(values)}"
        inputs = [] if lineage is None else lineage.inputs_behind([name])
        if inputs:
            return f"{label} from input {', '.join(map(repr, inputs))}"
        return f"{label} computed as {name!r}"
    return "no scales"


def _numbers(values: list[float]) -> str:
    shown = [f"{value:g}" for value in values[:_SHOWN]]
    if len(values) > _SHOWN:
        shown.append(f"... {len(values)} in all")
    return f"[{', '.join(shown)}]"
