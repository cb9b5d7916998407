"""The operator in standard ONNX: one ``Resize`` and what it lacks, or matrix products.

Written once, for whoever writes graphs: a :class:`GraphWriter` turns it into nodes of a function
body, of torch's exporters or of an existing model.

ONNX Runtime's cubic ``Resize`` computes float32 (and float16, in float16); it refuses float64 and
bfloat16, fails on integers, and takes 2 or 4 axes. So other types are cast to float32 and back,
integers are rounded and clamped first, and other ranks are folded into four axes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import numpy as np
import onnx
from onnx import TensorProto

from sr_ops import _arguments
from sr_ops.errors import InvalidArgumentError, InvalidTypeError, ModelError
from sr_ops.onnx.operators.graph_writer import GraphWriter, ShapeWriter
from sr_ops.onnx.operators.matmul_form import upscale_by_matmul
from sr_ops.onnx.operators.pillow_form import upscale_as_pillow
from sr_ops.onnx.operators.schema import FLOAT_TYPES, INTEGER_RANGES

__all__ = [
    "MINIMUM_OPSET",
    "MIXED_FLOATS_OPSET",
    "attribute_values",
    "check_opset",
    "common_dtype",
    "full_scales",
    "full_sizes",
    "restore_type",
    "upscale",
]

#: Resize learned the cubic mode in this version of the default domain.
MINIMUM_OPSET = 11
#: CastLike, which lets one form serve several floating-point types, came with this version.
MIXED_FLOATS_OPSET = 15

Value = TypeVar("Value")


def attribute_values(
    mode: int, cubic_coeff_a: float, antialias: bool, exclude_outside: bool, rounding: int = 0
) -> dict[str, Any]:
    """The attributes of ``Resize`` and of our operators, from the arguments of a torch operator.

    Args:
        mode: index into ``COORDINATE_TRANSFORMATION_MODES``, as it crosses into native code.
        cubic_coeff_a, antialias, exclude_outside: as in ``dynamic_upscale``.
        rounding: index into ``ROUNDINGS``.
    """
    attributes: dict[str, Any] = {
        "coordinate_transformation_mode": _arguments.COORDINATE_TRANSFORMATION_MODES[mode],
        "cubic_coeff_a": float(cubic_coeff_a),
        "exclude_outside": int(exclude_outside),
    }
    # Left out where it is at its default: before opset 18, Resize does not have it.
    if antialias:
        attributes["antialias"] = 1
    # Likewise: no Resize has it.
    if rounding:
        attributes["rounding"] = _arguments.ROUNDINGS[rounding]
    return attributes


def common_dtype(dtypes: Collection[int], opset: int, refusal: str) -> int | None:
    """The element type that one form is written for; None: for any floating-point type.

    Args:
        dtypes: ONNX element types of the images that the form meets.
        opset: version of the default domain.
        refusal: what the ModelError says where no single form serves; ``{types}`` stands for them.
    """
    if len(dtypes) == 1:
        return next(iter(dtypes))
    if set(dtypes) <= set(FLOAT_TYPES) and opset >= MIXED_FLOATS_OPSET:
        return None
    names = ", ".join(sorted(onnx.TensorProto.DataType.Name(dtype) for dtype in dtypes))
    raise ModelError(refusal.format(types=names))


def check_opset(opset: int, attributes: Mapping[str, Any], form: str = "Resize") -> None:
    """Refuse attributes that ``Resize`` of this opset version does not have.

    The form of matrix products knows them all, from the same opset on.
    """
    if opset < MINIMUM_OPSET:
        raise ModelError(
            f"opset_version: got {opset}, but Resize knows the cubic mode from {MINIMUM_OPSET} on"
        )
    if form == "MatMul":
        return
    needs = 18 if attributes.get("antialias") else 0
    what = "antialias=1"
    if attributes.get("coordinate_transformation_mode") == "half_pixel_symmetric":
        needs, what = 19, "coordinate_transformation_mode='half_pixel_symmetric'"
    if opset < needs:
        raise ModelError(f"opset_version: {what} needs opset {needs} or later, got {opset}")


def full_scales(writer: GraphWriter[Value], scales: Value, elements: int | None) -> Value:
    """[1, 1, scale_h, scale_w] from float32 scales of 1, 2 or 4 elements (None: not known)."""
    form = ShapeWriter(writer)
    if elements == 4:
        return scales
    if elements is None:
        scales = form.last_two(scales)
    if elements != 2:
        scales = writer.op("Expand", scales, form.ints(2))
    return form.concat(writer.constant(np.ones(2, dtype=np.float32)), scales)


def full_sizes(writer: GraphWriter[Value], x: Value, sizes: Value) -> Value:
    """Sizes of all of x's axes from (height, width)."""
    form = ShapeWriter(writer)
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
    form: str = "Resize",
    widen_scales: bool = False,
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
        form: ``"Resize"``, or ``"MatMul"``, which takes every form of x, scales and sizes.
        widen_scales: the scales may be of another type than float32, which is all that these nodes
            multiply by.
    """
    if widen_scales and scales is not None:
        scales = writer.op("Cast", scales, to=TensorProto.FLOAT)
    if attributes.get("rounding", _arguments.DEFAULT_ROUNDING) == "pillow":
        _check_pillow(dtype, attributes, form)
        return upscale_as_pillow(writer, x, scales=scales, sizes=sizes)
    attributes = {k: v for k, v in attributes.items() if k != "rounding"}
    source = x
    # Resize computes in float32 only.
    computed = TensorProto.FLOAT
    if form == "MatMul" and dtype == TensorProto.DOUBLE:
        computed = TensorProto.DOUBLE
    if dtype != computed:
        x = writer.op("Cast", x, to=computed)
    if form == "MatMul":
        y = upscale_by_matmul(
            writer, x, scales=scales, sizes=sizes, dtype=computed, attributes=attributes
        )
    elif fold:
        y = _folded_resize(writer, x, scales, sizes, attributes)
    else:
        y = _resize(writer, x, scales, sizes, attributes)
    if dtype is None:
        return writer.op("CastLike", y, source)
    return y if dtype == computed else restore_type(writer, y, dtype)


def _check_pillow(dtype: int | None, attributes: Mapping[str, Any], form: str) -> None:
    if form != "MatMul":
        raise ModelError(
            "rounding: got 'pillow', which Resize cannot express; write op='MatMul' or "
            "op='DynamicUpscale', or use 'exact'"
        )
    name = "any floating-point type" if dtype is None else onnx.TensorProto.DataType.Name(dtype)
    mode = attributes.get("coordinate_transformation_mode", "half_pixel")
    a = attributes.get("cubic_coeff_a", _arguments.DEFAULT_CUBIC_COEFF_A)
    try:
        _arguments.check_rounding(
            _arguments.parse_rounding("pillow"),
            name.lower(),
            _arguments.parse_mode(mode),
            _arguments.float32(a),
        )
    except (InvalidArgumentError, InvalidTypeError) as error:
        raise ModelError(f"model: {error}") from error


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
    form = ShapeWriter(writer)
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
