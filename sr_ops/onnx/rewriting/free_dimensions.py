"""Whether a model's batch, height and width can be dynamic: shape inference at another size.

The model's shapes are inferred with other extents of its images, twice and three times the traced
ones, which keeps their divisors. What comes out tells: a node that refuses, a Reshape whose numbers
no longer add up, a Slice that cuts what it once took whole. These are named.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.checker import ValidationError
from onnx.shape_inference import InferenceError

from sr_ops.errors import ModelError
from sr_ops.onnx.graphs.dimensions import DYNAMIC_AXES, IMAGE_AXES
from sr_ops.onnx.graphs.inputs import weights_among_inputs
from sr_ops.onnx.graphs.scopes import make_skeleton, scopes, tensor_dims
from sr_ops.onnx.operators.kinds import extent_names, is_resampling
from sr_ops.onnx.operators.schema import DOMAIN, SCALES_OP, registered_schemas
from sr_ops.onnx.rewriting.report import Conversion

__all__ = ["Trial", "image_inputs"]

#: Another extent of an axis, from the traced one.
_OTHERS = {0: lambda extent: extent + 1, 2: lambda extent: 2 * extent, 3: lambda extent: 3 * extent}

_NODE_IN_MESSAGE = re.compile(r"op_type:\s*(\w+)(?:, node name: ([^)]*))?\)?:?\s*(.*)")

Dims = dict[str, list[int | str | None]]


def image_inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """The inputs of four axes that callers feed."""
    weights = weights_among_inputs(model) | {t.name for t in model.graph.initializer}
    return [
        value
        for value in model.graph.input
        if value.name not in weights and len(value.type.tensor_type.shape.dim) == 4
    ]


class Trial:
    """What of a model's image sizes is fixed by its nodes.

    Attributes:
        free: axes of the images that nothing fixes.
        obstacles: nodes that stand in the way of the others.
    """

    def __init__(
        self, model: onnx.ModelProto, *, lenient: bool, opened: Collection[str] = ()
    ) -> None:
        """Try all axes at once, then those of the picture and the batch by themselves.

        Args:
            model: with the extents that it was traced with.
            lenient: what shape inference cannot tell counts as free.
            opened: first outputs of the resampling nodes whose scale becomes an input.
        """
        self._opened = opened
        self._model = model
        self._lenient = lenient
        self._factors = _traced_factors(model)
        self._traced = self._infer(())
        self.free: tuple[int, ...] = ()
        self.obstacles: list[Conversion] = []
        obstacle = self._obstacle(DYNAMIC_AXES)
        if obstacle is None:
            self.free = DYNAMIC_AXES
            return
        for axes in ((2, 3), (0,)):
            obstacle = self._obstacle(axes)
            if obstacle is None:
                self.free += axes
            else:
                self.obstacles.append(obstacle)
        self.free = tuple(sorted(self.free))

    def other_scale(self, outputs: Collection[str]) -> Conversion | None:
        """The first node that refuses twice the factor of some resampling nodes.

        Args:
            outputs: of these nodes.

        Returns:
            None where none refuses, or inference is no judge of this model.
        """
        if isinstance(self._traced, Conversion):
            return None
        traced = self._factors
        self._factors = {
            name: (2 * height, 2 * width) if name in outputs else (height, width)
            for name, (height, width) in traced.items()
        }
        dims = self._infer(())
        self._factors = traced
        return dims if isinstance(dims, Conversion) else None

    def _obstacle(self, axes: Sequence[int]) -> Conversion | None:
        """The first node that fixes one of the axes; None: none does."""
        what = " and ".join(IMAGE_AXES[axis] for axis in axes)
        dims = self._infer(axes)
        if isinstance(dims, Conversion):
            if isinstance(self._traced, Conversion):
                # It is refused at the traced size, too: inference is no judge of this model.
                return None if self._lenient else dims
            return dims
        for node in self._model.graph.node:
            reason = self._fixes(node, dims, what)
            if reason is not None:
                return Conversion.of(node, "graph", None, reason)
        return None

    def _fixes(self, node: onnx.NodeProto, dims: Dims, what: str) -> str | None:
        source = dims.get(node.input[0]) if node.input else None
        result = dims.get(node.output[0]) if node.output else None
        if is_resampling(node) and source and result and source[0] != result[0]:
            return f"its constant sizes fix {what}"
        known = _numbers(source) and _numbers(result)
        if node.op_type == "Reshape" and known and _count(source) != _count(result):
            return f"its constant shape {result} fixes {what}"
        if node.op_type == "Slice" and isinstance(self._traced, dict):
            before, after = self._traced.get(node.input[0]), self._traced.get(node.output[0])
            if before is not None and before == after and source != result:
                return f"its constant end fixes {what}"
        if self._lenient or _numbers(result) or not node.output:
            return None
        if all(name in self._constants or _numbers(dims.get(name)) for name in node.input if name):
            return f"the size of its result cannot be inferred, so it may fix {what}"
        return None

    def _infer(self, axes: Sequence[int]) -> Dims | Conversion:
        """Dims of every value with other extents of ``axes``; or the node that refuses them."""
        skeleton = make_skeleton(self._model)
        self._constants = {t.name for t in self._model.graph.initializer}
        for value in image_inputs(self._model):
            twin = next(item for item in skeleton.graph.input if item.name == value.name)
            for axis, dim in enumerate(twin.type.tensor_type.shape.dim):
                traced = dim.dim_value if dim.HasField("dim_value") else _EXTENTS[axis]
                dim.Clear()
                dim.dim_value = _OTHERS[axis](traced) if axis in axes else traced
        for value in skeleton.graph.output:
            value.type.tensor_type.ClearField("shape")
        _forget_shapes(skeleton.graph)
        constants = {t.name for t in skeleton.graph.initializer}
        _fix_resampling(skeleton.graph, constants, self._factors, self._opened)
        for name, factors in self._factors.items():
            array = np.array(factors, dtype=np.float32)
            skeleton.graph.initializer.append(numpy_helper.from_array(array, _scales_of(name)))
        array = np.array([2, 2], dtype=np.float32)
        skeleton.graph.initializer.append(numpy_helper.from_array(array, _scales_of("")))
        try:
            with registered_schemas():
                inferred = onnx.shape_inference.infer_shapes(
                    skeleton, strict_mode=True, data_prop=True
                ).graph
        except (InferenceError, ValidationError, RuntimeError) as error:
            return _named(str(error), axes)
        values = (*inferred.value_info, *inferred.input, *inferred.output)
        types = {value.name: value.type for value in values}
        return {name: tensor_dims(types, name) or ["?"] for name in types}


#: Of an axis that is dynamic already.
_EXTENTS = (1, 3, 48, 48)


def _count(dims: Sequence[object] | None) -> int:
    return math.prod(int(str(dim)) for dim in dims or ())


def _numbers(dims: Iterable[object] | None) -> bool:
    return dims is not None and all(isinstance(dim, int) for dim in dims)


def _scales_of(output: str) -> str:
    """What the factor of a node is called for the while."""
    return f"sr_ops/trial/{output}"


def _traced_factors(model: onnx.ModelProto) -> dict[str, tuple[float, float]]:
    """Output of a resampling node of the main graph -> its factors, as far as they are known."""
    try:
        main = next(iter(scopes(model)))
    except ModelError:
        return {}
    factors = {}
    for node in main.nodes:
        if is_resampling(node):
            before = tensor_dims(main.types, node.input[0])
            after = tensor_dims(main.types, node.output[0])
            if before and after and _numbers(before[-2:]) and _numbers(after[-2:]):
                pairs = zip(before[-2:], after[-2:], strict=True)
                height, width = (int(str(b)) / int(str(a)) for a, b in pairs)
                factors[node.output[0]] = (height, width)
    return factors


def _forget_shapes(graph: onnx.GraphProto) -> None:
    """Drop what was written down about values in a graph and in those inside it."""
    del graph.value_info[:]
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                _forget_shapes(attribute.g)
                for value in attribute.g.output:
                    value.type.tensor_type.ClearField("shape")


def _fix_resampling(
    graph: onnx.GraphProto,
    constants: Collection[str],
    factors: Mapping[str, object],
    opened: Collection[str],
) -> None:
    """Let nodes whose factor is computed or opened keep the one they were traced with, or 2."""
    constants = {*constants, *(tensor.name for tensor in graph.initializer)}
    constants.update(n for node in graph.node if node.op_type == "Constant" for n in node.output)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                _fix_resampling(attribute.g, constants, factors, opened)
        stays = set(extent_names(node)) <= constants and node.output[0] not in opened
        if is_resampling(node) and not stays:
            output = node.output[0]
            inputs = [node.input[0], _scales_of(output if output in factors else "")]
            node.op_type, node.domain = SCALES_OP, DOMAIN
            del node.input[:], node.attribute[:]
            node.input.extend(inputs)


def _named(message: str, axes: Sequence[int]) -> Conversion:
    """The node that onnx's message speaks of."""
    what = " and ".join(IMAGE_AXES[axis] for axis in axes) or "nothing"
    text = " ".join(message.split())
    found = _NODE_IN_MESSAGE.search(text)
    if found is None:
        return Conversion("", "graph", "node", None, f"onnx refuses another {what}: {text[:200]}")
    op_type, name, reason = found[1], found[2] or "", found[3]
    return Conversion(name, "graph", op_type, None, f"it refuses another {what}: {reason[:200]}")
