"""Super-resolution networks whose scale is an argument of ``forward``, and their checkpoints.

=========  ======================================================================================
SRCNN      upscale first, then three convolutions (Dong et al. 2014)
load       a network from a checkpoint file; which architecture it is comes from the keys
=========  ======================================================================================

Needs torch; the names load it when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sr_ops.errors import MissingDependencyError

_HOMES = {
    "SRCNN": "sr_ops.models.srcnn",
    "load": "sr_ops.models.registry",
    "load_state_dict": "sr_ops.models.checkpoints",
    "read_state_dict": "sr_ops.models.checkpoints",
}

__all__ = ["SRCNN", "load", "load_state_dict", "read_state_dict"]

if TYPE_CHECKING:
    from sr_ops.models.checkpoints import load_state_dict, read_state_dict
    from sr_ops.models.registry import load
    from sr_ops.models.srcnn import SRCNN


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sr_ops.models' has no attribute {name!r}")
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError:
        raise MissingDependencyError(
            f"sr_ops.models.{name} needs torch: pip install 'sr-ops[torch]'"
        ) from None
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
