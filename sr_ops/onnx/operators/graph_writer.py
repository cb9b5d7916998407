"""What writes nodes, wherever they go, and the handful of computations on shapes."""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from onnx import TensorProto

__all__ = ["GraphWriter", "ShapeWriter"]

Value = TypeVar("Value")
_INT64_MAX = np.iinfo(np.int64).max


class GraphWriter(Protocol[Value]):
    """Where nodes go."""

    opset: int

    def op(self, op_type: str, *inputs: Value | None, **attributes: Any) -> Value:
        """Append a node of the default domain; a None input is an omitted one."""

    def constant(self, array: np.ndarray[Any, Any]) -> Value:
        """Append a constant."""


class ShapeWriter(Generic[Value]):
    """Computations on shapes that several forms share."""

    def __init__(self, writer: GraphWriter[Value]) -> None:
        self.writer = writer
        self._constants: dict[tuple[Any, ...], Value] = {}

    def op(self, op_type: str, *inputs: Value | None, **attributes: Any) -> Value:
        """Append a node, as the writer does."""
        return self.writer.op(op_type, *inputs, **attributes)

    def constant(self, array: np.ndarray[Any, Any]) -> Value:
        """A constant; equal ones are written once."""
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = self.writer.constant(array)
        return self._constants[key]

    def ints(self, *values: int) -> Value:
        """A vector of int64."""
        return self.constant(np.array(values, dtype=np.int64))

    def int64_max(self) -> Value:
        """The end of a slice that has none, (1,) int64."""
        return self.ints(_INT64_MAX)

    def number(self, value: float) -> Value:
        """A float64 scalar."""
        return self.constant(np.array(value, dtype=np.float64))

    def cast(self, x: Value, dtype: int) -> Value:
        """x in another ONNX element type."""
        return self.op("Cast", x, to=dtype)

    def double(self, x: Value) -> Value:
        """x in float64."""
        return self.cast(x, TensorProto.DOUBLE)

    def slice(self, vector: Value, start: int, end: int) -> Value:
        """Elements start to end, without the latter."""
        return self.op("Slice", vector, self.ints(start), self.ints(end), self.ints(0))

    def concat(self, *vectors: Value) -> Value:
        """One vector of several."""
        return self.op("Concat", *vectors, axis=0)

    def last_two(self, vector: Value) -> Value:
        """The elements of height and width."""
        return self.slice(vector, -2, _INT64_MAX)

    def leading(self, vector: Value) -> Value:
        """The elements before those of height and width."""
        return self.slice(vector, 0, -2)

    def reshape(self, x: Value, shape: Value) -> Value:
        """x with other extents; 0 means 0 elements where the opset knows it."""
        # From 14 on a 0 can mean 0 elements; before, it copies the source's extent.
        allow = {"allowzero": 1} if self.writer.opset >= 14 else {}
        return self.op("Reshape", x, shape, **allow)
