"""Which network serves where none is named, and the networks of a call."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sr_ops.imaging.treatment import Treatment
from sr_ops.models import bundled

if TYPE_CHECKING:
    from sr_ops.imaging.network import Network

__all__ = ["AUTO", "DEFAULT_MODEL", "NO_RUNTIME", "Models", "choose", "with_advice"]

AUTO = "auto"
#: The best of the bundled networks.
DEFAULT_MODEL = "multiscale"
NO_RUNTIME = "plain bicubic: neither onnxruntime nor torch is installed"


def choose(model: Any, scale: float, backend: str) -> tuple[Any, str]:
    """What to load, or None for bicubic; and what to call it.

    The one place that says what is done where no model is named: ``DEFAULT_MODEL`` where the
    picture grows and a runtime for networks is installed, else bicubic.

    Args:
        model: as :func:`sr_ops.upscale_image` has it.
        scale: the larger of the two factors.
        backend: as :func:`sr_ops.upscale_image` has it.

    >>> choose("auto", 0.5, "auto")
    (None, 'bicubic, antialiased')
    """
    if model is None or (isinstance(model, str) and model == "bicubic"):
        return None, "bicubic"
    from sr_ops.imaging.networks import pick_name, runtimes

    if isinstance(model, str) and model == AUTO:
        if scale <= 1:
            return None, "bicubic, antialiased"
        if backend == "auto" and not runtimes():
            return None, NO_RUNTIME
        model = DEFAULT_MODEL
    if isinstance(model, str):
        model = pick_name(model)
    return model, str(getattr(model, "name", model))


def with_advice(network: Network, scale: float) -> Network:
    """With a note where another bundled network is better.

    Args:
        network: as loaded.
        scale: the larger of the two factors.
    """
    better = bundled.better_at(network.name, scale)
    if better is None or bundled.find(network.name, ".onnx") is None:  # somebody's, of that name
        return network
    return network._replace(note=f"not made for x{scale:.3g}, where {better} is better")


class Models:
    """The networks of a call: each is loaded once. Safe to share between threads.

    Args:
        model: as :func:`sr_ops.upscale_image` has it.
        backend: as :func:`sr_ops.upscale_image` has it.
        treatment: what the model's file does not tell.
    """

    def __init__(self, model: str, backend: str, treatment: Treatment | None = None) -> None:
        self._model = model
        self._backend = backend
        self._treatment = treatment or Treatment()
        self._loaded: dict[str, Network] = {}
        self._lock = threading.Lock()

    @classmethod
    def of_each(
        cls, names: Iterable[str], backend: str, treatment: Treatment, colours: str
    ) -> list[tuple[str, Models, dict[str, Any]]]:
        """Of several models: name, networks, and keywords of :func:`sr_ops.upscale_image`.

        What a file does not tell is said of files alone: the bundled networks are known.
        """
        known = {AUTO, "bicubic", *bundled.BEST, *bundled.names()}
        keywords = {"colours": colours, "overlap": treatment.overlap}
        return [
            (name, cls(name, backend), {})
            if name in known and not os.path.exists(name)
            else (name, cls(name, backend, treatment), keywords)
            for name in names
        ]

    def choose(self, scale: float) -> tuple[Network | None, str]:
        """A network that is ready to run, or None for bicubic; and what to call it."""
        model, name = choose(self._model, scale, self._backend)
        if model is None:
            return None, name
        from sr_ops.imaging.networks import load_network

        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = load_network(model, self._backend, self._treatment)
            return with_advice(self._loaded[name], scale), name

    def release(self) -> None:
        """Give back what networks and runtimes hold, before a large result is encoded."""
        with self._lock:
            self._loaded.clear()
