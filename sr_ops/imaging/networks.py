"""From what a user names to a network that is ready to run."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy as np

from sr_ops.errors import (
    CheckpointError,
    InvalidArgumentError,
    InvalidTypeError,
    MissingDependencyError,
    ModelError,
)
from sr_ops.imaging import fields
from sr_ops.imaging.network import Factors, Network, Planes, finite
from sr_ops.imaging.padding import padded
from sr_ops.imaging.treatment import Treatment
from sr_ops.models import bundled
from sr_ops.models.traits import KEEPS_SIZE, Traits

__all__ = ["BACKENDS", "Network", "load_network", "pick_name", "runtimes"]

BACKENDS = ("auto", "torch", "ort")

_AS_THE_FILE_SAYS = Treatment()


def pick_name(name: str) -> str:
    """The best network of a family of bundled ones; another name as it is.

    >>> pick_name("espcn"), pick_name("srcnn")
    ('espcn_x3', 'srcnn')
    """
    return bundled.BEST.get(name, name)


def load_network(
    model: Any, backend: str = "auto", treatment: Treatment = _AS_THE_FILE_SAYS
) -> Network:
    """A network from a file, a name or a torch module.

    Args:
        model: the name of a bundled network; path of a checkpoint, or of an ``.onnx`` file whose
            inputs are an image and a scale, or only an image; or an ``nn.Module`` with an attribute
            ``channels`` whose ``forward`` takes (x, scale).
        backend: "torch", "ort" (a checkpoint is exported first, in memory), or "auto": ONNX Runtime
            for bundled networks, where it is installed, and for ``.onnx`` files; else torch.
        treatment: what the file does not tell.

    Raises:
        InvalidArgumentError: an unknown backend, torch for an ``.onnx`` file, or a treatment that
            does not fit.
        InvalidTypeError: neither a path nor a module.
        CheckpointError, ModelError, FileError: the file is not usable.
        MissingDependencyError: torch or onnxruntime is not installed.
    """
    if backend not in BACKENDS:
        raise InvalidArgumentError(
            f"backend: got {backend!r}, expected one of {', '.join(BACKENDS)}"
        )
    treatment = treatment.checked()
    if not isinstance(model, (str, os.PathLike)):
        if not hasattr(model, "forward"):
            raise InvalidTypeError(
                f"model: got {type(model).__name__}, expected a name, a path or an nn.Module"
            )
        return _module_network(model, backend, type(model).__name__, treatment)
    onnx_file = bundled.find(model, ".onnx")
    if onnx_file is not None and (backend == "ort" or (backend == "auto" and "ort" in runtimes())):
        return _session_network(onnx_file, str(model), treatment)
    if Path(model).suffix.lower() == ".onnx":
        if backend == "torch":
            raise InvalidArgumentError(f"backend: 'torch' cannot run {model}; use 'ort'")
        return _session_network(model, str(model), treatment)
    from sr_ops import models

    network = models.load(model, trust_torchscript=treatment.trust_torchscript)
    return _module_network(network, backend, str(model), treatment)


def runtimes() -> list[str]:
    """Which of "ort" and "torch" are installed."""
    needed = {"ort": ("onnx", "onnxruntime"), "torch": ("torch",)}
    return [
        backend
        for backend, packages in needed.items()
        if all(importlib.util.find_spec(package) for package in packages)
    ]


def _session_network(model: Any, name: str, treatment: Treatment) -> Network:
    try:
        from sr_ops.imaging.sessions import session_network
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"{name} needs {error.name}: pip install 'sr-ops[ort]'"
        ) from error
    return session_network(model, name, treatment)


def _module_network(module: Any, backend: str, name: str, treatment: Treatment) -> Network:
    channels = getattr(module, "channels", None)
    if channels not in (1, 3, 4):
        raise CheckpointError(
            f"{name}: a network of {channels} channels; 1 (luma), 3 (RGB) or 4 (RGBA) work"
        )
    if treatment.layout not in (None, "NCHW"):
        raise InvalidArgumentError(
            f"layout: got {treatment.layout}, but {name} is a torch module, which takes NCHW"
        )
    if getattr(module, "keeps_size", False):
        module = _placed(module, name, treatment)
    traits = _traits(module, name, treatment)
    if backend == "ort":
        from sr_ops import models

        exported = models.to_onnx(module)
        network = _session_network(exported, name, treatment._replace(layout=None))
        if traits.radius is not None or network.measure is not None:
            return network._replace(traits=network.traits._replace(restores=traits.restores))
        return network._replace(measure=lambda: _measured(module, network.run, traits))
    import torch

    from sr_ops.imaging.torch_convolutions import OneDnnConvolutions

    device = next((p.device for p in module.parameters()), torch.device("cpu"))
    white = np.float32(treatment.value_range or 1)

    def run(planes: Planes, scale: Factors) -> Planes:
        # Out of a caller's inference_mode, which would keep convolutions from being seen.
        with torch.inference_mode(False), torch.no_grad(), OneDnnConvolutions():
            x = torch.from_numpy(np.ascontiguousarray(planes * white)).to(device)
            return np.asarray(module(x, scale).cpu().numpy() / white)

    if traits.enlarged_before or traits.factors:
        return Network(finite(run, name), traits, name, lambda: _measured(module, run, traits))
    factors = (float(traits.factor), float(traits.factor))
    sized = padded(lambda planes: run(planes, factors), traits.factor)
    # The pipeline never asks for another scale.
    return Network(
        finite(lambda planes, _: sized(planes), name),
        traits,
        name,
        lambda: _measured(module, run, traits),
    )


def _placed(module: Any, name: str, treatment: Treatment) -> Any:
    """A program that keeps the size, with the operator before or after it."""
    if treatment.enlarge is not None:
        return module.placed(treatment.enlarge)
    if module.restores is None:
        raise ModelError(f"{name}: {KEEPS_SIZE}")
    return module


def _traits(module: Any, name: str, treatment: Treatment) -> Traits:
    traits = Traits.of(module)
    if treatment.enlarge is None:
        return traits
    if traits.factor != 1 or traits.factors:
        raise InvalidArgumentError(
            f"enlarge: got {treatment.enlarge!r}, but {name} enlarges by {traits.factor} itself"
        )
    return traits._replace(restores=treatment.enlarge == "after")


def _measured(module: Any, run: Any, traits: Traits) -> Traits:
    """With what can be found out of how far the module sees, and how much memory it takes."""
    import torch

    from sr_ops.models.dependence import Dependence

    device = next((p.device for p in module.parameters()), torch.device("cpu"))
    factors = (float(traits.factor), float(traits.factor))
    memory = 0

    def structure(planes: Planes) -> Planes:
        nonlocal memory
        with torch.inference_mode(False), torch.no_grad(), Dependence() as mode:
            result = module(torch.from_numpy(planes).to(device), factors).cpu().numpy()
        memory = max(memory, mode.largest // (planes.shape[2] * planes.shape[3]))
        return np.asarray(result)

    field = fields.find_field(
        structure,
        lambda planes: run(planes, factors),
        traits.channels,
        traits.factor,
        least=traits.multiple,
    )
    traits = traits._replace(memory=max(memory, 1))
    if field is None:
        return traits
    return traits._replace(radius=field.radius, multiple=field.multiple)
