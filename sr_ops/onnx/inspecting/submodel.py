"""Parts of a model, and inner values made visible: for debugging.

``onnx.utils.Extractor`` does the cutting. It overlooks what the branches of If and the bodies of
Loop read and call, so it gets to see that as inputs of their nodes, for the while.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import onnx
import onnx.utils

from sr_ops.errors import InvalidArgumentError, InvalidTypeError, ModelError
from sr_ops.onnx.graphs.dimensions import add_value_info
from sr_ops.onnx.graphs.editing import names_read_by
from sr_ops.onnx.graphs.model_files import copied, load_model
from sr_ops.onnx.graphs.scopes import infer
from sr_ops.onnx.graphs.soundness import sound_or_model_error

__all__ = ["expose", "extract"]

Model = str | os.PathLike[str] | onnx.ModelProto


@sound_or_model_error()
def extract(model: Model, inputs: Sequence[str], outputs: Sequence[str]) -> onnx.ModelProto:
    """The part of a model between named values, as a model of its own.

    Args:
        model: a path, or a model, which stays as it is.
        inputs: values that become the inputs.
        outputs: values that become the outputs.

    Returns:
        A model that computes ``outputs`` from ``inputs``; functions come with it.

    Raises:
        InvalidArgumentError: no value has one of the names, or ``outputs`` need more than
            ``inputs``.
        ModelError: not an ONNX model, or one that onnx's Extractor refuses (sparse weights).
        FileError: the file cannot be read.

    >>> text = (
    ...     '<ir_version: 8, opset_import: ["": 18]> graph (float[N] x) => (float[N] y) '
    ...     "{ a = Relu(x) b = Exp(a) y = Neg(b) }"
    ... )
    >>> part = extract(onnx.parser.parse_model(text), ["a"], ["b"])
    >>> [node.op_type for node in part.graph.node]
    ['Exp']
    """
    whole = load_model(model)
    known = _all_names(whole.graph)
    _check_names("inputs", inputs, known)
    _check_names("outputs", outputs, known)
    result = _cut(whole, list(inputs), list(outputs))
    given = _all_names(result.graph)
    read = set(outputs).union(*map(_names_read_by, result.graph.node))
    missing = sorted(read - given)
    if missing:
        raise InvalidArgumentError(
            f"inputs: the outputs also need {', '.join(map(repr, missing))}; add them"
        )
    add_value_info(result)
    return result


def _cut(model: onnx.ModelProto, inputs: list[str], outputs: list[str]) -> onnx.ModelProto:
    seen = onnx.ModelProto()
    seen.CopyFrom(model)
    captured = {}
    for node in seen.graph.node:
        outer = sorted(_names_read_by(node) - set(node.input))
        node.input.extend(outer)
        captured[tuple(node.output)] = len(outer)
    types = _types(model)
    names = dict.fromkeys([*types, *inputs, *outputs])
    del seen.graph.value_info[:]
    seen.graph.value_info.extend(types.get(name) or _untyped(name) for name in names)
    try:
        result = onnx.utils.Extractor(seen).extract_model(inputs, outputs)
    except ValueError as error:  # sparse weights, or annotations of quantization
        raise ModelError(f"model: onnx cannot take it apart: {error}") from error
    for node in result.graph.node:
        del node.input[len(node.input) - captured[tuple(node.output)] :]
    result.graph.name = model.graph.name
    result.producer_name = model.producer_name
    del result.functions[:]
    result.functions.extend(_called_functions(model, result.graph.node))
    return result


def _names_read_by(node: onnx.NodeProto) -> set[str]:
    """What a node and its inner graphs read from outside."""
    return names_read_by([node]) - {""} - _names_given_inside(node)


def _names_given_inside(node: onnx.NodeProto) -> set[str]:
    """Values that the inner graphs of a node make for themselves."""
    names: set[str] = set()
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            names |= _all_names(attribute.g)
            for inner in attribute.g.node:
                names |= _names_given_inside(inner)
    return names


def _called_functions(
    model: onnx.ModelProto, nodes: Iterable[onnx.NodeProto]
) -> list[onnx.FunctionProto]:
    functions = {(item.domain, item.name): item for item in model.functions}
    called: dict[tuple[str, str], onnx.FunctionProto] = {}
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        key = (node.domain, node.op_type)
        if key in functions and key not in called:
            called[key] = functions[key]
            waiting.extend(functions[key].node)
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                waiting.extend(attribute.g.node)
    return list(called.values())


@sound_or_model_error()
def expose(model: Model, names: Iterable[str]) -> onnx.ModelProto:
    """A model with inner values as further outputs.

    Args:
        model: a path, or a model, which stays as it is.
        names: values of the main graph.

    Returns:
        The new model; outputs that it had come first.

    Raises:
        InvalidArgumentError: no value has one of the names.
        ModelError: not an ONNX model.
        FileError: the file cannot be read.

    >>> text = (
    ...     '<ir_version: 8, opset_import: ["": 18]> graph (float[N] x) => (float[N] y) '
    ...     "{ a = Relu(x) y = Neg(a) }"
    ... )
    >>> [value.name for value in expose(onnx.parser.parse_model(text), ["a"]).graph.output]
    ['y', 'a']
    """
    result = copied(model)
    names = [names] if isinstance(names, str) else list(names)
    _check_names("names", names, _all_names(result.graph))
    types = _types(result)
    present = {value.name for value in result.graph.output}
    for name in dict.fromkeys(names):
        if name not in present:
            result.graph.output.append(types.get(name) or _untyped(name))
    return result


def _types(model: onnx.ModelProto) -> dict[str, onnx.ValueInfoProto]:
    inferred = infer(model).graph
    groups = (inferred.value_info, inferred.input, inferred.output)
    return {value.name: value for group in groups for value in group}


def _untyped(name: str) -> onnx.ValueInfoProto:
    return onnx.ValueInfoProto(name=name)


def _all_names(graph: onnx.GraphProto) -> set[str]:
    names = {value.name for value in graph.input}
    names.update(tensor.name for tensor in graph.initializer)
    for node in graph.node:
        names.update(filter(None, node.output))
    return names


def _check_names(argument: str, names: Sequence[str], known: set[str]) -> None:
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise InvalidTypeError(f"{argument}: got {names!r}, expected a list of names")
    missing = sorted(set(names) - known)
    if missing:
        raise InvalidArgumentError(
            f"{argument}: the model has no value called {', '.join(map(repr, missing))}; "
            "sr_ops.onnx.inspect and netron show the names"
        )
