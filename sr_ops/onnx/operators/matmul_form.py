"""The operator from matrix products: fast where the runtime's cubic ``Resize`` is not, or is wrong.

A separable resampling multiplies by one matrix along the columns and by one along the rows. These
matrices are banded: a block of consecutive outputs reads a short window of the source. So each pass
gathers the windows of all blocks and multiplies each by its block of weights, in one batched
MatMul. Windows, weights and sizes are computed in the graph, from the scale as an input, with
coordinates in float64.

Windows may reach beyond the image: their indices are clamped, so the edge is repeated as the
operator asks, and no weight has to be moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from onnx import TensorProto

from sr_ops import _arguments
from sr_ops.onnx.operators.graph_writer import GraphWriter, ShapeWriter

__all__ = ["COLUMNS", "ROWS", "Axis", "MatMulForm", "upscale_by_matmul"]

#: Outputs in a block: enough for the matrix product to be fast, few enough for short windows.
_BLOCK = 16

ROWS, COLUMNS = 0, 1

Value = TypeVar("Value")


class Axis(NamedTuple, Generic[Value]):
    """What a pass along one axis needs.

    Attributes:
        size: output size, (1,) int64.
        padded: number of blocks times outputs in a block, (1,) int64.
        weights: (blocks, outputs in a block, window).
        indices: (blocks, window) int64.
    """

    size: Value
    padded: Value
    weights: Value
    indices: Value


def upscale_by_matmul(
    writer: GraphWriter[Value],
    x: Value,
    *,
    scales: Value | None = None,
    sizes: Value | None = None,
    dtype: int = TensorProto.FLOAT,
    attributes: Mapping[str, Any],
) -> Value:
    """Write the operator.

    Args:
        writer: where the nodes go.
        x: the image, of 2 or more axes.
        scales, sizes: exactly one of them, in any form that the operator takes.
        dtype: ONNX element type of x: FLOAT or DOUBLE; the products are computed in it.
        attributes: of the operator, at other than default values at least.
    """
    return MatMulForm(writer, dtype, attributes).write(x, scales, sizes)


class MatMulForm(ShapeWriter[Value]):
    """Writes the operator; ``pillow_form`` refines it."""

    def __init__(
        self, writer: GraphWriter[Value], dtype: int, attributes: Mapping[str, Any]
    ) -> None:
        super().__init__(writer)
        self.dtype = dtype
        self.mode = attributes.get("coordinate_transformation_mode", "half_pixel")
        self.antialias = bool(attributes.get("antialias"))
        self.exclude_outside = bool(attributes.get("exclude_outside"))
        a = attributes.get("cubic_coeff_a", _arguments.DEFAULT_CUBIC_COEFF_A)
        self.a = self.of_dtype(_arguments.float32(a))

    def write(self, x: Value, scales: Value | None, sizes: Value | None) -> Value:
        """Write all nodes."""
        shape = self.op("Shape", x)
        leading, image = self.leading(shape), self.last_two(shape)
        planes = self.op("ReduceProd", self.concat(self.ints(1), leading), keepdims=1)
        if scales is not None:
            scales = self.op("Expand", self.last_two(scales), self.ints(2))
        if sizes is not None:
            sizes = self.last_two(sizes)
        rows, columns = (self._axis(axis, image, scales, sizes) for axis in (ROWS, COLUMNS))
        folded = self.reshape(x, self.concat(planes, image))
        # Columns first, while the image is small; as rows, for Gather copies rows as they are.
        turned = self._pass(self._turned(folded), columns, planes, self.slice(image, 0, 1))
        y = self._pass(self._turned(turned), rows, planes, columns.padded)
        sizes = self.concat(rows.size, columns.size)
        y = self.op("Slice", y, self.ints(0, 0), sizes, self.ints(1, 2))
        return self.reshape(y, self.concat(leading, sizes))

    def _turned(self, x: Value) -> Value:
        return self.op("Transpose", x, perm=[0, 2, 1])

    def _pass(self, x: Value, axis: Axis[Value], planes: Value, across: Value) -> Value:
        """Resample axis 1 of x: (planes, rows, across)."""
        windows = self.op("Gather", x, axis.indices, axis=1)
        # One copy of the weights serves all planes; where there are none, there must be none.
        shape = self.concat(self.ints(1), self.op("Shape", axis.weights))
        weights = self.op("Reshape", axis.weights, shape)
        weights = self.op("Slice", weights, self.ints(0), planes, self.ints(0))
        blocks = self.op("MatMul", weights, windows)
        return self.reshape(blocks, self.concat(planes, axis.padded, across))

    def _axis(
        self, axis: int, image: Value, scales: Value | None, sizes: Value | None
    ) -> Axis[Value]:
        n_in = self.slice(image, axis, axis + 1)
        if scales is not None:
            scale = self.slice(scales, axis, axis + 1)
            n_out = self.cast(
                self.op("Mul", self.cast(n_in, TensorProto.FLOAT), scale), TensorProto.INT64
            )
            factor = self.double(scale)
        else:
            assert sizes is not None
            n_out = self.slice(sizes, axis, axis + 1)
            factor = self.op("Div", self.double(n_out), self.double(n_in))
        # Blocks of a shrinking pass are shorter: their windows are longer.
        block = self.op("Floor", self.op("Mul", factor, self.number(float(_BLOCK))))
        block = self.op("Min", self.op("Max", block, self.number(1.0)), self.number(float(_BLOCK)))
        block = self.cast(block, TensorProto.INT64)
        return self._windows(self.double(n_in), n_out, factor, block)

    def _windows(self, n_in: Value, n_out: Value, factor: Value, block: Value) -> Axis[Value]:
        before_last = self.op("Sub", self.op("Add", n_out, block), self.ints(1))
        blocks = self.op("Div", before_last, block)
        padded = self.op("Mul", blocks, block)
        # Outputs that only fill the last block are copies of the last one.
        count = self.double(n_out)
        index = self.op("Min", self.double(self._range(padded)), self._last(count))
        centres = self._coordinates(index, n_in, count, factor)
        centres = self.reshape(centres, self.concat(blocks, block))
        shrink = self.op("Min", factor, self.number(1.0)) if self.antialias else None
        reach = self.number(2.0)
        if shrink is not None:
            reach = self.op("Div", reach, shrink)
        first = self.op("Slice", centres, self.ints(0), self.ints(1), self.ints(1))
        last = self.op("Slice", centres, self.ints(-1), self.int64_max(), self.ints(1))
        before = self.op("Floor", self.op("Sub", first, reach))
        beyond = self.op("Floor", self.op("Add", last, reach))
        length = self.op("ReduceMax", self.op("Sub", beyond, before), keepdims=0)
        steps = self._range(self.cast(length, TensorProto.INT64))
        taps = self.op("Add", self.op("Add", before, self.double(steps)), self.number(1.0))
        inside = self.op("Min", self.op("Max", taps, self.number(0.0)), self._last(n_in))
        distance = self.op(
            "Sub", self._unsqueezed(centres, blocks, block), self._across(taps, blocks)
        )
        if shrink is not None:
            distance = self.op("Mul", distance, shrink)
        weights = self._keys(self.cast(self.op("Abs", distance), self.dtype))
        if self.exclude_outside:
            kept = self.cast(self.op("Equal", inside, taps), self.dtype)
            weights = self.op("Mul", weights, self._across(kept, blocks))
        if self.exclude_outside or self.antialias:
            weights = self.op("Div", weights, self._sum_of_rows(weights))
        return Axis(n_out, padded, weights, self.cast(inside, TensorProto.INT64))

    def _range(self, count: Value) -> Value:
        zero, one = (self.constant(np.array(n, dtype=np.int64)) for n in (0, 1))
        return self.op("Range", zero, self.op("Squeeze", count), one)

    def _last(self, count: Value) -> Value:
        return self.op("Sub", count, self.number(1.0))

    def _unsqueezed(self, x: Value, blocks: Value, block: Value) -> Value:
        return self.reshape(x, self.concat(blocks, block, self.ints(1)))

    def _across(self, taps: Value, blocks: Value) -> Value:
        """(blocks, window) -> (blocks, 1, window)."""
        shape = self.op("Shape", taps)
        return self.reshape(taps, self.concat(blocks, self.ints(1), self.slice(shape, 1, 2)))

    def _coordinates(self, index: Value, n_in: Value, n_out: Value, factor: Value) -> Value:
        """Source coordinate of each output."""
        if self.mode == "align_corners":
            steps = self.op("Max", self._last(n_out), self.number(1.0))
            return self.op("Div", self.op("Mul", index, self._last(n_in)), steps)
        if self.mode == "asymmetric":
            return self.op("Div", index, factor)
        half = self.number(0.5)
        source = self.op("Sub", self.op("Div", self.op("Add", index, half), factor), half)
        if self.mode == "pytorch_half_pixel":
            several = self.op("Greater", n_out, self.number(1.0))
            return self.op("Mul", source, self.double(several))
        if self.mode == "half_pixel_symmetric":
            adjustment = self.op("Div", n_out, self.op("Mul", factor, n_in))
            rest = self.op("Sub", self.number(1.0), adjustment)
            return self.op("Add", source, self.op("Mul", self.op("Mul", n_in, half), rest))
        return source

    def _keys(self, d: Value) -> Value:
        """The kernel at a distance; 0 from 2 on.

        Source: Keys, "Cubic convolution interpolation for digital image processing", 1981, eq. 4.
        """
        mul, a = self._mul, self.a
        two, three = (self.of_dtype(n) for n in (2.0, 3.0))
        near = self.op("Sub", mul(self.op("Add", a, two), d), self.op("Add", a, three))
        near = self.op("Add", mul(mul(near, d), d), self.of_dtype(1.0))
        far = self.op("Min", d, two)
        # a (t - 1) (t - 2)^2: the same polynomial, exactly 0 at 1 and at 2.
        rest = self.op("Sub", far, two)
        far = mul(mul(a, self.op("Sub", far, self.of_dtype(1.0))), mul(rest, rest))
        return self.op("Where", self.op("Less", d, self.of_dtype(1.0)), near, far)

    def _mul(self, a: Value, b: Value) -> Value:
        return self.op("Mul", a, b)

    def of_dtype(self, number: float) -> Value:
        """A scalar of the element type that the products are computed in."""
        dtype = np.float32 if self.dtype == TensorProto.FLOAT else np.float64
        return self.constant(np.array(number, dtype=dtype))

    def _sum_of_rows(self, weights: Value) -> Value:
        if self.writer.opset < 13:
            return self.op("ReduceSum", weights, axes=[2], keepdims=1)
        return self.op("ReduceSum", weights, self.ints(2), keepdims=1)
