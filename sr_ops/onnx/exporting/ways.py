"""The ways to an exported model: torch's own capture first, then a strict one, then several."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import onnx
import torch

from sr_ops.errors import ExportError
from sr_ops.onnx.exporting import size_conditions
from sr_ops.onnx.exporting.branches import joined
from sr_ops.onnx.exporting.finishing import finished
from sr_ops.onnx.exporting.inputs import ExportInputs
from sr_ops.onnx.exporting.proof import NotDynamicError, prove_dynamic
from sr_ops.onnx.exporting.strict_capture import capture_strictly, conditions_of, doubled
from sr_ops.onnx.exporting.torch_exporters import run_exporter
from sr_ops.onnx.operators.extents import inputs_that_scale
from sr_ops.onnx.operators.flavours import CONSTANT_SCALES_ONLY

__all__ = ["Recipe", "exported"]

_log = logging.getLogger("sr_ops.onnx")

#: A model that decides more often by sizes is refused.
_MOST_BRANCHES = 8


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What ``export`` was asked for, besides the model and its inputs; fields as its arguments."""

    op: str
    target: str | None
    exporter: str
    opset_version: int
    output_names: Sequence[str] | None
    options: Mapping[str, Any]
    verify: bool
    verify_args: Sequence[Any] | None


def exported(inputs: ExportInputs, recipe: Recipe) -> onnx.ModelProto:
    """The model by the first way that gives what was asked for.

    Raises:
        ExportError: none does; what the first one said.
    """
    try:
        model = _finished(_written(inputs.model, inputs, recipe), inputs, recipe)
        if recipe.verify:
            prove_dynamic(model, inputs, recipe.verify_args, exporter=recipe.exporter)
        return model
    except ExportError as error:
        final = isinstance(error, _WrongTargetError) or recipe.exporter != "dynamo"
        if final or isinstance(inputs.model, torch.export.ExportedProgram):
            raise
        first = error
    try:  # outside of the handler, or the first error becomes a cause of the second
        return _Strictly(inputs, recipe).export()
    except Exception as second:  # whatever the compiler raises
        _log.info("verify: a strict capture does not help: %s", second)
    raise first


def _written(model: Any, inputs: ExportInputs, recipe: Recipe) -> onnx.ModelProto:
    names = recipe.output_names
    written = run_exporter(
        recipe.exporter,
        model,
        inputs,
        "DynamicUpscale" if recipe.op == "MatMul" else recipe.op,
        opset_version=recipe.opset_version,
        output_names=list(names) if names is not None else None,
        **recipe.options,
    )
    _check_target(written, recipe.target)
    return written


class _WrongTargetError(ExportError):
    """The model is not for the runtime that the file was asked for."""


def _check_target(model: onnx.ModelProto, target: str | None) -> None:
    scaling = inputs_that_scale(model.graph) if target in CONSTANT_SCALES_ONLY else []
    if scaling:
        raise _WrongTargetError(
            f"target: got {target!r}, which refuses a size that follows from the value of an "
            f"input, as it does here from {' and '.join(map(repr, scaling))}; export a module "
            "whose forward takes the image alone and calls the model with a number, one file a "
            "scale, or choose another target"
        )


def _finished(model: onnx.ModelProto, inputs: ExportInputs, recipe: Recipe) -> onnx.ModelProto:
    return finished(
        model,
        inputs,
        op=recipe.op,
        opset_version=recipe.opset_version,
        output_names=recipe.output_names,
    )


@dataclasses.dataclass
class _Branch:
    """A capture, and later a decision between it and another branch.

    Attributes:
        model: what torch wrote of the capture, which holds the decisions that its example took.
        assumed: conditions on sizes that the capture takes for granted.
        condition: None, or where this does not hold ``other`` runs instead.
    """

    model: onnx.ModelProto
    assumed: list[str]
    condition: str | None = None
    then: _Branch | None = None
    other: _Branch | None = None

    def split(self, condition: str, other: _Branch) -> None:
        """Keep this capture for what fulfils a condition."""
        self.then = _Branch(self.model, self.assumed)
        self.condition, self.other = condition, other


class _Strictly:
    """By strict captures: one for each way through the decisions that the model makes by sizes."""

    def __init__(self, inputs: ExportInputs, recipe: Recipe) -> None:
        self.inputs, self.recipe = inputs, recipe

    def export(self) -> onnx.ModelProto:
        """The model, proven; ExportError where captures do not suffice."""
        root = self._captured(doubled(self.inputs, self.inputs.example), self.inputs.example)
        for _ in range(_MOST_BRANCHES):
            model = _finished(self._joined(root), self.inputs, self.recipe)
            if not self.recipe.verify:
                return model
            try:
                prove_dynamic(
                    model,
                    self.inputs,
                    self.recipe.verify_args,
                    exporter=self.recipe.exporter,
                    decides_by_size=root.condition is not None,
                )
                return model
            except NotDynamicError as error:
                self._split(root, error)
        raise ExportError(f"the model decides by sizes in more than {_MOST_BRANCHES} ways")

    def _split(self, root: _Branch, error: NotDynamicError) -> None:
        """Give what the example breaks a branch of its own."""
        example = error.example
        leaf = self._leaf(root, example)
        condition = self._violated(leaf.assumed, example)
        if condition is None:
            raise error
        larger = doubled(self.inputs, example)
        same = self._leaf(root, larger) is leaf and self._violated([condition], larger)
        leaf.split(condition, self._captured(*([larger] if same else []), example))

    def _captured(self, *examples: Any) -> _Branch:
        """At the first example that the compiler takes.

        Sizes twice as large come first: one that the code compares with would become a constant.
        """
        for number, example in enumerate(examples, 1):
            try:
                program = capture_strictly(self.inputs, example)
                break
            except Exception as error:  # whatever the compiler, or the model's code, raises
                if number == len(examples):
                    raise
                _log.info("verify: no capture at larger sizes: %s", error)
        written = _written(program, self.inputs, self.recipe)
        return _Branch(written, conditions_of(program))

    def _leaf(self, branch: _Branch, example: Any) -> _Branch:
        """The capture that runs for an example."""
        while branch.then is not None and branch.other is not None:
            broken = self._violated([branch.condition or ""], example)
            branch = branch.other if broken else branch.then
        return branch

    def _violated(self, conditions: Sequence[str], example: Any) -> str | None:
        return size_conditions.first_violated(
            conditions,
            self.inputs.positions(),
            self.inputs.feeds(example),
            self.recipe.opset_version,
        )

    def _joined(self, branch: _Branch) -> onnx.ModelProto:
        if branch.then is None or branch.other is None or branch.condition is None:
            copy = onnx.ModelProto()
            copy.CopyFrom(branch.model)
            return copy
        nodes = size_conditions.write_condition(
            branch.condition, self.inputs.positions(), self.recipe.opset_version, "condition"
        )
        return joined(nodes, self._joined(branch.then), self._joined(branch.other))
