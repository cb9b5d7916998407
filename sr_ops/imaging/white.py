"""Whether a model counts to 1 or to 255, from the first and the last numbers in its graph."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from sr_ops.errors import FileError

__all__ = ["find_white"]

#: Nodes that a value passes unchanged.
_PLAIN = {"Identity", "Cast", "Transpose", "Unsqueeze", "Squeeze", "Reshape", "Round", "Floor"}
_FAR = 8  # nodes
_ONE = 1.5  # larger constants are levels of 255


def find_white(
    model: str | os.PathLike[str] | onnx.ModelProto, image: str, output: str, integers: bool
) -> tuple[float, float]:
    """The values of white, 1 or 255, at the input and at the output.

    A division by 255 at the beginning says it, or a mean that is taken off; at the end a
    multiplication by 255, a limit of 255, or a mean that is added. Without such, 1; at the output
    of a model that takes integers and does not divide them, 255.

    Args:
        model: a path or a model.
        image: name of the input.
        output: name of the output.
        integers: whether the input is of integers.

    Raises:
        FileError: the file cannot be read.
    """
    if not isinstance(model, onnx.ModelProto):
        if os.fspath(model).endswith(".ort"):
            return 1.0, 1.0
        try:
            model = onnx.load(model, load_external_data=False)
        except OSError as error:
            reason = error.strerror or error
            raise FileError(f"model: cannot read {os.fspath(model)!r}: {reason}") from error
    graph = _Graph(model.graph)
    first, divided = graph.after(image)
    last = graph.before(output)
    if last is None:
        last = 255.0 if (integers or first == 255) and not divided else 1.0
    return first, last


class _Graph:
    def __init__(self, graph: onnx.GraphProto) -> None:
        self._constants = {t.name: t for t in graph.initializer}
        self._readers: dict[str, list[onnx.NodeProto]] = {}
        self._givers: dict[str, onnx.NodeProto] = {}
        for node in graph.node:
            for name in node.input:
                self._readers.setdefault(name, []).append(node)
            for name in node.output:
                self._givers[name] = node
            if node.op_type == "Constant":
                for attribute in node.attribute:
                    if attribute.name == "value":
                        self._constants[node.output[0]] = attribute.t

    def after(self, name: str) -> tuple[float, bool]:
        """White at a value, and whether it is divided by 255 from there."""
        for _ in range(_FAR):
            readers = self._readers.get(name, [])
            if len(readers) != 1:
                break
            node = readers[0]
            number = self._number(node)
            if node.op_type == "Div" and number is not None and abs(number - 255) < 1.5:
                return 255.0, True
            if node.op_type == "Mul" and number is not None and abs(number * 255 - 1) < 0.01:
                return 255.0, True
            if node.op_type == "Sub" and number is not None and number > _ONE:
                return 255.0, False
            if node.op_type not in _PLAIN:
                break
            name = node.output[0]
        return 1.0, False

    def before(self, name: str) -> float | None:
        """White at a value, if what gives it says so."""
        for _ in range(_FAR):
            node = self._givers.get(name)
            if node is None:
                break
            number = self._number(node)
            if node.op_type == "Clip":
                limit = self._limit(node)
                if limit in (1, 255):
                    return float(limit or 1)
            elif node.op_type in ("Mul", "Add") and number is not None:
                if node.op_type == "Mul" and abs(number - 255) < 1.5:
                    return 255.0
                return 255.0 if node.op_type == "Add" and number > _ONE else None
            elif node.op_type not in _PLAIN:
                break
            name = node.input[0]
        return None

    def _number(self, node: onnx.NodeProto) -> float | None:
        """The largest of the constant that a node takes besides a value."""
        for name in node.input:
            constant = self._constants.get(name)
            if constant is not None and constant.data_location != onnx.TensorProto.EXTERNAL:
                values: Any = numpy_helper.to_array(constant)
                if values.size and values.size <= 4 and np.isrealobj(values):
                    return float(np.abs(values).max())
        return None

    def _limit(self, node: onnx.NodeProto) -> float | None:
        for attribute in node.attribute:
            if attribute.name == "max":
                return float(attribute.f)
        constant = self._constants.get(node.input[2]) if len(node.input) > 2 else None
        return None if constant is None else float(numpy_helper.to_array(constant))
