"""Pillow's arithmetic from matrix products in float64, which are exact: every number is whole.

Weights are whole numbers of 2**-22, and each pass rounds and clamps to 8 bits. Which pass comes
first depends on the sizes, which only a run knows. So there are three: along the columns, the rows,
and the columns again; one of the outer two changes nothing.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from onnx import TensorProto

from sr_ops.onnx.operators.graph_writer import GraphWriter
from sr_ops.onnx.operators.matmul_form import COLUMNS, ROWS, Axis, MatMulForm

__all__ = ["upscale_as_pillow"]

Value = TypeVar("Value")

_UNIT = float(2**22)


def upscale_as_pillow(
    writer: GraphWriter[Value],
    x: Value,
    *,
    scales: Value | None = None,
    sizes: Value | None = None,
) -> Value:
    """Write the operator with ``rounding="pillow"``.

    Args:
        writer: where the nodes go.
        x: the image, uint8, of 2 or more axes.
        scales, sizes: exactly one of them, in any form that the operator takes.

    Returns:
        uint8.
    """
    return _PillowForm(writer).write(x, scales, sizes)


class _PillowForm(MatMulForm[Value]):
    def __init__(self, writer: GraphWriter[Value]) -> None:
        attributes = {"cubic_coeff_a": -0.5, "antialias": 1, "exclude_outside": 1}
        super().__init__(writer, TensorProto.DOUBLE, attributes)

    def write(self, x: Value, scales: Value | None, sizes: Value | None) -> Value:
        """Write all nodes."""
        doubles = self.double(x)
        shape = self.op("Shape", doubles)
        leading, image = self.leading(shape), self.last_two(shape)
        planes = self.op("ReduceProd", self.concat(self.ints(1), leading), keepdims=1)
        wanted = self._wanted(image, scales, sizes)
        height, width = self.slice(image, 0, 1), self.slice(image, 1, 2)
        first_width = self.op(
            "Where", self._rows_first(image, wanted), width, self.slice(wanted, 1, 2)
        )
        between = self.concat(height, first_width)
        columns = self._axis(COLUMNS, image, None, between)
        rows = self._axis(ROWS, image, None, wanted)
        again = self._axis(COLUMNS, between, None, wanted)
        y = self.reshape(doubles, self.concat(planes, image))
        y = self._pass(self._turned(y), columns, planes, height)
        y = self._pass(self._turned(y), rows, planes, columns.padded)
        y = self._turned(self._pass(self._turned(y), again, planes, rows.padded))
        y = self.op("Slice", y, self.ints(0, 0), wanted, self.ints(1, 2))
        y = self.reshape(y, self.concat(leading, wanted))
        return self.cast(y, TensorProto.UINT8)

    def _wanted(self, image: Value, scales: Value | None, sizes: Value | None) -> Value:
        """(height, width) of the result, int64."""
        if sizes is not None:
            return self.last_two(sizes)
        factors = self.op("Expand", self.last_two(scales), self.ints(2))  # type: ignore[arg-type]
        product = self.op("Mul", self.cast(image, TensorProto.FLOAT), factors)
        return self.cast(product, TensorProto.INT64)

    def _rows_first(self, image: Value, wanted: Value) -> Value:
        """Whether the picture loses many more rows than columns, (1,) bool."""
        fewer = self.double(self.op("Sub", image, wanted))
        rows, columns = self.slice(fewer, 0, 1), self.slice(fewer, 1, 2)
        most = self.op("Max", self.op("Mul", columns, self.number(2.0)), self.number(0.0))
        return self.op("Greater", rows, most)

    def _coordinates(self, index: Value, n_in: Value, n_out: Value, factor: Value) -> Value:
        half = self.number(0.5)
        scale = self.op("Div", n_in, n_out)
        return self.op("Sub", self.op("Mul", self.op("Add", index, half), scale), half)

    def _windows(self, n_in: Value, n_out: Value, factor: Value, block: Value) -> Axis[Value]:
        axis = super()._windows(n_in, n_out, factor, block)
        units = self.op("Mul", self.op("Abs", axis.weights), self.number(_UNIT))
        whole = self.op("Floor", self.op("Add", units, self.number(0.5)))
        return axis._replace(weights=self.op("Mul", self.op("Sign", axis.weights), whole))

    def _pass(self, x: Value, axis: Axis[Value], planes: Value, across: Value) -> Value:
        sums = super()._pass(x, axis, planes, across)
        half = self.constant(np.array(_UNIT / 2))
        levels = self.op("Floor", self.op("Div", self.op("Add", sums, half), self.number(_UNIT)))
        return self.op("Min", self.op("Max", levels, self.number(0.0)), self.number(255.0))
