"""The operator in standard ONNX: one ``Resize`` and what ``Resize`` lacks.

Written once, for whoever writes graphs: a :class:`GraphWriter` turns it into nodes of a function
body, of torch's exporters or of an existing model.

ONNX Runtime's cubic ``Resize`` computes float32 (and float16, in float16); it refuses float64 and
bfloat16, fails on integers, and takes 2 or 4 axes. So other types are cast to float32 and back,
integers are rounded and clamped first, and other ranks are folded into four axes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import onnx
from onnx import TensorProto

from sr_ops.errors import ModelError
from sr_ops.onnx.schema import FLOAT_TYPES, INTEGER_RANGES

__all__ = [
    "MINIMUM_OPSET",
    "GraphWriter",
    "check_opset",
    "full_scales",
    "full_sizes",
    "restore_type",
    "upscale",
]

#: Resize learned the cubic mode in this version of the default domain.
MINIMUM_OPSET = 11

Value = TypeVar("Value")
_INT64_MAX = np.iinfo(np.int64).max


class GraphWriter(Protocol[Value]):
    """Where nodes go."""

    opset: int

    def op(self, op_type: str, *inputs: Value | None, **attributes: Any) -> Value:
        """Append a node of the default domain; a None input is an omitted one."""

    def constant(self, array: np.ndarray[Any, Any]) -> Value:
        """Append a constant."""


def check_opset(opset: int, attributes: Mapping[str, Any]) -> None:
    """Refuse attributes that ``Resize`` of this opset version does not have."""
    if opset < MINIMUM_OPSET:
        raise ModelError(
            f"opset_version: got {opset}, but Resize knows the cubic mode from {MINIMUM_OPSET} on"
        )
    needs = 18 if attributes.get("antialias") else 0
    what = "antialias=1"
    if attributes.get("coordinate_transformation_mode") == "half_pixel_symmetric":
        needs, what = 19, "coordinate_transformation_mode='half_pixel_symmetric'"
    if opset < needs:
        raise ModelError(f"opset_version: {what} needs opset {needs} or later, got {opset}")


class _Form(Generic[Value]):
    """The handful of shape computations that the forms below share."""

    def __init__(self, writer: GraphWriter[Value]) -> None:
        self.writer = writer

    def ints(self, *values: int) -> Value:
        return self.writer.constant(np.array(values, dtype=np.int64))

    def slice(self, vector: Value, start: int, end: int) -> Value:
        return self.writer.op("Slice", vector, self.ints(start), self.ints(end), self.ints(0))

    def concat(self, *vectors: Value) -> Value:
        return self.writer.op("Concat", *vectors, axis=0)

    def last_two(self, vector: Value) -> Value:
        return self.slice(vector, -2, _INT64_MAX)

    def leading(self, vector: Value) -> Value:
        return self.slice(vector, 0, -2)

    def reshape(self, x: Value, shape: Value) -> Value:
        # From 14 on a 0 can mean 0 elements; before, it copies the source's extent.
        allow = {"allowzero": 1} if self.writer.opset >= 14 else {}
        return self.writer.op("Reshape", x, shape, **allow)


def full_scales(writer: GraphWriter[Value], scales: Value, elements: int | None) -> Value:
    """[1, 1, scale_h, scale_w] from float32 scales of 1, 2 or 4 elements (None: not known)."""
    form = _Form(writer)
    if elements == 4:
        return scales
    if elements is None:
        scales = form.last_two(scales)
    if elements != 2:
        scales = writer.op("Expand", scales, form.ints(2))
    return form.concat(writer.constant(np.ones(2, dtype=np.float32)), scales)


def full_sizes(writer: GraphWriter[Value], x: Value, sizes: Value) -> Value:
    """Sizes of all of x's axes from (height, width)."""
    form = _Form(writer)
    return form.concat(form.leading(writer.op("Shape", x)), sizes)


def upscale(
    writer: GraphWriter[Value],
    x: Value,
    *,
    scales: Value | None = None,
    sizes: Value | None = None,
    dtype: int | None,
    attributes: Mapping[str, Any],
    fold: bool = False,
) -> Value:
    """Write the operator.

    Args:
        writer: where the nodes go.
        x: the image.
        scales, sizes: exactly one of them: an element for each axis of x, or, with ``fold``, any
            form that the operator takes.
        dtype: ONNX element type of x; None for any of the floating-point types, where the nodes
            must serve several (needs opset 15).
        attributes: of ``Resize``; the values are handed to the writer as they are.
        fold: bring an x of 2, 3 or 4 axes to four and back; what ``Resize`` takes needs no folding.
    """
    source = x
    if dtype != TensorProto.FLOAT:
        x = writer.op("Cast", x, to=TensorProto.FLOAT)
    if fold:
        y = _folded_resize(writer, x, scales, sizes, attributes)
    else:
        y = _resize(writer, x, scales, sizes, attributes)
    if dtype is None:
        return writer.op("CastLike", y, source)
    return y if dtype == TensorProto.FLOAT else restore_type(writer, y, dtype)


def _resize(
    writer: GraphWriter[Value],
    x: Value,
    scales: Value | None,
    sizes: Value | None,
    attributes: Mapping[str, Any],
) -> Value:
    # Until 13 roi and scales were not optional: an empty tensor stands for "not given".
    empty = None
    if writer.opset < 13:
        empty = writer.constant(np.zeros(0, dtype=np.float32))
    if sizes is None:
        return writer.op("Resize", x, empty, scales, mode="cubic", **attributes)
    return writer.op("Resize", x, empty, empty, sizes, mode="cubic", **attributes)


def _folded_resize(
    writer: GraphWriter[Value],
    x: Value,
    scales: Value | None,
    sizes: Value | None,
    attributes: Mapping[str, Any],
) -> Value:
    form = _Form(writer)
    shape = writer.op("Shape", x)
    leading = form.leading(shape)
    planes = writer.op("ReduceProd", form.concat(form.ints(1), leading), keepdims=1)
    outer = form.concat(planes, form.ints(1))
    folded = form.reshape(x, form.concat(outer, form.last_two(shape)))
    if scales is not None:
        scales = full_scales(writer, scales, None)
    if sizes is not None:
        sizes = form.concat(outer, form.last_two(sizes))
    y = _resize(writer, folded, scales, sizes, attributes)
    return form.reshape(y, form.concat(leading, form.last_two(writer.op("Shape", y))))


def restore_type(
    writer: GraphWriter[Value], y: Value, dtype: int, computed: int = TensorProto.FLOAT
) -> Value:
    """A result that was computed in a floating-point type, in the element type of the image."""
    if dtype in INTEGER_RANGES:
        if computed != TensorProto.FLOAT:
            y = writer.op("Cast", y, to=TensorProto.FLOAT)
        # Round is to the nearest even where two are equally near.
        bounds = (writer.constant(np.float32(bound)) for bound in INTEGER_RANGES[dtype])
        y = writer.op("Clip", writer.op("Round", y), *bounds)
    elif dtype not in FLOAT_TYPES:
        raise ModelError(f"X: got {onnx.TensorProto.DataType.Name(dtype)}, which sr_ops lacks")
    return writer.op("Cast", y, to=dtype)
