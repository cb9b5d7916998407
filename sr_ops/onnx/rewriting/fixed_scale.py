"""The factor that a resampling node with constant scales or sizes is fixed to."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from sr_ops import _arguments
from sr_ops.onnx.graphs.editing import literal_attributes
from sr_ops.onnx.graphs.scopes import Scope, tensor_dims
from sr_ops.onnx.operators.kinds import is_operator
from sr_ops.onnx.operators.schema import SIZES_OP
from sr_ops.onnx.rewriting.cubic_resize import Refusal

__all__ = ["FixedScale", "read_fixed_scale"]

#: Image extents at which computed sizes are tried out.
_TRIALS = (37, 64, 100, 333, 1000, 2**20)


@dataclasses.dataclass(frozen=True)
class FixedScale:
    """A node's factor.

    Attributes:
        source: the value that holds it, for telling nodes that share it.
        height, width: the factor, in float32.
        rank: of the image.
    """

    source: str
    height: float
    width: float
    rank: int


def read_fixed_scale(node: onnx.NodeProto, scope: Scope) -> FixedScale | None:
    """The factor of a node; None where it is not fixed: it depends on the model's inputs.

    Raises:
        Refusal: it is fixed in a way that cannot be opened.
    """
    attributes = literal_attributes(node)
    if node.op_type == "Upsample" and len(node.input) < 2:
        raise Refusal("its scales are an attribute; convert the model to opset 9 or later first")
    if attributes.get("coordinate_transformation_mode") == "tf_crop_and_resize":
        raise Refusal("it crops (tf_crop_and_resize)")
    if attributes.get("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise Refusal("keep_aspect_ratio_policy changes the sizes that are asked for")
    source, is_sizes = _extent_input(node, scope)
    dims = tensor_dims(scope.types, node.input[0])
    values = scope.constants.get(source)
    rank = len(dims) if dims is not None else _rank_from(values, attributes)
    axes = [axis % rank for axis in attributes.get("axes", range(rank))]
    computation = _Computation(source, scope, node.input[0])
    if computation.depends_on_inputs:
        return None
    if is_sizes:
        factors = _factors_of_sizes(computation, axes, dims or [None] * rank)
    else:
        factors = dict(zip(axes, _scales(computation, rank), strict=True))
    if any(factor != 1 for axis, factor in factors.items() if axis < rank - 2):
        raise Refusal("it resamples other axes than the last two")
    height, width = factors.get(rank - 2, 1.0), factors.get(rank - 1, 1.0)
    return FixedScale(source, height, width, rank)


def _rank_from(values: TensorProto | None, attributes: Mapping[str, Any]) -> int:
    if values is None or "axes" in attributes or len(values.dims) != 1:
        raise Refusal("the number of axes of X is not known")
    return int(values.dims[0])


def _extent_input(node: onnx.NodeProto, scope: Scope) -> tuple[str, bool]:
    """Name of scales or sizes, and whether it is sizes."""
    if node.op_type == "Upsample" or is_operator(node) or len(node.input) == 2:
        return node.input[1], node.op_type == SIZES_OP
    for index, is_sizes in ((3, True), (2, False)):
        name = node.input[index] if index < len(node.input) else ""
        if name and tensor_dims(scope.types, name) != [0]:
            return name, is_sizes
    raise Refusal("neither scales nor sizes are given")


def _scales(computation: _Computation, rank: int) -> list[float]:
    scales = [computation.run([extent] * rank).tolist() for extent in _TRIALS[:2]]
    if scales[0] != scales[1]:
        raise Refusal("its scales follow the size of the image")
    return [_arguments.float32(value) for value in scales[0]]


def _factors_of_sizes(
    computation: _Computation, axes: Sequence[int], dims: Sequence[int | str | None]
) -> dict[int, float]:
    """Factor of each axis that sizes names."""
    factors: dict[int, float] = {}
    for position, axis in enumerate(axes):
        extent = dims[axis]
        sizes = {n: _size_at(computation, dims, axis, n)[position] for n in _TRIALS}
        if len(set(sizes.values())) > 1:
            factors[axis] = _proportion(sizes)
        elif isinstance(extent, int):
            factors[axis] = _factor(extent, sizes[_TRIALS[0]])
        elif axis >= len(dims) - 2:
            raise Refusal("it gives images of any size the same size; there is no factor")
        else:
            factors[axis] = 1.0
    return factors


def _factor(extent: int, size: int) -> float:
    """A float32 factor that makes extent into size."""
    factor = np.float32(size / extent)
    for candidate in (factor, np.nextafter(factor, np.float32(np.inf))):
        if _arguments.output_size(extent, float(candidate)) == size:
            return float(candidate)
    raise Refusal(f"no float32 factor makes {extent} into {size}")


def _size_at(
    computation: _Computation, dims: Sequence[int | str | None], axis: int, extent: int
) -> list[int]:
    shape = [d if isinstance(d, int) else 1 for d in dims]
    shape[axis] = extent
    return [int(size) for size in computation.run(shape)]


def _proportion(sizes: Mapping[int, int]) -> float:
    """The one factor by which sizes follow extents."""
    ratio = sizes[_TRIALS[-1]] / _TRIALS[-1]
    for digits in (0, 1, 2, 3, 4, 5, None):
        factor = _arguments.float32(ratio if digits is None else round(ratio, digits))
        # A size rule in float64 differs from the float32 one by a pixel here and there.
        off = [abs(_arguments.output_size(n, factor) - s) for n, s in sizes.items()]
        if sum(off) <= 1:
            return factor
    raise Refusal("its sizes are not proportional to the image's")


class _Computation:
    """The nodes that compute sizes from the shape of the image, run by onnx's evaluator.

    Attributes:
        depends_on_inputs: on values of the model, not only on constants and on the image's shape.
    """

    def __init__(self, wanted: str, scope: Scope, image: str) -> None:
        nodes, producers = scope.nodes, scope.producers
        self._wanted = wanted
        self._constants: dict[str, TensorProto] = {}
        self._shapes: list[onnx.NodeProto] = []
        self.depends_on_inputs = False
        needed: set[int] = set()
        waiting, seen = [wanted], {""}
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            position = producers.get(name)
            node = None if position is None else nodes[position]
            if name in scope.constants and (node is None or node.op_type == "Constant"):
                self._constants[name] = scope.constants[name]
            elif node is not None and node.op_type == "Shape" and _same_size(node, image, scope):
                self._shapes.append(node)
            elif node is None or position is None or node.op_type == "Shape":
                self.depends_on_inputs = True
            else:
                needed.add(position)
                waiting.extend(node.input)
        self._nodes = [nodes[i] for i in sorted(needed)]
        self._opset = scope.opset

    def run(self, shape: Sequence[int]) -> np.ndarray[Any, Any]:
        """Sizes for an image of this shape."""
        if self._wanted in self._constants:
            return numpy_helper.to_array(self._constants[self._wanted])
        feeds = {
            node.output[0]: np.array(_slice(node, shape), dtype=np.int64) for node in self._shapes
        }
        graph = helper.make_graph(
            self._nodes,
            "sizes",
            [helper.make_tensor_value_info(name, TensorProto.INT64, None) for name in feeds],
            [helper.make_tensor_value_info(self._wanted, TensorProto.INT64, None)],
            [_named(tensor, name) for name, tensor in self._constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self._opset)])
        outputs: Any = ReferenceEvaluator(model).run(None, feeds)
        return np.asarray(outputs[0]).reshape(-1)


def _same_size(node: onnx.NodeProto, image: str, scope: Scope) -> bool:
    """Whether a Shape node looks at the image, or at a value that is as large as it."""
    if node.input[0] == image:
        return True
    own = tensor_dims(scope.types, image)
    other = tensor_dims(scope.types, node.input[0])
    return own is not None and other is not None and None not in own and own[-2:] == other[-2:]


def _slice(node: onnx.NodeProto, shape: Sequence[int]) -> Sequence[int]:
    attributes = literal_attributes(node)
    start, end = attributes.get("start", 0), attributes.get("end", len(shape))
    return shape[int(start) : int(end)]


def _named(tensor: TensorProto, name: str) -> TensorProto:
    copy = TensorProto()
    copy.CopyFrom(tensor)
    copy.name = name
    return copy
