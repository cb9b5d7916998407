"""Networks as the pipeline sees them: numpy planes in 0..1 and a scale in, planes out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr_ops.errors import CheckpointError, InvalidArgumentError, MissingDependencyError, ModelError

__all__ = ["BACKENDS", "Network", "load_network"]

BACKENDS = ("auto", "torch", "ort")
Planes = NDArray[np.float32]


class Network:
    """A network and the one thing about it that colour handling needs.

    Args:
        run: (1, channels, H, W) float32 and (scale_h, scale_w) to (1, channels, H_out, W_out).
        channels: 3 (RGB) or 1 (luma).
        name: for messages.
    """

    def __init__(
        self, run: Callable[[Planes, tuple[float, float]], Planes], channels: int, name: str
    ) -> None:
        self.run = run
        self.channels = channels
        self.name = name


def load_network(model: Any, backend: str = "auto") -> Network:
    """A network from a checkpoint, an .onnx file or a torch module.

    Args:
        model: path of a checkpoint or of an exported ``.onnx`` (inputs: image and scale), or an
            ``nn.Module`` whose ``forward(x, scale)`` has a ``channels`` attribute.
        backend: "torch", "ort" (a checkpoint is exported first, in memory), or "auto": ONNX Runtime
            for ``.onnx`` files, else torch.

    Raises:
        InvalidArgumentError: an unknown backend, or torch for an ``.onnx`` file.
        CheckpointError, ModelError, FileError: the file is not usable.
        MissingDependencyError: torch or onnxruntime is not installed.
    """
    if backend not in BACKENDS:
        raise InvalidArgumentError(f"backend: got {backend!r}, expected one of {BACKENDS}")
    is_file = isinstance(model, (str, os.PathLike))
    if is_file and Path(model).suffix.lower() == ".onnx":
        if backend == "torch":
            raise InvalidArgumentError(f"backend: 'torch' cannot run {model}; use 'ort'")
        return _session_network(model, str(model))
    from sr_ops import models

    module = models.load(model) if is_file else model
    name = str(model) if is_file else type(module).__name__
    channels = getattr(module, "channels", None)
    if channels not in (1, 3):
        raise CheckpointError(f"{name}: a network of {channels} channels; 1 (luma) or 3 (RGB) work")
    if backend == "ort":
        return _exported_network(module, name)
    return _torch_network(module, name)


def _torch_network(module: Any, name: str) -> Network:
    import torch

    def run(planes: Planes, scale: tuple[float, float]) -> Planes:
        with torch.inference_mode():
            return np.asarray(module(torch.from_numpy(planes), scale).numpy())

    return Network(run, module.channels, name)


def _exported_network(module: Any, name: str) -> Network:
    import torch

    import sr_ops.onnx

    example = (torch.zeros(1, module.channels, 16, 16), torch.tensor([2.0, 2.0]))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        sr_ops.onnx.export(module, example, path, input_names=["x", "scale"], output_names=["y"])
        return _session_network(path, name)


def _session_network(path: str | os.PathLike[str], name: str) -> Network:
    import sr_ops.onnx

    try:
        session = sr_ops.onnx.make_session(path)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"{name} needs {error.name}: pip install 'sr-ops[ort]'"
        ) from error
    inputs = session.get_inputs()
    channels = inputs[0].shape[1] if inputs and len(inputs[0].shape) == 4 else None
    if len(inputs) != 2 or channels not in (1, 3):
        forms = ", ".join(f"{i.name} {i.shape}" for i in inputs)
        raise ModelError(
            f"{name}: expected two inputs, an image (N, 1 or 3, H, W) and a scale; it has {forms}"
        )
    image, scale_input = inputs
    elements = scale_input.shape[0] if scale_input.shape else 0

    def run(planes: Planes, scale: tuple[float, float]) -> Planes:
        feed = {image.name: planes, scale_input.name: _scale_tensor(scale, elements, name)}
        return np.asarray(session.run(None, feed)[0])

    return Network(run, channels, name)


def _scale_tensor(scale: tuple[float, float], elements: Any, name: str) -> NDArray[np.float32]:
    """The scale in the form that the model's input declares: 0-d, or of 1, 2 or 4 elements."""
    if elements in (0, 1):
        if scale[0] != scale[1]:
            raise InvalidArgumentError(
                f"scale: got {scale}, but {name} takes one factor for both axes"
            )
        return np.array(scale[0] if elements == 0 else [scale[0]], np.float32)
    return np.array([1.0, 1.0, *scale] if elements == 4 else scale, np.float32)
