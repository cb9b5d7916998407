"""The trained networks that come with the package, as weights and as ONNX files. Needs no torch."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["BEST", "find", "names"]

#: Families of which one network is the best at every scale (docs/model-card.md).
BEST = {"espcn": "espcn_x3"}

_FOLDER = Path(__file__).parent / "weights"


def names() -> list[str]:
    """Names of the networks that sr_ops brings along.

    >>> "srcnn" in names()
    True
    """
    return sorted(path.stem for path in _FOLDER.glob("*.safetensors"))


def find(path_or_name: str | os.PathLike[str], suffix: str) -> Path | None:
    """The bundled file of a network, or None where the name is not one's own, or a file's.

    Args:
        path_or_name: what the user wrote.
        suffix: ".safetensors" or ".onnx".
    """
    name = os.fspath(path_or_name)
    if name not in names() or os.path.exists(name):
        return None
    return _FOLDER / f"{name}{suffix}"
