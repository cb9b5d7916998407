"""The trained networks that come with the package, as weights and as ONNX files. Needs no torch."""

from __future__ import annotations

import math
import os
from pathlib import Path

__all__ = ["BEST", "better_at", "find", "names"]

#: Families of which one network is the best at every scale (docs/model-card.md).
BEST = {"espcn": "espcn_x3"}

#: Networks that get the enlarged picture: from where to where each is the best of its family. What
#: was trained for one factor sharpens too much or too little elsewhere, by up to 10 dB.
_BEST_FROM_TO = {
    "srcnn_x2": (1.8, 2.5),
    "srcnn_x3": (2.65, 3.5),
    "srcnn_x4": (3.5, 6),
    "srcnn": (1.15, math.inf),
}

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


def better_at(name: str, scale: float) -> str | None:
    """What to take instead where a network was not made for a scale.

    Args:
        name: of a bundled network.
        scale: the larger of the two factors.

    >>> better_at("srcnn_x4", 2), better_at("srcnn_x4", 1.5), better_at("srcnn_x4", 4)
    ('srcnn_x2', 'srcnn', None)
    """
    if name not in _BEST_FROM_TO:
        return None
    fitting = [other for other, (least, most) in _BEST_FROM_TO.items() if least <= scale <= most]
    return None if name in fitting else next(iter(fitting), "bicubic")
