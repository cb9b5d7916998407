"""Whether a model holds together, before anything looks into it.

onnx's own classes find a fault when a field is read, wherever that happens to be, and report it as
whatever Python's conversion raised. Here every field that the tools read is looked at once, and a
fault is a ModelError that names the tensor or the node.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterable, Iterator
from typing import Any

import onnx
from google.protobuf.message import Error as ProtobufError  # type: ignore[import-untyped]
from onnx import TensorProto, helper
from onnx.checker import ValidationError
from onnx.shape_inference import InferenceError

from sr_ops.errors import ModelError, SrOpsError

__all__ = ["check_data_files", "check_sound", "check_tensor", "sound_or_model_error"]

#: Graphs inside nodes inside graphs …: levels. protobuf itself reads no more than about thirty.
_DEEPEST = 32

#: No array of a process has more elements.
_MOST_ELEMENTS = 2**48

#: The bytes of larger tensors are not copied to be counted: their message's size must do. Bytes.
_COUNTED = 2**20

#: Functions that call functions …: nodes of the model with every call written out. Any model may
#: have so many; a larger one, so many for each node that its file holds; and none more than that.
#: ONNX Runtime writes calls out: seconds for the first number, minutes for the last.
_EXPANDED_ANYWAY, _MOST_EXPANDED, _MOST_EXPANDED_NODES = 2**14, 64, 2**18

_ELEMENT_TYPES = frozenset(TensorProto.DataType.values()) - {TensorProto.UNDEFINED}
#: Bytes of an element; text has none. The 8-bit floating-point types are all that is not named.
_ITEM_SIZES: dict[int, int | None] = {
    TensorProto.STRING: None,
    **dict.fromkeys((TensorProto.UINT16, TensorProto.INT16), 2),
    **dict.fromkeys((TensorProto.FLOAT16, TensorProto.BFLOAT16), 2),
    **dict.fromkeys((TensorProto.FLOAT, TensorProto.INT32, TensorProto.UINT32), 4),
    **dict.fromkeys((TensorProto.DOUBLE, TensorProto.INT64, TensorProto.UINT64), 8),
    TensorProto.COMPLEX64: 8,
    TensorProto.COMPLEX128: 16,
}
#: Elements in one byte, for the types that share bytes.
_PER_BYTE = {
    number: per_byte
    for name, number in TensorProto.DataType.items()
    for ending, per_byte in (("INT4", 2), ("FLOAT4E2M1", 2), ("INT2", 4))
    if name.endswith(ending)
}

_FOREIGN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    InferenceError,
    LookupError,
    MemoryError,
    ProtobufError,
    RuntimeError,  # RecursionError, too
    TypeError,
    ValidationError,
    ValueError,  # UnicodeError, too
)


@contextlib.contextmanager
def sound_or_model_error() -> Iterator[None]:
    """What onnx, protobuf or numpy raise about a model's content is a ModelError; for a tool."""
    try:
        yield
    except SrOpsError:
        raise
    except _FOREIGN as error:
        first_line = next(iter(str(error).splitlines()), "")
        raise ModelError(
            f"model: does not hold together: {type(error).__name__}: {first_line}"
        ) from error


def check_sound(model: onnx.ModelProto) -> None:
    """Check every field that the tools read.

    Raises:
        ModelError: names that are not UTF-8 or hold a NUL; tensors whose element type does not
            exist, whose extents are negative or absurd, or whose data do not fit them; graphs that
            are nested too deeply; functions that call themselves, or one another too often.
    """
    _check_text("model", (model.producer_name, model.producer_version, model.domain))
    for item in model.opset_import:
        _check_text("opset_import", (item.domain,))
    calls: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for function in model.functions:
        key = (function.domain, function.name)
        names = (*key, *function.input, *function.output, *function.attribute)
        _check_text("a function", names)
        for item in function.opset_import:
            _check_text(f"function {function.name!r}", (item.domain,))
        calls[key] = list(_check_nodes(function.node, 0))
    _check_expansion(calls, list(_check_graph(model.graph, 0)))


def _check_text(what: str, names: Iterable[str | bytes]) -> None:
    for name in names:
        if isinstance(name, bytes):  # protobuf's way to hand out what is not UTF-8
            raise ModelError(f"model: {what} has a name that is not UTF-8: {name[:40]!r}")
        if "\0" in name:
            raise ModelError(f"model: {what} has a name with a NUL in it: {name!r}")


def _check_graph(graph: onnx.GraphProto, depth: int) -> Iterator[tuple[str, str]]:
    """Check a graph and those inside it; yields (domain, op_type) of every node."""
    if depth > _DEEPEST:
        raise ModelError(f"model: its graphs are nested more than {_DEEPEST} deep")
    _check_text("a graph", (graph.name,))
    for value in (*graph.input, *graph.output, *graph.value_info):
        _check_value(value)
    for tensor in graph.initializer:
        check_tensor(tensor)
    for sparse in graph.sparse_initializer:
        _check_sparse(sparse)
    yield from _check_nodes(graph.node, depth)


def _check_nodes(nodes: Iterable[onnx.NodeProto], depth: int) -> Iterator[tuple[str, str]]:
    for node in nodes:
        _check_text("a node", (node.name, node.op_type, node.domain, *node.input, *node.output))
        yield node.domain, node.op_type
        for attribute in node.attribute:
            _check_text(f"node {node.name!r}", (attribute.name, attribute.ref_attr_name))
            yield from _check_attribute(attribute, node, depth)


def _check_attribute(
    attribute: onnx.AttributeProto, node: onnx.NodeProto, depth: int
) -> Iterator[tuple[str, str]]:
    where = f"attribute {attribute.name!r} of node {node.name or node.op_type!r}"
    for text in (attribute.s, *attribute.strings):
        _check_utf8(text, where, node)
    if attribute.HasField("t"):
        check_tensor(attribute.t, where)
    for tensor in attribute.tensors:
        check_tensor(tensor, where)
    if attribute.HasField("sparse_tensor"):
        _check_sparse(attribute.sparse_tensor, where)
    for sparse in attribute.sparse_tensors:
        _check_sparse(sparse, where)
    if attribute.HasField("g"):
        yield from _check_graph(attribute.g, depth + 1)
    for graph in attribute.graphs:
        yield from _check_graph(graph, depth + 1)


def _check_utf8(text: bytes, where: str, node: onnx.NodeProto) -> None:
    """Attributes of the standard operators are text; others' may be any bytes."""
    if node.domain not in ("", "ai.onnx") or node.op_type == "Constant":
        return
    try:
        text.decode()
    except UnicodeDecodeError:
        raise ModelError(f"model: {where} is not UTF-8: {text[:40]!r}") from None


def _check_value(value: onnx.ValueInfoProto) -> None:
    _check_text("a value", (value.name,))
    dims = value.type.tensor_type.shape.dim
    _check_text(f"the shape of {value.name!r}", (dim.dim_param for dim in dims))
    if value.type.HasField("tensor_type"):
        _check_element_type(f"value {value.name!r}", value.type.tensor_type.elem_type, known=False)


def _check_element_type(what: str, elem_type: int, *, known: bool = True) -> None:
    if elem_type in _ELEMENT_TYPES or (not known and elem_type == TensorProto.UNDEFINED):
        return
    raise ModelError(f"model: {what} has element type {elem_type}, which ONNX does not have")


def _check_sparse(sparse: onnx.SparseTensorProto, where: str | None = None) -> None:
    check_tensor(sparse.values, where)
    check_tensor(sparse.indices, where)


def check_tensor(tensor: TensorProto, where: str | None = None) -> None:
    """Check a tensor, which is called ``where``, or by its own name.

    Raises:
        ModelError: its element type does not exist, its extents are negative or absurd, or its data
            do not fit them.
    """
    _check_text("a tensor", (tensor.name,))
    what = where or f"tensor {tensor.name!r}"
    _check_element_type(what, tensor.data_type)
    dims = list(tensor.dims)
    elements = math.prod(dims)
    if any(dim < 0 for dim in dims) or elements > _MOST_ELEMENTS:
        raise ModelError(f"model: {what} has the extents {dims}, which no tensor can have")
    if tensor.HasField("segment"):
        raise ModelError(f"model: {what} is stored in segments, which nothing reads")
    size = _bytes(tensor.data_type, elements)
    if tensor.data_location == TensorProto.EXTERNAL:
        _check_external(tensor, what, size)
    elif tensor.HasField("raw_data"):
        _check_raw(tensor, what, size)
    else:
        _check_typed(tensor, what, elements)


def _bytes(data_type: int, elements: int) -> int | None:
    """Bytes that a tensor's elements take; None for text."""
    if data_type in _PER_BYTE:
        return -(-elements // _PER_BYTE[data_type])
    item_size = _ITEM_SIZES.get(data_type, 1)
    return None if item_size is None else elements * item_size


def _check_raw(tensor: TensorProto, what: str, size: int | None) -> None:
    held = tensor.ByteSize()
    if held <= _COUNTED:
        held = len(tensor.raw_data)
        fits = size == held
    else:  # with the names and the like
        fits = size is not None and size <= held <= size + _COUNTED
    if not fits:
        raise ModelError(
            f"model: {what} with the extents {list(tensor.dims)} takes {size} bytes, and has {held}"
        )


def _check_typed(tensor: TensorProto, what: str, elements: int) -> None:
    field = helper.tensor_dtype_to_field(tensor.data_type)
    numbers = elements
    if tensor.data_type in (TensorProto.COMPLEX64, TensorProto.COMPLEX128):
        numbers = 2 * elements
    elif tensor.data_type in _PER_BYTE:
        numbers = -(-elements // _PER_BYTE[tensor.data_type])
    held = len(getattr(tensor, field))
    if held != numbers:
        raise ModelError(
            f"model: {what} with the extents {list(tensor.dims)} takes {numbers} numbers in "
            f"{field}, and has {held}"
        )


def _check_external(tensor: TensorProto, what: str, size: int | None) -> None:
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    parts = location.replace("\\", "/").split("/")
    if not location or "\0" in location or location.startswith(("/", "\\")) or ".." in parts:
        raise ModelError(
            f"model: {what} has its data in {location!r}; expected a file in the model's folder"
        )
    for key in ("offset", "length"):
        text = entries.get(key, "0")
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            raise ModelError(f"model: {what} has its data at {key} {text[:40]!r}, not a number")
    length = int(entries.get("length", 0))
    if length and length != size:
        raise ModelError(
            f"model: {what} with the extents {list(tensor.dims)} takes {size} bytes, and its data "
            f"have the length {length}"
        )


def check_data_files(model: onnx.ModelProto, folder: str, *, needed: bool) -> None:
    """Check that the files beside a sound model hold what its weights take.

    Args:
        model: a sound one.
        folder: where the model's file is.
        needed: the weights are to be read: a file must be there.

    Raises:
        ModelError: a file is missing or too short.
    """
    for tensor in model.graph.initializer:
        if tensor.data_location == TensorProto.EXTERNAL:
            entries = {entry.key: entry.value for entry in tensor.external_data}
            path = os.path.join(folder, entries["location"])
            offset, length = int(entries.get("offset", 0)), int(entries.get("length", 0))
            taken = length or _bytes(tensor.data_type, math.prod(tensor.dims)) or 0
            try:
                held = os.stat(path).st_size
            except OSError as error:
                if not needed:
                    continue
                raise ModelError(
                    f"model: cannot read the weights of {tensor.name!r} in {path!r}: "
                    f"{error.strerror}"
                ) from error
            if offset + taken > held:
                raise ModelError(
                    f"model: the weights of {tensor.name!r} end at byte {offset + taken} of "
                    f"{path!r}, which has {held}"
                )


def _check_expansion(
    calls: dict[tuple[str, str], list[tuple[str, str]]], nodes: list[tuple[str, str]]
) -> None:
    """Refuse functions that call themselves, and those whose calls written out have no end."""
    sizes: dict[tuple[str, str], int] = {}
    for start in calls:
        _measure(start, calls, sizes)
    total = sum(sizes.get(node, 1) for node in nodes)
    stored = len(nodes) + sum(len(inner) for inner in calls.values())
    most = min(_MOST_EXPANDED_NODES, max(_EXPANDED_ANYWAY, _MOST_EXPANDED * stored))
    if total > most:
        raise ModelError(
            f"model: its functions call one another so often that it has {total} nodes with the "
            f"calls written out; at most {most} are looked at, of {stored} in the file"
        )


def _measure(
    start: tuple[str, str],
    calls: dict[tuple[str, str], list[tuple[str, str]]],
    sizes: dict[tuple[str, str], int],
) -> None:
    """Number of nodes of a function with every call in it written out."""
    open_calls: dict[tuple[str, str], None] = {}
    waiting: list[Any] = [start]
    while waiting:
        key = waiting[-1]
        if key in sizes:
            waiting.pop()
            open_calls.pop(key, None)
            continue
        missing = {name for name in calls[key] if name in calls and name not in sizes}
        if not missing:
            sizes[key] = 1 + sum(sizes.get(name, 1) for name in calls[key])
            continue
        open_calls[key] = None
        for name in missing:
            if name in open_calls:
                raise ModelError(f"model: function {'::'.join(name)} calls itself")
            waiting.append(name)
