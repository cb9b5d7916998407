"""Networks as the pipeline sees them: numpy planes in 0..1 and a scale in, planes out."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sr_ops.errors import (
    CheckpointError,
    InvalidArgumentError,
    InvalidTypeError,
    MissingDependencyError,
    ModelError,
)
from sr_ops.imaging import colour, encoded
from sr_ops.imaging.files import decode_image, encode_image
from sr_ops.models import bundled
from sr_ops.models.traits import Traits

__all__ = ["BACKENDS", "Network", "load_network", "pick_name", "runtimes"]

BACKENDS = ("auto", "torch", "ort")
Planes = NDArray[np.float32]
Factors = tuple[float, float]


class Network(NamedTuple):
    """A network that is ready to run.

    Attributes:
        run: (1, channels, H, W) float32 and (scale_h, scale_w) to (1, channels, H_out, W_out).
        traits: what the pipeline must know about it.
        name: for messages.
    """

    run: Callable[[Planes, Factors], Planes]
    traits: Traits
    name: str


def pick_name(family: str, scale: float) -> str:
    """The bundled network of a family of fixed factors for a scale: the next factor above.

    >>> pick_name("espcn", 2.7), pick_name("espcn", 9), pick_name("srcnn", 2.7)
    ('espcn_x3', 'espcn_x4', 'srcnn')
    """
    prefix = f"{family}_x"
    factors = sorted(int(n[len(prefix) :]) for n in bundled.names() if n.startswith(prefix))
    if not factors:
        return family
    return f"{prefix}{next((factor for factor in factors if factor >= scale), factors[-1])}"


def load_network(model: Any, backend: str = "auto") -> Network:
    """A network from a file, a name or a torch module.

    Args:
        model: the name of a bundled network; path of a checkpoint, or of an ``.onnx`` file whose
            inputs are an image and a scale, or only an image; or an ``nn.Module`` with an attribute
            ``channels`` whose ``forward`` takes (x, scale).
        backend: "torch", "ort" (a checkpoint is exported first, in memory), or "auto": ONNX Runtime
            for bundled networks, where it is installed, and for ``.onnx`` files; else torch.

    Raises:
        InvalidArgumentError: an unknown backend, or torch for an ``.onnx`` file.
        InvalidTypeError: neither a path nor a module.
        CheckpointError, ModelError, FileError: the file is not usable.
        MissingDependencyError: torch or onnxruntime is not installed.
    """
    if backend not in BACKENDS:
        raise InvalidArgumentError(
            f"backend: got {backend!r}, expected one of {', '.join(BACKENDS)}"
        )
    if not isinstance(model, (str, os.PathLike)):
        if not hasattr(model, "forward"):
            raise InvalidTypeError(
                f"model: got {type(model).__name__}, expected a name, a path or an nn.Module"
            )
        return _module_network(model, backend, type(model).__name__)
    onnx_file = bundled.find(model, ".onnx")
    if onnx_file is not None and (backend == "ort" or (backend == "auto" and "ort" in runtimes())):
        return _session_network(onnx_file, str(model))
    if Path(model).suffix.lower() == ".onnx":
        if backend == "torch":
            raise InvalidArgumentError(f"backend: 'torch' cannot run {model}; use 'ort'")
        return _session_network(model, str(model))
    from sr_ops import models

    return _module_network(models.load(model), backend, str(model))


def runtimes() -> list[str]:
    """Which of "ort" and "torch" are installed."""
    needed = {"ort": ("onnx", "onnxruntime"), "torch": ("torch",)}
    return [
        backend
        for backend, packages in needed.items()
        if all(importlib.util.find_spec(package) for package in packages)
    ]


def _module_network(module: Any, backend: str, name: str) -> Network:
    channels = getattr(module, "channels", None)
    if channels not in (1, 3):
        raise CheckpointError(f"{name}: a network of {channels} channels; 1 (luma) or 3 (RGB) work")
    if backend == "ort":
        from sr_ops import models

        return _session_network(models.to_onnx(module), name)
    import torch

    from sr_ops.imaging.torch_convolutions import OneDnnConvolutions

    device = next((p.device for p in module.parameters()), torch.device("cpu"))

    def run(planes: Planes, scale: Factors) -> Planes:
        # Out of a caller's inference_mode, which would keep convolutions from being seen.
        with torch.inference_mode(False), torch.no_grad(), OneDnnConvolutions():
            x = torch.from_numpy(np.ascontiguousarray(planes)).to(device)
            return np.asarray(module(x, scale).cpu().numpy())

    return Network(run, Traits.of(module), name)


def _session_network(model: Any, name: str) -> Network:
    try:
        import sr_ops.onnx

        session = sr_ops.onnx.make_session(model)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"{name} needs {error.name}: pip install 'sr-ops[ort]'"
        ) from error
    inputs = session.get_inputs()
    if encoded.is_picture_session(session):
        return Network(_through_files(session), Traits(3), name)
    channels = _image_channels(inputs, name)
    traits = Traits.from_metadata(session.get_modelmeta().custom_metadata_map)
    if len(inputs) == 2:
        run = _with_scale(session, inputs, name)
        return Network(run, traits or Traits(channels), name)

    def run_fixed(planes: Planes, _: Factors) -> Planes:
        return _run(session, {inputs[0].name: planes}, name)

    return Network(run_fixed, traits or _probed(run_fixed, channels, name), name)


def _image_channels(inputs: Any, name: str) -> int:
    """1 or 3, of a model's first input.

    Raises:
        ModelError: the inputs are not those of a network for pictures of any size.
    """
    forms = ", ".join(f"{i.name} {i.type} {i.shape}" for i in inputs)
    shape = inputs[0].shape if inputs else []
    if len(inputs) not in (1, 2) or len(shape) != 4 or shape[1] not in (1, 3):
        raise ModelError(
            f"{name}: expected an image (N, 1 or 3, H, W) and a scale as inputs, or only the "
            f"image; it has {forms}"
        )
    if any(i.type != "tensor(float)" for i in inputs):
        raise ModelError(f"{name}: takes {forms}; expected float32")
    if any(isinstance(side, int) for side in shape[2:]):
        raise ModelError(
            f"{name}: takes pictures of one size only ({forms}); export it with a dynamic height "
            "and width, or try `sr-ops make-dynamic`"
        )
    return int(shape[1])


def _run(session: Any, feed: dict[str, Any], name: str) -> Planes:
    """The first output, a picture.

    Raises:
        ModelError: the runtime refuses, or the output has another form.
    """
    try:
        result = np.asarray(session.run(None, feed)[0])
    except Exception as error:  # the runtime's own classes share no base but this one
        raise ModelError(f"{name}: does not run: {error}") from error
    if result.ndim != 4 or len(result) != 1:
        raise ModelError(f"{name}: gives {result.shape}; expected a picture (1, C, H, W)")
    return result


def _through_files(session: Any) -> Callable[[Planes, Factors], Planes]:
    """A model exported with --image-io: it sees 8 bits, as a PNG file."""

    def run(planes: Planes, scale: Factors) -> Planes:
        pixels = colour.from_unit(planes[0].transpose(1, 2, 0), np.uint8)
        png = encoded.upscale_encoded(encode_image(pixels, "in.png"), scale, session)
        return np.asarray(colour.to_unit(decode_image(png)).transpose(2, 0, 1)[None])

    return run


def _with_scale(session: Any, inputs: Any, name: str) -> Callable[[Planes, Factors], Planes]:
    image, scale_input = inputs
    elements = scale_input.shape[0] if scale_input.shape else 0

    def run(planes: Planes, scale: Factors) -> Planes:
        if elements in (0, 1):
            if scale[0] != scale[1]:
                raise InvalidArgumentError(
                    f"scale: got {scale}, but {name} takes one factor for both axes"
                )
            values = np.array(scale[0] if elements == 0 else [scale[0]], np.float32)
        else:
            values = np.array([1.0, 1.0, *scale] if elements == 4 else scale, np.float32)
        return _run(session, {image.name: planes, scale_input.name: values}, name)

    return run


def _probed(run: Callable[[Planes, Factors], Planes], channels: int, name: str) -> Traits:
    """The factor of a network that takes no scale, from its answer to a small picture."""
    side = 32
    height, width = run(np.zeros((1, channels, side, side), np.float32), (1.0, 1.0)).shape[2:]
    if height != width or height % side:
        raise ModelError(
            f"{name}: takes no scale, and makes {width} x {height} of {side} x {side}: expected a "
            "whole factor"
        )
    return Traits(channels, factor=height // side)
