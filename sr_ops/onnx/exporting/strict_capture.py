"""A capture that keeps what a model's code computes of sizes in Python numbers."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils import _pytree

from sr_ops import compat
from sr_ops.onnx.exporting.inputs import ExportInputs

__all__ = ["capture_strictly", "conditions_of", "doubled"]

_LOGGERS = ("torch._dynamo", "torch._guards", "torch.fx.experimental.symbolic_shapes")


def capture_strictly(inputs: ExportInputs, example: Any = None) -> torch.export.ExportedProgram:
    """Capture a model by reading its bytecode instead of running it.

    A run freezes ``int(size)``, ``float(size)``, ``round`` and ``math`` of a size, since Python
    allows nothing but numbers as their results; the compiler records them. It takes less of Python
    than a run does, so this is the second way, for models that the first one froze.

    Args:
        inputs: of a module.
        example: (args, kwargs) to capture at, instead of those of the inputs.

    Returns:
        The program; calls of bicubic ``interpolate`` are operators of sr_ops in it.

    Raises:
        Exception: whatever the compiler raises for code that it does not take.
    """
    assert isinstance(inputs.model, torch.nn.Module)
    args, kwargs = _without_ones(inputs, inputs.example if example is None else example)
    with compat.patch(), _quiet():
        return torch.export.export(
            inputs.model,
            args,
            kwargs=dict(kwargs),
            dynamic_shapes=inputs.dynamic_shapes,
            strict=True,
        )


def conditions_of(program: torch.export.ExportedProgram) -> list[str]:
    """What a capture assumed of sizes, as Python expressions, in the order of the model's code."""
    return list(getattr(program, "_guards_code", None) or ())  # no public name holds them


def doubled(inputs: ExportInputs, example: Any) -> Any:
    """The example with its pictures twice as high and wide."""
    return _repeated(inputs, example, lambda axis, _: axis >= 2)


def _without_ones(inputs: ExportInputs, example: Any) -> Any:
    """The example with 2 on dynamic axes of 1, which the compiler would take for constants."""
    return _repeated(inputs, example, lambda _, extent: extent == 1)


def _repeated(inputs: ExportInputs, example: Any, asked: Callable[[int, int], bool]) -> Any:
    leaves, form = _pytree.tree_flatten(example)
    names = iter(inputs.names)
    for index, leaf in enumerate(leaves):
        if isinstance(leaf, torch.Tensor):
            for axis in inputs.dynamic_axes.get(next(names), ()):
                if asked(axis, leaf.shape[axis]):
                    leaves[index] = torch.cat([leaves[index]] * 2, axis)
    return _pytree.tree_unflatten(leaves, form)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the compiler's notices about the model's code."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
