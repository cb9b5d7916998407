"""Which standard Resize nodes the operators of sr_ops can stand in for, and how.

What ONNX leaves open or ONNX Runtime ignores is ignored here, too: ``roi`` outside of
tf_crop_and_resize, ``nearest_mode``, ``extrapolation_value``.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from sr_ops import _arguments
from sr_ops.onnx.graphs.editing import literal_attributes
from sr_ops.onnx.graphs.node_writer import NodeWriter
from sr_ops.onnx.graphs.scopes import Scope, tensor_dims, tensor_dtype
from sr_ops.onnx.operators.schema import (
    ATTRIBUTES,
    DOMAIN,
    FLOAT_TYPES,
    INTEGER_RANGES,
    SCALES_OP,
    SIZES_OP,
)

__all__ = ["CubicResize", "Refusal", "read"]

_RANKS = (2, 3, 4)


class Refusal(Exception):  # noqa: N818  (not an error: the node stays)
    """A node that has to stay as it is; the message is the reason."""


@dataclasses.dataclass(frozen=True)
class CubicResize:
    """What a Resize node asks for, in the terms of our operators.

    Attributes:
        op: ``"DynamicUpscale"`` or ``"DynamicUpscaleToSizes"``.
        x: name of the image.
        extent: name of scales or sizes.
        axes: which axes ``extent`` has elements for, in its order; None: one for each axis of x.
        attributes: ours, at other than default values only.
        dtype: ONNX element type of x.
        name: of the node that it was; "": the name of the node that is read.
        channels_last: number of axes of an x that is (…, H, W, C), as exporters of TensorFlow write
            it; 0: height and width are the last two.
    """

    op: str
    x: str
    extent: str
    axes: tuple[int, ...] | None
    attributes: tuple[tuple[str, Any], ...]
    dtype: int
    name: str = ""
    channels_last: int = 0

    def nodes(self, output: str, name: str, opset: int) -> list[onnx.NodeProto]:
        """Our node, and around it those that bring its inputs into a form that it takes."""
        writer = NodeWriter(opset, f"{output}/extent")
        extent = _spatial_extent(writer, self)
        x, result, after = self.x, output, []
        if self.channels_last:
            # Pairs of transposes with those of other nodes cancel in the runtime's optimizer.
            *outer, height, width, channels = range(self.channels_last)
            x = writer.op("Transpose", x, perm=[*outer, channels, height, width])
            back = NodeWriter(opset, f"{output}/channels_last")
            result = f"{output}/channels_first"
            back.op("Transpose", result, perm=[*outer, width, channels, height])
            back.nodes[-1].output[0] = output
            after = back.nodes
        node = onnx.helper.make_node(
            self.op,
            [x, extent],
            [result],
            name=self.name or name,
            domain=DOMAIN,
            **dict(self.attributes),
        )
        return [*writer.nodes, node, *after]


def read(node: onnx.NodeProto, scope: Scope) -> CubicResize:
    """Read a cubic Resize node.

    Raises:
        Refusal: our operators do not express it.
    """
    referring = [item.name for item in node.attribute if item.ref_attr_name]
    if referring:
        raise Refusal(f"attribute {referring[0]} comes from the call of the function")
    attributes = literal_attributes(node)
    _check_attributes(attributes)
    dtype = _dtype_of_image(node, scope)
    rank = _rank(node, scope)
    op, extent = _extent(node, scope)
    axes = _axes(attributes.get("axes"), rank)
    if rank is None:
        rank = _rank_from_extent(extent, axes, scope)
    resampled = _Axes.read(scope, node.input[0], op, extent, axes)
    channels_last = resampled.are_channels_last(rank)
    if not channels_last:
        resampled.check_last_two()
    if rank is not None and rank not in _RANKS:
        raise Refusal(f"X has {rank} axes; sr_ops takes 2, 3 or 4")
    if rank is None and axes is None:
        raise Refusal("the number of axes of X is not known")
    ours = tuple(
        (name, attributes[name])
        for name, default in ATTRIBUTES.items()
        if attributes.get(name, default) != default
    )
    x_axes = rank if channels_last and rank is not None else 0
    return CubicResize(op, node.input[0], extent, axes, ours, dtype, channels_last=x_axes)


def _check_attributes(attributes: dict[str, Any]) -> None:
    mode = attributes.get("coordinate_transformation_mode", "half_pixel")
    if mode not in _arguments.COORDINATE_TRANSFORMATION_MODES:
        raise Refusal(f"coordinate_transformation_mode {mode} is not one of sr_ops'")
    policy = attributes.get("keep_aspect_ratio_policy", "stretch")
    if policy != "stretch":
        raise Refusal(f"keep_aspect_ratio_policy {policy} changes the sizes that are asked for")
    if not math.isfinite(attributes.get("cubic_coeff_a", _arguments.DEFAULT_CUBIC_COEFF_A)):
        raise Refusal("cubic_coeff_a is not finite")


def _dtype_of_image(node: onnx.NodeProto, scope: Scope) -> int:
    dtype = tensor_dtype(scope.types, node.input[0])
    if dtype is None:
        raise Refusal("the element type of X is not known")
    if dtype not in (*FLOAT_TYPES, *INTEGER_RANGES):
        raise Refusal(f"X is {onnx.TensorProto.DataType.Name(dtype)}, which sr_ops does not take")
    return dtype


def _rank(node: onnx.NodeProto, scope: Scope) -> int | None:
    for name in (node.input[0], node.output[0]):
        dims = tensor_dims(scope.types, name)
        if dims is not None:
            return len(dims)
    return None


def _rank_from_extent(extent: str, axes: tuple[int, ...] | None, scope: Scope) -> int | None:
    dims = tensor_dims(scope.types, extent)
    if axes is None and dims and isinstance(dims[0], int):
        return dims[0]
    return None


def _given(node: onnx.NodeProto, index: int, scope: Scope) -> str | None:
    """Name of an input, unless it is omitted or, as before opset 13, an empty tensor."""
    if index >= len(node.input) or not node.input[index]:
        return None
    name = node.input[index]
    return None if tensor_dims(scope.types, name) == [0] else name


def _extent(node: onnx.NodeProto, scope: Scope) -> tuple[str, str]:
    scales, sizes = _given(node, 2, scope), _given(node, 3, scope)
    if scales is not None and sizes is not None:
        raise Refusal("both scales and sizes are given")
    if sizes is not None:
        return SIZES_OP, sizes
    if scales is not None:
        return SCALES_OP, scales
    raise Refusal("neither scales nor sizes are given")


def _axes(axes: Sequence[int] | None, rank: int | None) -> tuple[int, ...] | None:
    """Axes counted from the end; None for all of x's axes in their order."""
    if axes is None:
        return None
    if rank is None:
        if any(axis >= 0 for axis in axes):
            raise Refusal("axes count from the front, and the number of axes of X is not known")
        return tuple(axes)
    from_end = tuple(axis if axis < 0 else axis - rank for axis in axes)
    return None if from_end == tuple(range(-rank, 0)) else from_end


@dataclasses.dataclass(frozen=True)
class _Axes:
    """Which axes of x are resampled, as far as the model tells.

    Attributes:
        op, extent, axes: as in CubicResize.
        own: the extents of x, None where they are not known.
        asked: axis, counted from the end -> its scale or size; None: not constant.
    """

    op: str
    axes: tuple[int, ...] | None
    own: Sequence[int | str | None] | None
    asked: dict[int, float] | None

    @classmethod
    def read(
        cls, scope: Scope, x: str, op: str, extent: str, axes: tuple[int, ...] | None
    ) -> _Axes:
        """From constants and declared shapes."""
        constant = scope.constants.get(extent)
        asked = None
        if constant is not None:
            values = numpy_helper.to_array(constant).reshape(-1).tolist()
            named = range(-len(values), 0) if axes is None else axes
            asked = dict(zip(named, values, strict=False))
        return cls(op, axes, tensor_dims(scope.types, x), asked)

    def are_channels_last(self, rank: int | None) -> bool:
        """Whether the two before the last one are resampled, and no other."""
        if rank not in (3, 4):
            return False
        if self.axes is not None and set(self.axes) == {-3, -2}:
            return self.asked is None or self._keeps(-3) is not True
        if self.asked is None:
            return False
        return (
            self._keeps(-3) is not True and self._keeps(-1) is True and self._keeps(-4) is not False
        )

    def check_last_two(self) -> None:
        """Refuse what resamples other axes than the last two."""
        if self.asked is None:
            if any(axis < -2 for axis in self.axes or ()):
                raise Refusal(
                    "axes names others than the last two, with values that are not constant"
                )
            return
        for axis, value in self.asked.items():
            if axis < -2 and self._keeps(axis) is False:
                raise Refusal(
                    f"axis {axis} is resampled, too ({value}); sr_ops takes height and width only: "
                    "the last two axes, or the two before the last"
                )

    def _keeps(self, axis: int) -> bool | None:
        """Whether an axis keeps its size; None where the model does not tell."""
        if self.asked is None or axis not in self.asked:
            return True
        if self.op == SCALES_OP:
            return self.asked[axis] == 1
        own = self.own[axis] if self.own is not None else None
        return self.asked[axis] == own if isinstance(own, int) else None


def _spatial_extent(writer: NodeWriter, resize: CubicResize) -> str:
    """Scales or sizes of (height, width), or the node's own where it has one for each axis."""
    spatial = (-3, -2) if resize.channels_last else (-2, -1)
    axes = resize.axes
    if axes == spatial or (axes is None and not resize.channels_last):
        return resize.extent
    if axes is None:
        axes = tuple(range(-resize.channels_last, 0))
    dtype = np.float32 if resize.op == SCALES_OP else np.int64
    parts = []
    for axis in spatial:
        if axis in axes:
            index = np.array([axes.index(axis)], dtype=np.int64)
            parts.append(writer.op("Gather", resize.extent, writer.constant(index), axis=0))
        elif resize.op == SCALES_OP:
            parts.append(writer.constant(np.ones(1, dtype=dtype)))
        else:
            shape = writer.op("Shape", resize.x)
            parts.append(writer.op("Gather", shape, writer.constant(np.array([axis])), axis=0))
    return writer.op("Concat", *parts, axis=0)
