"""What a vision model's image processor does, as a model: a picture of bytes in, numbers out."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from sr_ops.errors import FileError, InvalidArgumentError, InvalidTypeError, ModelError
from sr_ops.onnx.graphs.editing import import_domain
from sr_ops.onnx.graphs.ir_version import lower_ir_version
from sr_ops.onnx.graphs.model_files import copied
from sr_ops.onnx.graphs.node_writer import NodeWriter
from sr_ops.onnx.graphs.scopes import default_opset
from sr_ops.onnx.graphs.soundness import sound_or_model_error
from sr_ops.onnx.operators.functions import add_functions, drop_functions
from sr_ops.onnx.operators.graph_writer import ShapeWriter
from sr_ops.onnx.operators.schema import DOMAIN, SIZES_OP

__all__ = ["preprocess"]

_DTYPES = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16}
_BICUBIC = 3  # Pillow's number
_OPSET = 18


@dataclasses.dataclass(frozen=True)
class _Steps:
    """What is done to a picture; fields as the arguments of ``preprocess``."""

    shorter_side: int | None = None
    size: tuple[int, int] | None = None
    crop: tuple[int, int] | None = None
    rescale: float = 1 / 255
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)


@sound_or_model_error()
def preprocess(
    model: str | os.PathLike[str] | onnx.ModelProto | None = None,
    *,
    config: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    shorter_side: int | None = None,
    size: Sequence[int] | int | None = None,
    crop: Sequence[int] | int | None = None,
    rescale: float = 1 / 255,
    mean: Sequence[float] = (0.0, 0.0, 0.0),
    std: Sequence[float] = (1.0, 1.0, 1.0),
    dtype: str = "float32",
) -> onnx.ModelProto:
    """A model that prepares a picture for a vision model, or that model with it in front.

    Its input ``image`` is uint8, (H, W, 3), of any size; its output ``pixel_values`` is
    (1, 3, height, width). The picture is resized by Pillow's antialiased bicubic, with its very
    bytes, cropped at its centre, rescaled and normalised: ``(rescale * pixel - mean) / std``.

    Args:
        model: None, or what the result goes into: a path, or a model, which stays as it is. Its
            input of four axes is fed.
        config: a ``preprocessor_config.json`` or its content, instead of the following arguments:
            of CLIP, SigLIP, DINOv2 and other processors with ``"resample": 3``.
        shorter_side: length of the shorter side; the other one is ``int(shorter_side * longer /
            shorter)``.
        size: (height, width), or a number for both, instead of shorter_side.
        crop: (height, width), or a number for both, around the centre.
        rescale: factor of the pixels.
        mean, std: of the three channels, after rescaling.
        dtype: of the output: ``"float32"`` or ``"float16"``.

    Returns:
        The new model, with its functions.

    Raises:
        InvalidArgumentError, InvalidTypeError: an argument, or what the config asks for, is not
            accepted.
        ModelError: not an ONNX model, or not one with an input of four axes and of that dtype.
        FileError: a file cannot be read.

    >>> model = preprocess(shorter_side=32, crop=24)
    >>> [value.name for value in (*model.graph.input, *model.graph.output)]
    ['image', 'pixel_values']
    """
    if config is not None:
        if shorter_side is not None or size is not None or crop is not None:
            raise InvalidArgumentError(
                "config: given together with shorter_side, size or crop, which it holds itself; "
                "give one of both"
            )
        steps = _read_config(config)
    else:
        steps = _Steps(
            None if shorter_side is None else _pair("shorter_side", shorter_side)[0],
            None if size is None else _pair("size", size),
            None if crop is None else _pair("crop", crop),
            *(float(rescale), _three("mean", mean), _three("std", std)),
        )
    _check(steps)
    if dtype not in _DTYPES:
        raise InvalidArgumentError(
            f"dtype: got {dtype!r}, expected one of {', '.join(map(repr, _DTYPES))}"
        )
    if model is None:
        return add_functions(_written(steps, _DTYPES[dtype], _OPSET))
    return _in_front(steps, _DTYPES[dtype], copied(model))


def _pair(name: str, value: Any) -> tuple[int, int]:
    values = (value, value) if isinstance(value, int) else value
    whole = isinstance(values, Sequence) and all(
        isinstance(v, int) and not isinstance(v, bool) for v in values
    )
    if not whole or len(values) != 2:
        raise InvalidTypeError(
            f"{name}: got {value!r}, expected an integer or a pair (height, width) of integers"
        )
    if min(values) < 1:
        raise InvalidArgumentError(f"{name}: got {value!r}, expected integers >= 1")
    return values[0], values[1]


def _three(name: str, values: Any) -> tuple[float, ...]:
    numbers = np.asarray(values, dtype=np.float64).reshape(-1)
    if numbers.size != 3 or not np.isfinite(numbers).all() or (name == "std" and not numbers.all()):
        raise InvalidArgumentError(
            f"{name}: got {values!r}, expected three finite numbers, those of std not 0"
        )
    return tuple(numbers.tolist())


def _check(steps: _Steps) -> None:
    if (steps.shorter_side is None) == (steps.size is None):
        raise InvalidArgumentError(
            "shorter_side, size: give one of them, the length of the shorter side or (height, "
            f"width); got {steps.shorter_side!r} and {steps.size!r}"
        )
    least = steps.size or (steps.shorter_side or 0, steps.shorter_side or 0)
    if steps.crop is not None and (steps.crop[0] > least[0] or steps.crop[1] > least[1]):
        raise InvalidArgumentError(
            f"crop: got {steps.crop}, which is larger than the resized picture may be, {least}; "
            "padding is not done: make the crop smaller or shorter_side larger"
        )


def _read_config(config: str | os.PathLike[str] | Mapping[str, Any]) -> _Steps:
    """The steps of a ``preprocessor_config.json`` of the package transformers."""
    values = dict(config) if isinstance(config, Mapping) else _loaded(config)
    resample = values.get("resample", _BICUBIC)
    if not values.get("do_resize", True) or resample != _BICUBIC:
        raise InvalidArgumentError(
            f"config: got do_resize={values.get('do_resize', True)!r}, resample={resample!r}; "
            "only resizing by bicubic, 3, is done here; if another filter will do, set resample "
            "to 3"
        )
    size, crop = values.get("size", {}), values.get("crop_size")
    shorter = size if isinstance(size, int) else size.get("shortest_edge")
    cropped = values.get("do_center_crop", crop is not None) and crop is not None
    normalised = values.get("do_normalize", True)
    rescaled = values.get("do_rescale", True)
    return _Steps(
        shorter_side=None if shorter is None else _pair("config: size", shorter)[0],
        size=_pair("config: size", _height_width(size)) if shorter is None else None,
        crop=_pair("config: crop_size", _height_width(crop)) if cropped else None,
        rescale=float(values.get("rescale_factor", 1 / 255)) if rescaled else 1.0,
        mean=_three("config: image_mean", values.get("image_mean")) if normalised else (0.0,) * 3,
        std=_three("std", values.get("image_std")) if normalised else (1.0,) * 3,
    )


def _loaded(path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            values = json.load(file)
    except (OSError, ValueError) as error:
        raise FileError(f"config: {os.fspath(path)!r} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise FileError(f"config: {os.fspath(path)!r} holds no object with settings")
    return values


def _height_width(value: Any) -> Any:
    if isinstance(value, Mapping):
        return value.get("height"), value.get("width")
    return value


def _written(steps: _Steps, dtype: int, opset: int) -> onnx.ModelProto:
    writer = NodeWriter(opset, "preprocess")
    out: ShapeWriter[str] = ShapeWriter(writer)
    picture = writer.op("Transpose", "image", perm=[2, 0, 1])
    batch = writer.op("Unsqueeze", picture, out.ints(0))
    sizes = out.concat(out.slice(writer.op("Shape", batch), 0, 2), _target(out, batch, steps))
    resized = "preprocess_resized"
    writer.nodes.append(
        helper.make_node(
            SIZES_OP,
            [batch, sizes],
            [resized],
            "preprocess_resize",
            domain=DOMAIN,
            antialias=1,
            cubic_coeff_a=-0.5,
            exclude_outside=1,
            rounding="pillow",
        )
    )
    cropped = _cropped(out, resized, steps)
    factors = steps.rescale / np.array(steps.std)
    terms = -np.array(steps.mean) / np.array(steps.std)
    scaled = writer.op(
        "Mul", out.cast(cropped, TensorProto.FLOAT), out.constant(_per_channel(factors))
    )
    normalised = writer.op("Add", scaled, out.constant(_per_channel(terms)))
    result = out.cast(normalised, dtype)
    writer.nodes.append(helper.make_node("Identity", [result], ["pixel_values"]))
    extents = steps.crop or steps.size or ("height", "width")
    graph = helper.make_graph(
        writer.nodes,
        "preprocess",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ("H", "W", 3))],
        [helper.make_tensor_value_info("pixel_values", dtype, (1, 3, *extents))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    import_domain(model)
    lower_ir_version(model)
    return model


def _per_channel(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return values.astype(np.float32).reshape(1, 3, 1, 1)


def _target(out: ShapeWriter[str], batch: str, steps: _Steps) -> str:
    """(height, width) of the resized picture, int64."""
    if steps.size is not None:
        return out.ints(*steps.size)
    sides = out.double(out.last_two(out.op("Shape", batch)))
    shorter = out.op("ReduceMin", sides, keepdims=1)
    longer = out.op("Mul", sides, out.number(float(steps.shorter_side or 0)))
    return out.cast(out.op("Div", longer, shorter), TensorProto.INT64)


def _cropped(out: ShapeWriter[str], resized: str, steps: _Steps) -> str:
    if steps.crop is None:
        return resized
    sides = out.last_two(out.op("Shape", resized))
    start = out.op("Div", out.op("Sub", sides, out.ints(*steps.crop)), out.ints(2))
    end = out.op("Add", start, out.ints(*steps.crop))
    return out.op("Slice", resized, start, end, out.ints(2, 3))


def _in_front(steps: _Steps, dtype: int, model: onnx.ModelProto) -> onnx.ModelProto:
    defaults = {item.name for item in model.graph.initializer}
    images = [
        value
        for value in model.graph.input
        if value.name not in defaults and len(value.type.tensor_type.shape.dim) == 4
    ]
    if len(images) != 1:
        raise ModelError(
            f"model: has {len(images)} inputs of four axes, expected one, which takes the picture"
        )
    wanted = images[0].type.tensor_type.elem_type
    if wanted != dtype:
        raise ModelError(
            f"model: its input {images[0].name!r} has the type {TensorProto.DataType.Name(wanted)},"
            " not the one of dtype; give dtype='float16' to a model of float16"
        )
    drop_functions(model)
    front = _written(steps, dtype, default_opset(model.opset_import))
    front.ir_version = model.ir_version = max(front.ir_version, model.ir_version)
    import_domain(model)
    taken = {name for node in model.graph.node for name in (*node.input, *node.output)}
    prefix = "preprocess/" if taken & {"image", "pixel_values"} else ""
    merged = onnx.compose.merge_models(
        onnx.compose.add_prefix(front, prefix) if prefix else front,
        model,
        io_map=[(f"{prefix}pixel_values", images[0].name)],
    )
    return add_functions(merged)
