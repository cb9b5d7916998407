"""Plain bicubic pictures through any door; all give the same bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sr_ops.numpy
from sr_ops.errors import InvalidArgumentError, MissingDependencyError

__all__ = ["BACKENDS", "bicubic", "bicubic_door"]

Image = NDArray[Any]
Door = Callable[[Image, tuple[float, float]], Image]

BACKENDS = ("auto", "numpy", "torch", "ort")


def bicubic(image: Image, scale: tuple[float, float]) -> Image:
    """(H, W) or (H, W, C), any dtype of the numpy door, resampled."""
    return sr_ops.numpy.dynamic_upscale(image, scale, layout="HWC" if image.ndim == 3 else "HW")


def bicubic_door(backend: str) -> Door:
    """What resamples a picture: the numpy door ("auto", "numpy"), torch's, or ONNX Runtime's.

    Raises:
        InvalidArgumentError: an unknown backend.
        MissingDependencyError: the backend is not installed.
    """
    if backend not in BACKENDS:
        raise InvalidArgumentError(f"backend: got {backend!r}, expected one of {BACKENDS}")
    try:
        return {"torch": _torch_door, "ort": _ort_door}.get(backend, lambda: bicubic)()
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"backend {backend!r} needs {error.name}: pip install 'sr-ops[{backend}]'"
        ) from error


def _torch_door() -> Door:
    import torch

    def resample(image: Image, scale: tuple[float, float]) -> Image:
        channels_last = torch.from_numpy(_with_channels(image))[None]
        planes = channels_last.permute(0, 3, 1, 2)
        result = sr_ops.dynamic_upscale(planes, scale)[0].permute(1, 2, 0).numpy()
        return np.ascontiguousarray(result).reshape(*result.shape[:2], *image.shape[2:])

    return resample


def _ort_door() -> Door:
    def resample(image: Image, scale: tuple[float, float]) -> Image:
        session = sr_ops.onnx.make_session(_one_node_model(image.dtype))
        planes = np.ascontiguousarray(_with_channels(image).transpose(2, 0, 1)[None])
        feed = {"X": planes, "scales": np.array([1, 1, *scale], np.float32)}
        result = session.run(None, feed)[0][0].transpose(1, 2, 0)
        return np.ascontiguousarray(result).reshape(*result.shape[:2], *image.shape[2:])

    import onnx  # noqa: F401
    import onnxruntime  # noqa: F401

    import sr_ops.onnx

    return resample


def _one_node_model(dtype: Any) -> Any:
    """A model of nothing but the operator."""
    from onnx import TensorProto, helper

    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    graph = helper.make_graph(
        [helper.make_node("DynamicUpscale", ["X", "scales"], ["Y"], domain="sr_ops")],
        "bicubic",
        [
            helper.make_tensor_value_info("X", element, ["N", "C", "H", "W"]),
            helper.make_tensor_value_info("scales", TensorProto.FLOAT, [4]),
        ],
        [helper.make_tensor_value_info("Y", element, ["N", "C", "H_out", "W_out"])],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("sr_ops", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def _with_channels(image: Image) -> Image:
    return np.ascontiguousarray(image[..., None] if image.ndim == 2 else image)
