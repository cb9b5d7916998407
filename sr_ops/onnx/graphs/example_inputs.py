"""Inputs made up for a model: random images, and a scale of 2 where it is an input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from sr_ops.errors import ModelError
from sr_ops.onnx.graphs.lineage import Lineage
from sr_ops.onnx.operators.kinds import is_cubic_resize, is_operator

__all__ = ["example_inputs"]

#: Extent of a dynamic axis, by its position: divisible by what networks usually divide by.
_EXTENTS = (2, 3, 64, 96)
_SCALE = 2.0


def example_inputs(
    model: onnx.ModelProto,
    *,
    what: str = "verify",
    advice: str = "pass verify={name: array}",
    extents: Sequence[int] = _EXTENTS,
) -> dict[str, Any]:
    """Input name -> array.

    Args:
        model: weights are not looked at.
        what: who asks, for the error.
        advice: what its user can do, for the error.
        extents: of dynamic axes, by their position.

    Raises:
        ModelError: an input that no example can be made up for.
    """
    rng = np.random.default_rng(0)
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    named: dict[str, int] = {}
    shapes = {value.name: _shape(value, named, extents) for value in inputs}
    for value in inputs:
        if value.type.tensor_type.elem_type in (TensorProto.UNDEFINED, TensorProto.STRING):
            raise ModelError(
                f"{what}: no example can be made up for input {value.name!r}; {advice}"
            )
    image = next((shape for shape in shapes.values() if len(shape) == 4), [])
    steering = Lineage(model.graph).inputs_behind(
        name
        for node in model.graph.node
        if is_operator(node) or is_cubic_resize(node)
        for name in node.input[1:]
    )
    return {
        value.name: _steering_value(value, shapes[value.name], image)
        if value.name in steering
        else _random(value, shapes[value.name], rng)
        for value in inputs
    }


def _shape(value: onnx.ValueInfoProto, named: dict[str, int], extents: Sequence[int]) -> list[int]:
    shape = []
    for axis, dim in enumerate(value.type.tensor_type.shape.dim):
        if dim.HasField("dim_value"):
            shape.append(dim.dim_value)
            continue
        extent = extents[min(axis, len(extents) - 1)]
        shape.append(named.setdefault(dim.dim_param, extent) if dim.dim_param else extent)
    return shape


def _steering_value(value: onnx.ValueInfoProto, shape: list[int], image: list[int]) -> Any:
    dtype = helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    if dtype.kind == "f":
        result = np.full(shape, _SCALE, dtype)
    else:
        result = np.resize([int(extent * _SCALE) for extent in image[-2:] or [64, 96]], shape)
        result = result.astype(dtype)
    if shape == [4]:
        result[:2] = 1 if dtype.kind == "f" else image[:2]
    return result


def _random(value: onnx.ValueInfoProto, shape: list[int], rng: np.random.Generator) -> Any:
    dtype = helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    if dtype.kind in "iu":
        return rng.integers(0, 128, shape).astype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    return rng.random(shape).astype(dtype)
