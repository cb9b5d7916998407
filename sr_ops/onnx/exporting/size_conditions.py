"""Conditions on image sizes that a capture assumed, as nodes of a model."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from sr_ops.onnx.graphs.node_writer import NodeWriter
from sr_ops.onnx.operators.graph_writer import ShapeWriter

__all__ = ["UnknownConditionError", "first_violated", "write_condition"]

_INPUT = re.compile(r"L\['flat_args'\]\[(\d+)\]")
_ARITHMETIC: Mapping[type[ast.operator], str] = {
    ast.Add: "Add",
    ast.Sub: "Sub",
    ast.Mult: "Mul",
    ast.Div: "Div",
}
_COMPARISONS: Mapping[type[ast.cmpop], tuple[str, bool]] = {
    ast.Lt: ("Less", False),
    ast.LtE: ("Greater", True),
    ast.Gt: ("Greater", False),
    ast.GtE: ("Less", True),
    ast.Eq: ("Equal", False),
    ast.NotEq: ("Equal", True),
}
_FUNCTIONS = {"max": "Max", "min": "Min", "round": "Round", "floor": "Floor", "ceil": "Ceil"}


class UnknownConditionError(Exception):
    """A condition with something in it that has no form here."""


def first_violated(
    conditions: Sequence[str], names: Mapping[int, str], feeds: Mapping[str, Any], opset: int
) -> str | None:
    """The first condition that does not hold for these inputs; None if all hold.

    Args:
        conditions: Python expressions, as torch's exporter keeps them.
        names: position among the flat arguments -> input of the model.
        feeds: the inputs.
        opset: version of the default domain to write them in.
    """
    for condition in conditions:
        try:
            nodes, result = write_condition(condition, names, opset, "condition")
        except UnknownConditionError:
            continue
        inputs = [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(np.asarray(value).dtype), np.shape(value)
            )
            for name, value in feeds.items()
        ]
        output = helper.make_tensor_value_info(result, TensorProto.BOOL, ())
        graph = helper.make_graph(nodes, "condition", inputs, [output])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
        results: Any = ReferenceEvaluator(model).run(None, dict(feeds))
        if not bool(results[0]):
            return condition
    return None


def write_condition(
    condition: str, names: Mapping[int, str], opset: int, stem: str
) -> tuple[list[onnx.NodeProto], str]:
    """Nodes that compute a condition, and the value that holds it, a 0-d bool.

    Args:
        condition: a Python expression of sizes, as torch's exporter keeps them.
        names: position among the flat arguments -> input of the model.
        opset: version of the default domain.
        stem: what new names start with.

    Raises:
        UnknownConditionError: something in it has no form here.
    """
    writer = NodeWriter(opset, stem)
    result = _Condition(writer, names).write(ast.parse(condition, mode="eval").body)
    return writer.nodes, result


class _Condition:
    """Numbers are float64, in which sizes are exact."""

    def __init__(self, writer: NodeWriter, names: Mapping[int, str]) -> None:
        self.out: ShapeWriter[str] = ShapeWriter(writer)
        self.names = names

    def write(self, node: ast.expr) -> str:
        if isinstance(node, ast.BoolOp):
            operator = "And" if isinstance(node.op, ast.And) else "Or"
            result = self.write(node.values[0])
            for value in node.values[1:]:
                result = self.out.op(operator, result, self.write(value))
            return result
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self.out.op("Not", self.write(node.operand))
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            name, negated = _COMPARISONS.get(type(node.ops[0]), ("", False))
            if name:
                result = self.out.op(name, self.number(node.left), self.number(node.comparators[0]))
                return self.out.op("Not", result) if negated else result
        raise UnknownConditionError(ast.unparse(node))

    def number(self, node: ast.expr) -> str:
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            return self.out.number(node.value)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return self.out.op("Neg", self.number(node.operand))
        if isinstance(node, ast.BinOp):
            return self.arithmetic(node)
        if isinstance(node, ast.Call):
            return self.call(node)
        if isinstance(node, ast.Subscript):
            return self.size(node)
        raise UnknownConditionError(ast.unparse(node))

    def arithmetic(self, node: ast.BinOp) -> str:
        left, right = self.number(node.left), self.number(node.right)
        if isinstance(node.op, (ast.FloorDiv, ast.Mod)):
            floor = self.out.op("Floor", self.out.op("Div", left, right))
            if isinstance(node.op, ast.FloorDiv):
                return floor
            return self.out.op("Sub", left, self.out.op("Mul", floor, right))
        if type(node.op) not in _ARITHMETIC:
            raise UnknownConditionError(ast.unparse(node))
        return self.out.op(_ARITHMETIC[type(node.op)], left, right)

    def call(self, node: ast.Call) -> str:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        arguments = [self.number(value) for value in node.args]
        if name == "sym_float":
            return arguments[0]
        if name == "trunc":
            return self.out.double(self.out.cast(arguments[0], TensorProto.INT64))
        if name not in _FUNCTIONS:
            raise UnknownConditionError(ast.unparse(node))
        return self.out.op(_FUNCTIONS[name], *arguments)

    def size(self, node: ast.Subscript) -> str:
        """``L['flat_args'][i].size()[axis]``"""
        text = ast.unparse(node.value)
        found = _INPUT.fullmatch(text.removesuffix(".size()"))
        name = self.names.get(int(found.group(1))) if found else None
        if name is None or not text.endswith(".size()"):
            raise UnknownConditionError(ast.unparse(node))
        axis = np.array(ast.literal_eval(node.slice), dtype=np.int64)
        sizes = self.out.op("Shape", name)
        return self.out.double(self.out.op("Gather", sizes, self.out.constant(axis)))
