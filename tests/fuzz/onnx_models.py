"""Tools for ONNX models, on sound models with a few fields changed, or on any bytes.

Fields of any message of the model are changed, cleared, doubled, or taken from another message of
the same kind. Each tool gives a result or an error of ours, and leaves what it was given as it was.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
from fuzz.choices import Choices
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError

import sr_ops.onnx
from sr_ops.errors import SrOpsError
from sr_ops.onnx.graphs.model_files import copied
from sr_ops.onnx.graphs.soundness import check_sound

LONGEST = 1 << 12  # bytes

_FILE = Path(tempfile.mkdtemp(prefix="sr_ops_fuzz_")) / "model.onnx"

_TEXTS = (
    # A cubic Resize with constant scales, a convolution, an If.
    '<ir_version: 8, opset_import: ["": 18]> '
    "graph (float[1,3,8,9] x, bool c) => (float[N,C,h,w] y) "
    "<float[4] s = {1, 1, 2, 2}, float[3,3,1,1] w = {1, 0, 0, 0, 1, 0, 0, 0, 1}> "
    '{ a = Conv(x, w) b = Resize<mode = "cubic", cubic_coeff_a = -0.5>(a, , s) '
    "y = If(c) <then_branch = t () => (float[N,C,h,w] u) { u = Relu(b) }, "
    "else_branch = e () => (float[N,C,h,w] v) { v = Neg(b) }> }",
    # Sizes that are computed, antialias, a loop.
    '<ir_version: 9, opset_import: ["": 19]> graph (uint8[N,3,H,W] x) => (float[N,3,h,w] y) '
    "<int64[1] z = {0}, int64[4] k = {1, 1, 3, 3}, int64 n = {2}, bool g = {1}> "
    "{ a = Cast<to = 1>(x) d = Shape(a) e = Mul(d, k) "
    'b = Resize<mode = "cubic", antialias = 1, exclude_outside = 1>(a, , , e) '
    "y = Loop(n, g, b) <body = o (int64 i, bool q, float[N,3,h,w] p) => (bool r, float[N,3,h,w] t) "
    "{ r = Identity(q) t = Relu(p) }> }",
    # A function of the model, called twice.
    '<ir_version: 8, opset_import: ["": 17, "local": 1]> '
    "graph (float[1,3,8,9] x) => (float[N,C,h,w] y) { a = local.up(x) y = local.up(a) } "
    '<domain: "local", opset_import: ["": 17]> up (x) => (y) '
    '{ s = Constant<value = float[4] {1.0, 1.0, 1.5, 1.5}>() y = Resize<mode = "cubic">(x, , s) }',
    # Depth to space, nearest, an old Upsample-like Resize with a region of interest.
    '<ir_version: 7, opset_import: ["": 11]> graph (float[1,12,8,9] x) => (float[N,C,h,w] y) '
    "<float[4] s = {1, 1, 3, 3}, float[0] roi = {}> { a = DepthToSpace<blocksize = 2>(x) "
    'b = Resize<mode = "cubic", coordinate_transformation_mode = "align_corners">(a, roi, s) '
    'y = Resize<mode = "nearest">(b, roi, s) }',
)


@functools.cache
def _bases() -> list[onnx.ModelProto]:
    sound = [onnx.parser.parse_model(text) for text in _TEXTS]
    return [*sound, *(sr_ops.onnx.accelerate(model) for model in sound[:3])]


TOOLS: tuple[Callable[[onnx.ModelProto], Any], ...] = (
    lambda m: str(sr_ops.onnx.inspect(m)),
    lambda m: sr_ops.onnx.inspect(m).svg(),
    lambda m: sr_ops.onnx.inspect(m).as_dict(),
    sr_ops.onnx.accelerate,
    sr_ops.onnx.standardize,
    lambda m: sr_ops.onnx.standardize(m, op="MatMul"),
    sr_ops.onnx.make_dynamic,
    lambda m: sr_ops.onnx.extract(m, ["x"], ["b"]),
    lambda m: sr_ops.onnx.expose(m, ["b"]),
    lambda m: sr_ops.onnx.add_functions(copied(m)),  # which changes what it is given
    sr_ops.onnx.explain,
)
_NAMES = ("", "x", "y", "a", "b", "s", "w", "k", "Resize", "cubic", "mode", "Shape", "Constant")
_NAMES += ("sr_ops", "DynamicUpscale", "DynamicUpscaleToSizes", "local", "up", "If", "\0", "é")


def _messages(message: Any) -> list[Any]:
    found = [message]
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for item in value if hasattr(value, "__len__") else [value]:
                found += _messages(item)
    return found


def _value(choices: Choices, field: FieldDescriptor) -> Any:
    kind = field.type
    if kind == FieldDescriptor.TYPE_STRING:
        return choices.pick(_NAMES) if choices.flag() else choices.text()
    if kind == FieldDescriptor.TYPE_BYTES:
        return choices.pick(_NAMES).encode() if choices.flag() else choices.short()
    if kind in (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE):
        return choices.pick((0.0, 1.0, -0.5, 2.5, 1e-30, 3e38, float("inf"), float("nan")))
    if kind == FieldDescriptor.TYPE_ENUM:
        return choices.pick([value.number for value in field.enum_type.values])
    bits = 63 if kind in (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_UINT64) else 31
    number = min(choices.number(), 2**bits - 1)
    return abs(number) if kind == FieldDescriptor.TYPE_UINT64 else max(number, -(2**bits))


def _edit(choices: Choices, messages: list[Any]) -> None:
    message = choices.pick(messages)
    field = choices.pick(message.DESCRIPTOR.fields)
    present = getattr(message, field.name)
    repeated = hasattr(present, "append")
    if choices.flag(4):
        message.ClearField(field.name)
    elif field.type == FieldDescriptor.TYPE_MESSAGE:
        alike = [m for m in messages if m.DESCRIPTOR is field.message_type]
        if alike:  # a copy: it may hold the message itself
            other = type(alike[0]).FromString(choices.pick(alike).SerializeToString())
            target = present.add() if repeated else present
            target.CopyFrom(other)
    elif not repeated:
        setattr(message, field.name, _value(choices, field))
    elif len(present) and choices.flag():
        present[choices.below(len(present))] = _value(choices, field)
    elif len(present) and choices.flag():
        present.pop(choices.below(len(present)))
    else:
        present.append(_value(choices, field))


def _model(choices: Choices) -> onnx.ModelProto:
    model = onnx.ModelProto()
    model.CopyFrom(choices.pick(_bases()))
    for _ in range(1 + choices.below(4)):
        _edit(choices, _messages(model))
    return model


def run(data: bytes) -> None:
    choices = Choices(data)
    tool = choices.pick(TOOLS)
    if choices.flag(16):
        _FILE.write_bytes(choices.rest())
        given: Any = _FILE
    else:
        given = _model(choices)
        try:
            before = given.SerializeToString(deterministic=True)
        except (DecodeError, UnicodeError):
            return
    try:
        result = tool(given)
    except SrOpsError as error:
        assert len(str(error)) < 4000, "a message without end"
    else:
        if isinstance(result, onnx.ModelProto):
            check_sound(result)
    if isinstance(given, onnx.ModelProto):
        assert given.SerializeToString(deterministic=True) == before, "the model was changed"
