"""Plain bicubic pictures through any door; all give the same bits.

Antialiased where the picture shrinks.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sr_ops.numpy
from sr_ops.errors import InvalidArgumentError, MissingDependencyError
from sr_ops.imaging.geometry import Geometry

__all__ = ["BACKENDS", "Door", "bicubic_door"]

Image = NDArray[Any]
#: (H, W) or (H, W, C) of any dtype that the numpy door takes, resampled.
Door = Callable[[Image, Geometry], Image]

BACKENDS = ("auto", "numpy", "torch", "ort")


def bicubic_door(backend: str) -> Door:
    """What resamples a picture: the numpy door ("auto", "numpy"), torch's, or ONNX Runtime's.

    Raises:
        InvalidArgumentError: an unknown backend.
        MissingDependencyError: the backend is not installed.
    """
    if backend not in BACKENDS:
        raise InvalidArgumentError(
            f"backend: got {backend!r}, expected one of {', '.join(BACKENDS)}"
        )
    try:
        return {"torch": _torch_door, "ort": _ort_door}.get(backend, lambda: _numpy_door)()
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"backend {backend!r} needs {error.name}: pip install 'sr-ops[{backend}]'"
        ) from error


def _numpy_door(image: Image, geometry: Geometry) -> Image:
    layout = "HWC" if image.ndim == 3 else "HW"
    return sr_ops.numpy.dynamic_upscale(
        image, **_scale_or_size(geometry), layout=layout, antialias=True
    )


def _torch_door() -> Door:
    import torch

    from sr_ops.ops import dynamic_upscale

    def resample(image: Image, geometry: Geometry) -> Image:
        array = _with_channels(image)
        writeable = array if array.flags.writeable else array.copy()  # torch warns of others
        planes = torch.from_numpy(writeable)[None].permute(0, 3, 1, 2)
        result = dynamic_upscale(planes, **_scale_or_size(geometry), antialias=True)
        return _like(image, result[0].permute(1, 2, 0).numpy())

    return resample


def _ort_door() -> Door:
    import onnx  # noqa: F401
    import onnxruntime  # type: ignore[import-untyped]  # noqa: F401

    def resample(image: Image, geometry: Geometry) -> Image:
        planes = np.ascontiguousarray(_with_channels(image).transpose(2, 0, 1)[None])
        g = geometry
        if g.by_scale:
            last = np.array([1, 1, g.scale_height, g.scale_width], np.float32)
        else:
            last = np.array([1, planes.shape[1], g.out_height, g.out_width], np.int64)
        session = _session(image.dtype, last.dtype, os.getpid())
        result = session.run(None, {"X": planes, "last": last})[0]
        return _like(image, result[0].transpose(1, 2, 0))

    return resample


@functools.lru_cache(maxsize=8)
def _session(dtype: Any, last: Any, process: int) -> Any:
    """One for each process: a session's threads stay behind in a fork."""
    from sr_ops.onnx import make_session

    return make_session(_one_node_model(dtype, last))


def _one_node_model(dtype: Any, last: Any) -> Any:
    """A model of nothing but the operator, for scales (float32) or sizes (int64)."""
    from onnx import helper

    element, last_element = (helper.np_dtype_to_tensor_dtype(np.dtype(t)) for t in (dtype, last))
    op = "DynamicUpscale" if np.dtype(last).kind == "f" else "DynamicUpscaleToSizes"
    graph = helper.make_graph(
        [helper.make_node(op, ["X", "last"], ["Y"], domain="sr_ops", antialias=1)],
        "bicubic",
        [
            helper.make_tensor_value_info("X", element, ["N", "C", "H", "W"]),
            helper.make_tensor_value_info("last", last_element, [4]),
        ],
        [helper.make_tensor_value_info("Y", element, ["N", "C", "H_out", "W_out"])],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("sr_ops", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def _scale_or_size(geometry: Geometry) -> dict[str, Any]:
    if geometry.by_scale:
        return {"scale": (geometry.scale_height, geometry.scale_width)}
    return {"size": (geometry.out_height, geometry.out_width)}


def _with_channels(image: Image) -> Image:
    return np.ascontiguousarray(image[..., None] if image.ndim == 2 else image)


def _like(image: Image, result: Image) -> Image:
    """Contiguous, and without the channel axis where ``image`` has none."""
    return np.ascontiguousarray(result).reshape(*result.shape[:2], *image.shape[2:])
