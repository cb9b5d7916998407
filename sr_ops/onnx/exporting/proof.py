"""That an exported file does at other sizes what the model does: run, not assumed."""

from __future__ import annotations

import dataclasses
import importlib.util
import logging
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import torch
from torch.utils import _pytree

from sr_ops import compat
from sr_ops.errors import ExportError
from sr_ops.onnx.exporting.inputs import ExportInputs

__all__ = ["NotDynamicError", "prove_dynamic"]

_log = logging.getLogger("sr_ops.onnx")

#: Largest difference that arithmetic in another order explains, as a share of the largest value.
_TOLERANCE = {torch.float16: 2e-2, torch.float64: 1e-3, torch.float32: 1e-3}
#: Pictures above this many pixels are not made larger in both directions.
_MANY_PIXELS = 256 * 256


@dataclasses.dataclass(frozen=True)
class Change:
    """How a second example differs from the traced one.

    Attributes:
        batch: images more.
        height, width: factors, each as numerator and denominator.
        scale: factor of an input called ``scale``.
    """

    batch: int = 0
    height: tuple[int, int] = (1, 1)
    width: tuple[int, int] = (1, 1)
    scale: float = 1.0


#: The sizes keep the divisors of the traced one where they can: patch models take multiples only.
_CHANGES = (
    Change(1, (3, 2), (1, 2), 1.25),
    Change(1, (1, 2), (3, 2), 1.25),
    Change(2, (2, 1), (3, 1), 0.75),
)
_SINGLE_CHANGES = {
    "batch": (Change(batch=1), Change(batch=2)),
    "height": (Change(height=(3, 2)), Change(height=(2, 1)), Change(height=(1, 2))),
    "width": (Change(width=(3, 2)), Change(width=(3, 1)), Change(width=(1, 2))),
    "scale": (Change(scale=1.25),),
}


class NotDynamicError(ExportError):
    """The file differs from the model at another size.

    Attributes:
        example: (args, kwargs) where it differs.
    """

    example: Any = None


def prove_dynamic(
    model: onnx.ModelProto,
    inputs: ExportInputs,
    verify_args: Sequence[Any] | None,
    *,
    exporter: str,
    decides_by_size: bool = False,
) -> None:
    """Run the file and the model on second examples, and compare shapes and values.

    Args:
        model: the exported file.
        inputs: what it was exported with.
        verify_args: examples to use instead of those made here, each a tuple as ``args``.
        exporter: that wrote it.
        decides_by_size: the file holds branches: look at squares and at the other orientation, too.

    Raises:
        NotDynamicError: a result differs; the message names the axis and the node.
        ExportError: the model refuses an example of the caller's.
    """
    if importlib.util.find_spec("onnxruntime") is None:
        _log.info("verify: onnxruntime is not installed: the exported file was not run")
        return
    begun = time.perf_counter()
    try:
        proof = _Proof(model, inputs, exporter, decides_by_size)
    except _NotCheckedError as error:
        _warn(str(error))
        return
    if verify_args is not None:
        for number, example in enumerate(verify_args):
            proof.check_example(inputs.replaced(example), f"verify_args[{number}]")
    else:
        proof.check_changes()
    _log.info("verify: %d further examples, %.2f s", proof.checked, time.perf_counter() - begun)


class _NotCheckedError(Exception):
    """What cannot be run tells nothing about the file."""


def _warn(reason: str) -> None:
    warnings.warn(
        f"sr_ops.onnx.export: other sizes were not checked: {reason}; give verify_args=, examples "
        "that the model takes, or verify=False",
        RuntimeWarning,
        stacklevel=4,
    )


class _Proof:
    def __init__(
        self, model: onnx.ModelProto, inputs: ExportInputs, exporter: str, decides: bool
    ) -> None:
        import onnxruntime  # type: ignore[import-untyped]

        from sr_ops.onnx.running.session import make_session

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # a run that fails is told by the exception
        self.model, self.inputs = model, inputs
        self.exporter, self.decides_by_size = exporter, decides
        self.checked = 0
        self.dynamic = {
            value.name: [
                axis
                for axis, dim in enumerate(value.type.tensor_type.shape.dim)
                if dim.HasField("dim_param")
            ]
            for value in model.graph.input
        }
        if inputs.example is None:
            raise _NotCheckedError("the program holds no example inputs")
        try:
            self.session = make_session(model, sess_options=options)
            self.traced = self.inputs.feeds(inputs.example)
            self._run(self.traced)
        except Exception as error:  # onnxruntime's own classes, or a type that numpy lacks
            reason = str(error).splitlines()[0]
            raise _NotCheckedError(f"onnxruntime does not run the file ({reason})") from None

    def check_changes(self) -> None:
        """At sizes made here."""
        refused = ""
        for change in self._changes():
            example = self._example(change)
            if example is None:
                continue
            try:
                fault = self._fault(example)
            except _NotCheckedError as error:
                refused = str(error)
                continue
            if fault:
                self._raise(fault, example)
        if refused and not self.checked:
            _warn(refused)

    def check_example(self, example: Any, what: str) -> None:
        """At an example of the caller's."""
        try:
            fault = self._fault(example)
        except _NotCheckedError as error:
            raise ExportError(f"verify: {what}: {error}") from None
        if fault:
            self._raise(fault, example)

    def _changes(self) -> Iterator[Change]:
        sizes = [tuple(t.shape[2:]) for t in _tensors(self.inputs.example) if t.dim() == 4]
        pixels = max((height * width for height, width in sizes), default=0)
        for change in _CHANGES:
            larger = change.height[0] * change.width[0] > 3
            if not (larger and pixels > _MANY_PIXELS):
                yield change
        if self.decides_by_size:
            for height, width in sizes[:1]:
                yield Change(1, (width, height), (height, width))
                yield Change(1, (1, 1), (height, width))
            for changes in _SINGLE_CHANGES.values():
                yield from changes

    def _example(self, change: Change) -> Any:
        """The traced example with another size; None where nothing changes or no size fits."""
        replacements: dict[int, torch.Tensor] = {}
        tensors = _tensors(self.inputs.example)
        for name, tensor in zip(self.inputs.names, tensors, strict=True):
            shape = list(tensor.shape)
            for axis in self.dynamic.get(name, ()):
                extent = _changed(shape[axis], axis, tensor.dim(), change)
                if extent is None:
                    return None
                shape[axis] = extent
            if name == "scale" and tensor.dim() <= 1 and change.scale != 1:
                factor = change.scale if tensor.is_floating_point() else 2
                replacements[id(tensor)] = tensor * factor
            elif shape != list(tensor.shape):
                replacements[id(tensor)] = _filled(tensor, shape)
        if not replacements:
            return None
        return _pytree.tree_map(lambda leaf: replacements.get(id(leaf), leaf), self.inputs.example)

    def _run(self, feeds: Mapping[str, Any]) -> list[Any]:
        results: list[Any] = self.session.run(None, dict(feeds))
        return results

    def _fault(self, example: Any) -> str:
        """What differs between the file and the model; empty if nothing does."""
        try:
            expected = self._eager(example, exact=False)
        except Exception as error:  # whatever the model's own code raises
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise _NotCheckedError(f"the model itself refuses them ({reason})") from None
        self.checked += 1
        try:
            results = self._run(self.inputs.feeds(example))
        except Exception as error:  # onnxruntime's own classes
            return f"the file does not run ({str(error).splitlines()[0]})"
        fault = _difference(expected, results)
        if fault:  # torch's bicubic of integers and of float32 is less exact than the file's
            fault = _difference(self._eager(example, exact=True), results)
        return fault

    def _eager(self, example: Any, *, exact: bool) -> list[torch.Tensor]:
        model: Any = self.inputs.model
        if isinstance(model, torch.export.ExportedProgram):
            model = model.module()
        args, kwargs = example
        with torch.no_grad():
            if exact:
                with compat.patch():
                    return _tensors(model(*args, **kwargs))
            return _tensors(model(*args, **kwargs))

    def _raise(self, fault: str, example: Any) -> None:
        from sr_ops.onnx.exporting.frozen import frozen_node

        found_at, alone = example, self._guilty_axis()
        if alone is None:
            where = "the file is right at the traced size only"
        else:
            axis, fault, example = alone
            where = f"{axis} is dynamic in name only"
        sizes = {name: list(np.shape(value)) for name, value in self.inputs.feeds(example).items()}
        node = frozen_node(self.model, self.traced, self.inputs.feeds(example))
        at = f"; the first node whose shape is frozen is {node}" if node else ""
        error = NotDynamicError(
            f"verify: {where}: for inputs of shapes {sizes} {fault}{at}. Somewhere the model's "
            "code makes a Python number or a decision of a size: compute sizes from x.shape with "
            "+, -, * and // alone, without int(), float(), round(), math or an if; or export that "
            f"axis static (dynamic_axes){self._other_exporter()}; verify=False writes the file as "
            "it is"
        )
        error.example = found_at
        raise error

    def _other_exporter(self) -> str:
        if self.exporter == "dynamo":
            return ""
        return "; or use exporter='dynamo', which keeps such numbers and decisions"

    def _guilty_axis(self) -> tuple[str, str, Any] | None:
        """The axis whose change alone shows a fault, the fault, and the example."""
        for axis, changes in _SINGLE_CHANGES.items():
            for change in changes:
                example = self._example(change)
                try:
                    fault = self._fault(example) if example is not None else ""
                except _NotCheckedError:
                    continue
                if fault:
                    return axis, fault, example
        return None


def _tensors(tree: Any) -> list[torch.Tensor]:
    return [leaf for leaf in _pytree.tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def _changed(extent: int, axis: int, dimensions: int, change: Change) -> int | None:
    """The new length of an axis; None where the factor does not fit."""
    if axis == 0:
        return extent + change.batch
    up, down = change.height if axis == dimensions - 2 else change.width
    if extent % down or extent * up // down < 1:
        return None
    return extent * up // down


def _filled(like: torch.Tensor, shape: list[int]) -> torch.Tensor:
    """A tensor of that shape with values as in the example: valid, and of its range."""
    values = like.detach().reshape(-1)
    generator = torch.Generator().manual_seed(0)
    if values.numel() and not bool((values == values[0]).all()):
        index = torch.randint(values.numel(), shape, generator=generator)
        return values[index.to(values.device)]
    if like.is_floating_point():
        return torch.rand(shape, generator=generator).to(like)
    if like.dtype == torch.uint8:
        return torch.randint(256, shape, generator=generator, dtype=torch.uint8).to(like.device)
    return values.new_full(shape, int(values[0]) if values.numel() else 0)


def _difference(expected: list[torch.Tensor], results: list[Any]) -> str:
    if len(expected) != len(results):
        return ""  # outputs that are no tensors, or twice the same: nothing to compare by position
    for number, (want, got) in enumerate(zip(expected, results, strict=True)):
        if tuple(want.shape) != np.shape(got):
            return (
                f"output {number} of the file has the shape {list(np.shape(got))}, "
                f"of the model {list(want.shape)}"
            )
        exact = want.detach().cpu().to(torch.float64).numpy()
        if not exact.size:
            continue
        largest = float(np.abs(exact).max())
        allowed = _TOLERANCE.get(want.dtype, 0.0) * largest + (
            1e-6 if want.is_floating_point() else 1.0
        )
        apart = float(np.abs(exact - np.asarray(got, dtype=np.float64)).max())
        if apart > allowed:
            return f"output {number} differs from the model's by {apart:.3g} (of {largest:.3g})"
    return ""
