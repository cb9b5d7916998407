"""Networks of the architectures that the package spandrel knows, at every scale.

spandrel reads the architecture off the keys and shapes. What it makes is a network of a whole
factor; the operator does the rest.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
import types
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from sr_ops.errors import CheckpointError, LibraryLoadError, MissingDependencyError
from sr_ops.models.budget import Budget
from sr_ops.models.rest import resample_rest
from sr_ops.models.srcnn import Scale

__all__ = ["SpandrelNetwork", "from_state_dict", "hint"]

#: How it is installed; beside a torch that has no torchvision, such as its CPU build.
INSTALL = (
    "pip install 'sr-ops[spandrel]', or, beside torch's CPU build, pip install --no-deps spandrel "
    "einops"
)


class SpandrelNetwork(nn.Module):
    """A network of spandrel's, with the attributes and the ``forward`` of those here.

    Attributes:
        network: the module itself.
        architecture: its name.
        channels: of the image, RGB or gray in 0..1.
        upscale_factor: the network's own factor.
        restores: whether it keeps the size and restores the picture as it is.
        multiple: of which its sides must be multiples, in pixels; forward sees to it.
        smallest: side that it takes; forward sees to it, but for an exported graph.
        radius: None: it is found out when a picture has to be cut.
    """

    radius: int | None = None

    def __init__(self, descriptor: Any) -> None:
        super().__init__()
        self.network: nn.Module = descriptor.model
        self.architecture = str(descriptor.architecture.name)
        self.channels = int(descriptor.input_channels)
        self.upscale_factor = int(descriptor.scale)
        self.restores = self.upscale_factor == 1
        needs = descriptor.size_requirements
        # Windows of attention: the networks fill them up by themselves, at the right and below.
        window = getattr(self.network, "window_size", 1)
        self._filled = max(1, int(needs.multiple_of))
        self.multiple = max(self._filled, window if isinstance(window, int) else 1)
        self.smallest = max(1, int(needs.minimum))
        self._square = bool(needs.square)
        self._call = getattr(descriptor, "_call_fn", None) or (lambda model, image: model(image))

    def extra_repr(self) -> str:
        """The architecture's name."""
        return self.architecture

    def forward(self, x: Tensor, scale: Scale | None = None) -> Tensor:
        """Enlarge by ``upscale_factor``, then resample to the wanted scale.

        Args:
            x: (N, channels, H, W) float32 in 0..1.
            scale: whatever :func:`sr_ops.dynamic_upscale` takes, or None for the network's own.

        Returns:
            (N, channels, H_out, W_out), not clamped.
        """
        enlarged = self.enlarge(x)
        if scale is None:
            return enlarged
        return resample_rest(enlarged, x, scale, self.upscale_factor)

    def enlarge(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, channels, r H, r W), with r = ``upscale_factor``."""
        height, width = x.shape[2:]
        result: Tensor = self._call(self.network, self._fill(x))
        factor = self.upscale_factor
        return result[..., : height * factor, : width * factor]

    def _fill(self, x: Tensor) -> Tensor:
        """Continued to a size that the network takes.

        A graph gets the windows' filling, too, which the networks leave out by a decision.
        """
        height, width = x.shape[2:]
        traced = torch.jit.is_tracing()  # type: ignore[attr-defined,no-untyped-call]
        if traced or torch.compiler.is_compiling():
            if self.multiple == 1:
                return x
            below, right = -height % self.multiple, -width % self.multiple
            mode = "replicate" if self.multiple == self._filled else "reflect"
            return nn.functional.pad(x, (0, right, 0, below), mode)
        below = max(-height % self._filled, self.smallest - height)
        right = max(-width % self._filled, self.smallest - width)
        if self._square:
            side = max(height + below, width + right)
            below, right = side - height, side - width
        return nn.functional.pad(x, (0, right, 0, below), "replicate")


def hint() -> str:
    """What to add to a list of known architectures where spandrel is not installed."""
    if importlib.util.find_spec("spandrel") is not None:
        return " and those of spandrel"
    return f"; spandrel knows many more: {INSTALL}"


def from_state_dict(
    state_dict: Mapping[str, Tensor], source: str | os.PathLike[str] = "checkpoint"
) -> SpandrelNetwork | None:
    """The network of a checkpoint; None where spandrel is missing or does not know it.

    Args:
        state_dict: name to tensor.
        source: what error messages call the weights.

    Raises:
        CheckpointError: the weights are of an architecture that does not fit, or does something
            else than enlarge or restore pictures.
        MissingDependencyError: a package that spandrel needs is missing.
    """
    if importlib.util.find_spec("spandrel") is None:
        return None
    spandrel = _import_spandrel()
    weights = dict(state_dict)
    for support in spandrel.MAIN_REGISTRY.architectures("detection"):
        architecture = support.architecture
        try:
            if not architecture.detect(weights):
                continue
        except Exception:  # of a layout that only looks like it at first
            continue
        try:
            with Budget.of(weights), warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # about the architecture's own code
                descriptor = architecture.load(weights)
        except CheckpointError as error:
            raise CheckpointError(f"{source}: {error}") from None
        except Exception as error:  # every architecture has its own ways to fail
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            raise CheckpointError(
                f"{source}: has keys of {architecture.name}, but does not fit it: {reason}"
            ) from error
        return SpandrelNetwork(_checked(descriptor, source))
    return None


def _checked(descriptor: Any, source: str | os.PathLike[str]) -> Any:
    name, purpose = descriptor.architecture.name, descriptor.purpose
    if purpose not in ("SR", "Restoration"):
        raise CheckpointError(
            f"{source}: {name}, for {purpose}; expected a network that enlarges or restores any "
            "picture"
        )
    if descriptor.input_channels != descriptor.output_channels:
        raise CheckpointError(
            f"{source}: {name} makes {descriptor.output_channels} channels of "
            f"{descriptor.input_channels}; expected as many as before"
        )
    return descriptor


def _import_spandrel() -> Any:
    """spandrel; with something in torchvision's place while it is imported, where that is missing.

    Two architectures take functions of torchvision that no network here calls.
    """
    if "spandrel" in sys.modules:
        return sys.modules["spandrel"]
    try:
        with contextlib.nullcontext() if _has_torchvision() else _torchvision_stand_in():
            return importlib.import_module("spandrel")
    except ModuleNotFoundError as error:
        raise MissingDependencyError(f"spandrel needs {error.name}: {INSTALL}") from error


def _has_torchvision() -> bool:
    if importlib.util.find_spec("torchvision") is None:
        return False
    try:
        importlib.import_module("torchvision")
    except Exception:  # built for another torch, it raises what it likes
        for name in [n for n in sys.modules if n.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        return False
    return True


@contextlib.contextmanager
def _torchvision_stand_in() -> Iterator[None]:
    def missing(*_: Any, **__: Any) -> Any:
        raise LibraryLoadError("torchvision is not installed, or not for this torch")

    names = ("torchvision", "torchvision.transforms", "torchvision.transforms.functional")
    modules = {name: types.ModuleType(name) for name in names}
    functional = modules[names[2]]
    functional.InterpolationMode = types.SimpleNamespace(  # type: ignore[attr-defined]
        BILINEAR="bilinear", NEAREST="nearest"
    )
    functional.rotate = functional.normalize = missing  # type: ignore[attr-defined]
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in names:
            sys.modules.pop(name, None)
