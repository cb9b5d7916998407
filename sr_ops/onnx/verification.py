"""Whether two models compute the same: both run in ONNX Runtime on the same inputs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from sr_ops.errors import InvalidArgumentError, ModelError, SrOpsError
from sr_ops.onnx.cubic_resize import is_cubic_resize
from sr_ops.onnx.functions import is_operator
from sr_ops.onnx.lineage import inputs_behind
from sr_ops.onnx.model_files import ModelSource, load_model, save_model

__all__ = ["example_inputs", "verify_same_results"]

#: Extent of a dynamic axis, by its position: divisible by what networks usually divide by.
_EXTENTS = (2, 3, 64, 96)
_SCALE = 2.0

#: Element type -> (relative, absolute) tolerance; absolute as a share of the largest value.
_TOLERANCES = {
    np.dtype(np.float16): (1e-2, 1e-3),
    np.dtype(np.float32): (1e-3, 1e-5),
    np.dtype(np.float64): (1e-3, 1e-5),
}


def verify_same_results(
    original: ModelSource, new: onnx.ModelProto, feeds: Mapping[str, Any] | None = None
) -> None:
    """Run two models, ours with the sr_ops library, and compare all outputs.

    Args:
        original: path or model.
        new: the model made from it.
        feeds: input name -> array; None: random images, and a scale of 2 where it is an input.

    Raises:
        ModelError: the results differ, or one of the models does not run.
        InvalidArgumentError: a name in ``feeds`` is not an input, or one is missing.
    """
    if feeds is None:
        feeds = example_inputs(load_model(original, weights=False))
    expected = _run("the original", original, feeds)
    results = _run("the new model", new, feeds)
    for name, want in expected.items():
        _compare(name, want, results[name])


def _compare(name: str, want: Any, got: Any) -> None:
    want, got = np.asarray(want), np.asarray(got)
    if want.shape != got.shape or want.dtype != got.dtype:
        raise ModelError(
            f"verify: output {name!r} was {want.dtype} {list(want.shape)} and is now {got.dtype} "
            f"{list(got.shape)}"
        )
    if not want.size or want.dtype.kind not in "fiu":
        return
    difference = np.abs(want.astype(np.float64) - got.astype(np.float64))
    relative, absolute = _TOLERANCES.get(want.dtype, (0.0, 1.0))
    if want.dtype in _TOLERANCES:
        absolute *= max(1.0, float(np.abs(want).max()))
    excess = difference - (absolute + relative * np.abs(want.astype(np.float64)))
    if not excess.max() <= 0:  # NaN, too
        raise ModelError(
            f"verify: output {name!r} differs by up to {difference.max():.3g}, where at most "
            f"{absolute:.3g} + {relative:.3g} x |value| is accepted"
        )


def _run(what: str, model: ModelSource, feeds: Mapping[str, Any]) -> dict[str, Any]:
    from sr_ops.onnx.session import make_session

    try:
        with tempfile.TemporaryDirectory() as folder:
            if isinstance(model, onnx.ModelProto):
                # By file: a serialized model ends at 2 GiB.
                save_model(model, os.path.join(folder, "model.onnx"))
                model = os.path.join(folder, "model.onnx")
            session = make_session(model, providers=["CPUExecutionProvider"])
            _check_names(session, feeds)
            arrays = {name: np.asarray(value) for name, value in feeds.items()}
            names = [value.name for value in session.get_outputs()]
            return dict(zip(names, session.run(names, arrays), strict=True))
    except SrOpsError:
        raise
    except Exception as error:  # ONNX Runtime's exceptions have no common base of their own
        raise ModelError(f"verify: {what} does not run in ONNX Runtime: {error}") from error


def _check_names(session: Any, feeds: Mapping[str, Any]) -> None:
    required = {value.name for value in session.get_inputs()}
    known = required | {value.name for value in session.get_overridable_initializers()}
    unknown, missing = set(feeds) - known, required - set(feeds)
    if unknown or missing:
        raise InvalidArgumentError(
            f"verify: inputs are {sorted(known)}; unknown {sorted(unknown)}, missing "
            f"{sorted(missing)}"
        )


def example_inputs(model: onnx.ModelProto) -> dict[str, Any]:
    """Input name -> array: random images, and a scale of 2 where it is an input.

    Raises:
        ModelError: an input that no example can be made up for.
    """
    rng = np.random.default_rng(0)
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    extents: dict[str, int] = {}
    shapes = {value.name: _shape(value, extents) for value in inputs}
    image = next((shape for shape in shapes.values() if len(shape) == 4), [])
    steering = inputs_behind(
        model.graph,
        (
            name
            for node in model.graph.node
            if is_operator(node) or is_cubic_resize(node)
            for name in node.input[1:]
        ),
    )
    return {
        value.name: _steering_value(value, shapes[value.name], image)
        if value.name in steering
        else _random(value, shapes[value.name], rng)
        for value in inputs
    }


def _shape(value: onnx.ValueInfoProto, extents: dict[str, int]) -> list[int]:
    shape = []
    for axis, dim in enumerate(value.type.tensor_type.shape.dim):
        if dim.HasField("dim_value"):
            shape.append(dim.dim_value)
            continue
        extent = _EXTENTS[min(axis, len(_EXTENTS) - 1)]
        shape.append(extents.setdefault(dim.dim_param, extent) if dim.dim_param else extent)
    return shape


def _steering_value(value: onnx.ValueInfoProto, shape: list[int], image: list[int]) -> Any:
    dtype = helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    if dtype.kind == "f":
        result = np.full(shape, _SCALE, dtype)
    else:
        result = np.resize([int(extent * _SCALE) for extent in image[-2:] or [64, 96]], shape)
        result = result.astype(dtype)
    if shape == [4]:
        result[:2] = 1 if dtype.kind == "f" else image[:2]
    return result


def _random(value: onnx.ValueInfoProto, shape: list[int], rng: np.random.Generator) -> Any:
    elem_type = value.type.tensor_type.elem_type
    if elem_type in (TensorProto.UNDEFINED, TensorProto.STRING):
        raise ModelError(
            f"verify: no example can be made up for input {value.name!r}; pass verify={{name: "
            "array}}"
        )
    dtype = helper.tensor_dtype_to_np_dtype(elem_type)
    if dtype.kind in "iu":
        return rng.integers(0, 128, shape).astype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    return rng.random(shape).astype(dtype)
