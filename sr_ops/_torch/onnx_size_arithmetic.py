"""Numbers that a model's code computes of sizes, in ONNX: float64, as in Python.

torch's own exporter computes them in float32, where ``int(0.29 * width)`` can be another integer,
and has no ``round``.
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from onnx import TensorProto, numpy_helper
from onnxscript import opset18 as op

__all__ = ["size_arithmetic_table"]


def size_arithmetic_table() -> dict[Callable[..., Any], Callable[..., Any]]:
    """For ``custom_translation_table``: what captures hold that keep such numbers."""
    return {
        torch.sym_float: _double,
        operator.truediv: _true_divide,
        operator.add: _arithmetic(op.Add),
        operator.sub: _arithmetic(op.Sub),
        operator.mul: _arithmetic(op.Mul),
        builtins.round: _round,
        math.trunc: _truncate,
        math.floor: _floor,
        math.ceil: _ceil,
    }


def _double(x):  # type: ignore[no-untyped-def]
    if isinstance(x, (int, float)):
        constant = numpy_helper.from_array(np.array(x, dtype=np.float64))
        return op.Constant(value=constant)
    return op.Cast(x, to=TensorProto.DOUBLE)


def _integer(x: Any) -> Any:
    return op.Cast(x, to=TensorProto.INT64)


def _true_divide(x, y):  # type: ignore[no-untyped-def]
    return op.Div(_double(x), _double(y))


def _arithmetic(operator: Callable[..., Any]) -> Callable[..., Any]:
    """Of integers, or in float64 where one of the two is a floating-point number."""

    def translate(x, y):  # type: ignore[no-untyped-def]
        if _is_floating_point(x) or _is_floating_point(y):
            return operator(_double(x), _double(y))
        return operator(x, y)

    return translate


def _is_floating_point(x: Any) -> bool:
    dtype = getattr(x, "dtype", None)
    return isinstance(x, float) or (dtype is not None and dtype.is_floating_point())


def _round(x, digits=None):  # type: ignore[no-untyped-def]
    return _integer(op.Round(x))


def _truncate(x):  # type: ignore[no-untyped-def]
    return _integer(x)


def _floor(x):  # type: ignore[no-untyped-def]
    return _integer(op.Floor(x))


def _ceil(x):  # type: ignore[no-untyped-def]
    return _integer(op.Ceil(x))
