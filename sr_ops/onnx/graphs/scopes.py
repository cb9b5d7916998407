"""Every graph inside a model, with the types of the values that its nodes can see.

A node can stand in the main graph, in a branch of If, in the body of Loop or Scan, or in a
model-local function. In a function types depend on the call, so there is one scope for each call.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import ChainMap
from collections.abc import Iterator, Mapping, MutableSequence
from typing import Any

import onnx
from onnx import TensorProto, TypeProto, helper
from onnx.checker import ValidationError
from onnx.shape_inference import InferenceError

from sr_ops.errors import ModelError
from sr_ops.onnx.graphs.ir_version import DEFAULTS_IR_VERSION
from sr_ops.onnx.operators.schema import DOMAIN, OPERATORS, VERSION, registered_schemas

__all__ = [
    "Scope",
    "default_opset",
    "infer",
    "make_skeleton",
    "scopes",
    "tensor_dims",
    "tensor_dtype",
]

#: Shape inference may need the values of tensors up to this size (sizes, scales, axes): elements.
_SMALL_TENSOR = 64

#: Shape inference follows the elements of vectors one by one, each with a name: not beyond this.
_LONG_VECTOR = 2**16

#: A bound on the work, far above what files have.
_MOST_KINDS_OF_CALLS = 4096

Types = Mapping[str, TypeProto]
Constants = Mapping[str, TensorProto]


@dataclasses.dataclass(frozen=True)
class Scope:
    """A list of nodes and what is known around it.

    Attributes:
        path: where it is, for people: "graph", "graph/If:then_branch", "function local::Block".
        nodes: of the model itself: changes change the model. The same list comes once for each
            call of a function.
        types: type of each visible value that has one.
        constants: initializers and Constant nodes that are visible, by value name; without
            defaults of inputs, which callers may replace.
        opset: version of the default domain.
        graph: whose nodes these are; None in a function.
        function: whose nodes these are; None outside of functions.
    """

    path: str
    nodes: MutableSequence[onnx.NodeProto]
    types: Types
    constants: Constants
    opset: int
    graph: onnx.GraphProto | None = None
    function: onnx.FunctionProto | None = None

    @property
    def key(self) -> object:
        """What tells one list of nodes from another: a function's is met at every call."""
        return self.path if self.function is not None else id(self)

    @functools.cached_property
    def producers(self) -> dict[str, int]:
        """Value -> position of the node that gives it, before any change."""
        return {name: i for i, node in enumerate(self.nodes) for name in node.output if name}


def default_opset(imports: Any) -> int:
    """Version of the default domain among opset imports; 0 where it is not imported."""
    return max((item.version for item in imports if item.domain in ("", "ai.onnx")), default=0)


def tensor_dtype(types: Types, name: str) -> int | None:
    """ONNX element type of a tensor; None where it is not known."""
    type_ = types.get(name)
    if type_ is None or not type_.HasField("tensor_type"):
        return None
    return type_.tensor_type.elem_type or None


def tensor_dims(types: Types, name: str) -> list[int | str | None] | None:
    """Extents of a tensor, each a number, a name or None; None where the rank is not known."""
    type_ = types.get(name)
    if type_ is None or not type_.tensor_type.HasField("shape"):
        return None
    # Some exporters write -1 for what they do not know.
    return [
        dim.dim_value if dim.HasField("dim_value") and dim.dim_value >= 0 else dim.dim_param or None
        for dim in type_.tensor_type.shape.dim
    ]


def infer(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of the model with inferred value_info, and without large initializers.

    Their types stay, as inputs of the graph, so that nothing is copied in proportion to the
    weights.

    Raises:
        ModelError: onnx finds the model inconsistent.
    """
    opset, known = default_opset(model.opset_import), onnx.defs.onnx_opset_version()
    if opset > known:
        raise ModelError(
            f"model: opset {opset} is newer than onnx {onnx.__version__}, which knows those up to "
            f"{known}: pip install --upgrade onnx"
        )
    skeleton = make_skeleton(model)
    try:
        with registered_schemas():
            return onnx.shape_inference.infer_shapes(skeleton, data_prop=True)
    except (InferenceError, ValidationError, RuntimeError) as error:
        raise ModelError(f"model: onnx's shape inference refuses it: {error}") from error


def make_skeleton(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of the model without large initializers, whose types stay as inputs of the graph.

    Without default values of inputs, too: shape inference would take them for constants.
    """
    skeleton = onnx.ModelProto(ir_version=model.ir_version)
    skeleton.opset_import.extend(model.opset_import)
    if all(item.domain != DOMAIN for item in model.opset_import):
        skeleton.opset_import.append(helper.make_opsetid(DOMAIN, VERSION))
    skeleton.functions.extend(model.functions)
    source, graph = model.graph, skeleton.graph
    graph.name = source.name
    graph.node.extend(source.node)
    graph.input.extend(source.input)
    graph.output.extend(source.output)
    graph.value_info.extend(source.value_info)
    graph.sparse_initializer.extend(source.sparse_initializer)
    inputs = {value.name for value in source.input}
    for tensor in source.initializer:
        is_input = tensor.name in inputs
        if _is_small(tensor) and not (is_input and model.ir_version >= DEFAULTS_IR_VERSION):
            graph.initializer.append(tensor)
        elif not is_input:
            graph.input.append(_type_alone(tensor))
    return skeleton


def _type_alone(tensor: TensorProto) -> onnx.ValueInfoProto:
    dims: list[int | None] = list(tensor.dims)
    if len(dims) == 1 and tensor.dims[0] > _LONG_VECTOR:
        dims = [None]
    return helper.make_tensor_value_info(tensor.name, tensor.data_type, dims)


def _is_small(tensor: TensorProto) -> bool:
    elements = 1
    for dim in tensor.dims:
        elements *= dim
    return elements <= _SMALL_TENSOR and tensor.data_location != TensorProto.EXTERNAL


def scopes(model: onnx.ModelProto) -> Iterator[Scope]:
    """Every scope of a model, outer ones first; functions once for each kind of call.

    Calls with the same types and constants are of one kind.

    The functions of our own operators are none: they are written, not edited.
    """
    inferred = infer(model)
    functions = {
        (item.domain, item.name): item
        for item in model.functions
        if not (item.domain == DOMAIN and item.name in OPERATORS)
    }
    root = Scope(
        "graph",
        model.graph.node,
        {},
        {},
        default_opset(model.opset_import),
        graph=model.graph,
    )
    yield from _Walk(model, functions).descend(root, inferred.graph)


class _Walk:
    """From scope to scope inside; every kind of call of a function is entered once."""

    def __init__(
        self, model: onnx.ModelProto, functions: Mapping[tuple[str, str], onnx.FunctionProto]
    ) -> None:
        self._model = model
        self._functions = functions
        self._entered: set[object] = set()

    def descend(self, scope: Scope, inferred: onnx.GraphProto) -> Iterator[Scope]:
        types = ChainMap(_types_of(inferred), dict(scope.types))
        constants = ChainMap(_constants_of(scope, self._model.ir_version), dict(scope.constants))
        scope = dataclasses.replace(scope, types=types, constants=constants)
        yield scope
        for node, twin in zip(list(scope.nodes), list(inferred.node), strict=True):
            for attribute, inferred_attribute in zip(node.attribute, twin.attribute, strict=True):
                if attribute.type == onnx.AttributeProto.GRAPH:
                    inner = dataclasses.replace(
                        scope,
                        path=f"{scope.path}/{node.name or node.op_type}:{attribute.name}",
                        nodes=attribute.g.node,
                        graph=attribute.g,
                    )
                    yield from self.descend(inner, inferred_attribute.g)
            function = self._functions.get((node.domain, node.op_type))
            if function is not None:
                yield from self._enter(function, node, scope)

    def _enter(
        self, function: onnx.FunctionProto, call: onnx.NodeProto, scope: Scope
    ) -> Iterator[Scope]:
        kind = _kind_of_call(function, call, scope)
        if kind in self._entered:
            return
        self._entered.add(kind)
        if len(self._entered) > _MOST_KINDS_OF_CALLS:
            raise ModelError(
                f"model: its functions are called in more than {_MOST_KINDS_OF_CALLS} ways, each "
                "with types of its own"
            )
        graph = onnx.GraphProto(name=function.name)
        graph.node.extend(function.node)
        constants = {}
        for name, argument in zip(function.input, call.input, strict=False):
            value = graph.input.add(name=name)
            if argument in scope.types:
                value.type.CopyFrom(scope.types[argument])
            if argument in scope.constants:
                constants[name] = scope.constants[argument]
        body = onnx.ModelProto(ir_version=self._model.ir_version, graph=graph)
        body.opset_import.extend(function.opset_import)
        body.functions.extend(self._model.functions)
        inner = Scope(
            f"function {function.domain}::{function.name}",
            function.node,
            {},
            constants,
            default_opset(function.opset_import),
            function=function,
        )
        yield from self.descend(inner, infer(body).graph)


def _kind_of_call(function: onnx.FunctionProto, call: onnx.NodeProto, scope: Scope) -> object:
    def of(name: str) -> tuple[bytes | None, bytes | None]:
        type_, constant = scope.types.get(name), scope.constants.get(name)
        if constant is not None and not _is_small(constant):
            constant = None
        return (
            None if type_ is None else type_.SerializeToString(deterministic=True),
            None if constant is None else constant.SerializeToString(deterministic=True),
        )

    return function.domain, function.name, tuple(of(name) for name in call.input)


def _types_of(graph: onnx.GraphProto) -> dict[str, TypeProto]:
    types = {
        value.name: value.type
        for group in (graph.value_info, graph.output, graph.input)
        for value in group
        if value.HasField("type")
    }
    for tensor in graph.initializer:
        types[tensor.name] = helper.make_tensor_type_proto(tensor.data_type, tensor.dims)
    return types


def _constants_of(scope: Scope, ir_version: int) -> dict[str, TensorProto]:
    constants: dict[str, TensorProto] = {}
    if scope.graph is not None:
        inputs = {value.name for value in scope.graph.input}
        if ir_version < DEFAULTS_IR_VERSION:
            inputs = set()
        constants.update((t.name, t) for t in scope.graph.initializer if t.name not in inputs)
    for node in scope.nodes:
        if node.op_type == "Constant" and node.domain in ("", "ai.onnx"):
            tensor = _constant_value(node)
            if tensor is not None:
                constants[node.output[0]] = tensor
    return constants


def _constant_value(node: onnx.NodeProto) -> TensorProto | None:
    for attribute in node.attribute:
        if attribute.ref_attr_name:
            continue
        value: Any = helper.get_attribute_value(attribute)
        if attribute.name == "value" and isinstance(value, TensorProto):
            return value
        if attribute.name in ("value_float", "value_int"):
            dtype = TensorProto.FLOAT if attribute.name == "value_float" else TensorProto.INT64
            return helper.make_tensor("", dtype, [], [value])
        if attribute.name in ("value_floats", "value_ints"):
            dtype = TensorProto.FLOAT if attribute.name == "value_floats" else TensorProto.INT64
            return helper.make_tensor("", dtype, [len(value)], list(value))
    return None
