"""What goes into an export: example arguments, their names, and which axes are dynamic."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Mapping, Sequence
from typing import Any

import onnx
import torch
from torch.utils import _pytree

from sr_ops import _arguments
from sr_ops.errors import ExportError, InvalidArgumentError, InvalidTypeError
from sr_ops.onnx.graphs.dimensions import DYNAMIC_AXES, IMAGE_AXES
from sr_ops.onnx.graphs.editing import names_read_by

__all__ = ["ExportInputs"]

#: The parameter that may be given as a number; it must not be frozen into the file.
_SCALE = "scale"


class ExportInputs:
    """Example inputs of a model, as torch's exporters take them.

    Attributes:
        model, args, kwargs: for ``torch.onnx.export``.
        example: (args, kwargs) to run the model with; None where a program brings none.
        names: of the tensors among the arguments, in order.
        dynamic_shapes: for the dynamo exporter.
        dynamic_axes: for the TorchScript exporter.

    Raises:
        InvalidTypeError, InvalidArgumentError: on construction, for arguments that do not fit.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        args: tuple[Any, ...] | torch.Tensor,
        *,
        kwargs: Mapping[str, Any] | None,
        input_names: Sequence[str] | None,
        dynamic_shapes: Any,
        dynamic_axes: Mapping[str, Any] | None,
    ) -> None:
        if not isinstance(model, torch.nn.Module):
            raise InvalidTypeError(f"model: got {type(model).__name__}, expected torch.nn.Module")
        self.model: torch.nn.Module | torch.export.ExportedProgram = model
        bound = _bind(model, args, kwargs)
        self.args, self.kwargs = bound.args, bound.kwargs
        self.example: tuple[tuple[Any, ...], Mapping[str, Any]] | None = (self.args, self.kwargs)
        leaves = _tensor_leaves(bound.arguments)
        self.names = _names(input_names, [name for name, _ in leaves])
        self._tensors = [tensor for _, tensor in leaves]
        self.dynamic_axes = self._axes(dynamic_axes)
        if dynamic_shapes is None:
            self._asked_axes = self._named_axes = self.dynamic_axes
            self.dynamic_shapes = self._shapes(bound.arguments)
        else:
            asked = _axes_asked_for(dynamic_shapes, dict(bound.arguments))
            self._asked_axes = {
                name: asked.get(id(tensor), {})
                for name, tensor in zip(self.names, self._tensors, strict=True)
            }
            self._named_axes = {}  # torch writes the caller's names itself
            self.dynamic_shapes = dynamic_shapes or None

    @classmethod
    def of_program(
        cls, program: torch.export.ExportedProgram, input_names: Sequence[str] | None
    ) -> ExportInputs:
        """Those of a captured program, which says itself what is dynamic."""
        self = cls.__new__(cls)
        self.model = program
        self.args, self.kwargs = (), {}
        self.example = program.example_inputs
        nodes = [
            node
            for node in program.graph.find_nodes(op="placeholder")
            if node.name in program.graph_signature.user_inputs
            and isinstance(node.meta.get("val"), torch.Tensor)
        ]
        self._tensors = [node.meta["val"] for node in nodes]
        self.names = _names(input_names, [node.name for node in nodes])
        self.dynamic_shapes = None
        self.dynamic_axes = self._default_axes()
        self._asked_axes = self._named_axes = {
            name: {
                axis: label
                for axis, label in self.dynamic_axes.get(name, {}).items()
                if isinstance(tensor.shape[axis], torch.SymInt)
            }
            for name, tensor in zip(self.names, self._tensors, strict=True)
        }
        return self

    def replaced(self, args: tuple[Any, ...] | torch.Tensor) -> Any:
        """(args, kwargs) of another example of the same form."""
        if isinstance(self.model, torch.export.ExportedProgram):
            return (args if isinstance(args, (tuple, list)) else (args,)), {}
        bound = _bind(self.model, args, self.kwargs)
        return bound.args, bound.kwargs

    def feeds(self, example: Any) -> dict[str, Any]:
        """The inputs of a session for an example, (args, kwargs)."""
        leaves = _pytree.tree_leaves(example)
        tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
        feeds = zip(self.names, tensors, strict=True)
        return {name: tensor.detach().cpu().numpy() for name, tensor in feeds}

    def positions(self) -> dict[int, str]:
        """Position among the flat arguments of the example -> input, for tensors."""
        leaves = enumerate(_pytree.tree_leaves(self.example))
        places = [index for index, leaf in leaves if isinstance(leaf, torch.Tensor)]
        return dict(zip(places, self.names, strict=True))

    def _axes(self, given: Mapping[str, Any] | None) -> dict[str, dict[int, str]]:
        if given is None:
            return self._default_axes()
        axes = {}
        for name, value in given.items():
            if name not in self.names:
                continue  # an output's axes follow from the inputs'
            if isinstance(value, Mapping):
                axes[name] = dict(value)
            elif isinstance(value, Sequence) and not isinstance(value, str):
                axes[name] = {axis: f"{name}_axis_{axis}" for axis in value}
            else:
                raise InvalidTypeError(
                    f"dynamic_axes: {name!r}: got {value!r}, expected {{axis: name}} or a list"
                )
        return axes

    def _default_axes(self) -> dict[str, dict[int, str]]:
        axes: dict[str, dict[int, str]] = {}
        for name, tensor in zip(self.names, self._tensors, strict=True):
            if tensor.dim() == 4:
                stem = f"{name}_" if axes else ""
                axes[name] = {axis: stem + IMAGE_AXES[axis] for axis in DYNAMIC_AXES}
        return axes

    def _shapes(self, arguments: Mapping[str, Any]) -> Any:
        """The dynamic axes as a tree of the arguments' form."""
        by_tensor = {
            id(tensor): dict.fromkeys(self.dynamic_axes.get(name, ()), torch.export.Dim.DYNAMIC)
            for name, tensor in zip(self.names, self._tensors, strict=True)
        }
        return _pytree.tree_map(lambda leaf: by_tensor.get(id(leaf)) or None, dict(arguments))

    def check(self, graph: onnx.GraphProto) -> None:
        """Raise ExportError where an input is missing, unused, or less dynamic than asked for."""
        values = {value.name: value for value in graph.input}
        used = names_read_by(graph.node)
        used.update(value.name for value in graph.output)
        for name in self.names:
            if name not in values or name not in used:
                raise ExportError(
                    f"input {name!r} has no effect in the exported model: its value was frozen. "
                    "forward must hand the tensor on as it is, without .item(), float() or int()"
                )
        for name, axes in self._asked_axes.items():
            dims = values[name].type.tensor_type.shape.dim
            for axis, label in axes.items():
                if dims[axis].HasField("dim_value"):
                    raise ExportError(
                        f"axis {axis} ({label}) of input {name!r} came out as the constant "
                        f"{dims[axis].dim_value}: the model's code fixes it"
                    )

    def dimension_names(self, graph: onnx.GraphProto) -> dict[str, str]:
        """Dimension names in the graph -> the names that were asked for.

        Axes that the model's code makes equal have one name: the first one asked for.
        """
        names: dict[str, str] = {}
        values = {value.name: value for value in graph.input}
        for name, axes in self._named_axes.items():
            dims = values[name].type.tensor_type.shape.dim
            for axis, label in axes.items():
                names.setdefault(dims[axis].dim_param, label)
        return names


def _axes_asked_for(shapes: Any, arguments: Any) -> dict[int, dict[int, str]]:
    """Of each tensor, by its id: the axes that must be dynamic, and their names.

    Args:
        shapes: as for ``torch.export``, names besides; or a part of it.
        arguments: the example, or the same part.
    """
    if isinstance(arguments, torch.Tensor):
        axes = dict(shapes if isinstance(shapes, Mapping) else enumerate(shapes or ()))
        labels = {axis: _label(extent) for axis, extent in axes.items()}
        return {id(arguments): {axis: label for axis, label in labels.items() if label}}
    asked: dict[int, dict[int, str]] = {}
    if isinstance(arguments, Mapping) and not isinstance(shapes, Mapping):
        arguments = list(arguments.values())
    pairs: list[tuple[Any, Any]] = []
    if isinstance(shapes, Mapping) and isinstance(arguments, Mapping):
        pairs = [(shapes[key], arguments[key]) for key in shapes if key in arguments]
    elif isinstance(shapes, (tuple, list)) and isinstance(arguments, (tuple, list)):
        pairs = list(zip(shapes, arguments, strict=False))  # torch says what is wrong
    for part, argument in pairs:
        asked.update(_axes_asked_for(part, argument))
    return asked


def _label(extent: Any) -> str:
    """The name of an axis that must be dynamic; "" where it need not be."""
    if isinstance(extent, str):
        return extent
    if isinstance(extent, torch.export.Dim):
        return str(extent.__name__)
    return "dynamic" if extent is torch.export.Dim.DYNAMIC else ""


def _names(given: Sequence[str] | None, own: list[str]) -> list[str]:
    names = own if given is None else list(given)
    if len(names) != len(own):
        raise InvalidArgumentError(
            f"input_names: got {len(names)} names for {len(own)} input tensors"
        )
    return names


def _bind(
    model: torch.nn.Module,
    args: tuple[Any, ...] | torch.Tensor,
    kwargs: Mapping[str, Any] | None,
) -> inspect.BoundArguments:
    if isinstance(args, torch.Tensor):
        args = (args,)
    if not isinstance(args, (tuple, list)):
        raise InvalidTypeError(f"args: got {type(args).__name__}, expected a tuple of inputs")
    try:
        bound = _signature(model).bind(*args, **(kwargs or {}))
    except TypeError as error:
        raise InvalidArgumentError(f"args, kwargs: do not fit forward: {error}") from None
    scale = bound.arguments.get(_SCALE)
    if _is_number_or_pair(scale):
        values = _arguments.parse_scale(scale)
        bound.arguments[_SCALE] = torch.tensor(
            values[0] if isinstance(scale, numbers.Real) else values, dtype=torch.float32
        )
    for name, value in bound.arguments.items():
        bound.arguments[name] = _pytree.tree_map(_contiguous, value)
    return bound


def _signature(model: torch.nn.Module) -> inspect.Signature:
    """Of ``forward``; a program of TorchScript tells it in its own way."""
    if not isinstance(model, torch.jit.ScriptModule):
        return inspect.signature(model.forward)
    forward: Any = model.forward
    parameters = [
        inspect.Parameter(
            argument.name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=argument.default_value if argument.has_default_value() else inspect._empty,
        )
        for argument in forward.schema.arguments[1:]
    ]
    return inspect.Signature(parameters)


def _contiguous(value: Any) -> Any:
    """A file knows no strides, and torch.export stumbles over those of a turned picture."""
    return value.contiguous() if isinstance(value, torch.Tensor) else value


def _is_number_or_pair(value: Any) -> bool:
    return isinstance(value, numbers.Real) or (
        isinstance(value, (tuple, list)) and all(isinstance(v, numbers.Real) for v in value)
    )


def _tensor_leaves(arguments: Mapping[str, Any]) -> list[tuple[str, torch.Tensor]]:
    leaves = []
    for name, value in arguments.items():
        tensors = [leaf for leaf in _pytree.tree_leaves(value) if isinstance(leaf, torch.Tensor)]
        if tensors and tensors[0] is value:
            leaves.append((name, value))
        else:
            leaves.extend((f"{name}_{index}", tensor) for index, tensor in enumerate(tensors))
    return leaves
