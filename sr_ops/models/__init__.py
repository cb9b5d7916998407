"""Super-resolution networks whose scale is an argument of ``forward``, and their checkpoints.

===============  ================================================================================
ESPCN            convolve at the small size, shuffle pixels, resample the rest (Shi et al. 2016)
SRCNN            upscale first, then three convolutions (Dong et al. 2014)
load             a network from a checkpoint, or a bundled one; the keys tell the architecture
names            of the bundled networks
to_onnx          a network as an ONNX model that says what it is
to_picture_onnx  a network as an ONNX model from picture file to picture file
===============  ================================================================================

All but ``names`` need torch, and load it when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sr_ops.errors import MissingDependencyError

_HOMES = {
    "ESPCN": "sr_ops.models.espcn",
    "SRCNN": "sr_ops.models.srcnn",
    "names": "sr_ops.models.bundled",
    "to_onnx": "sr_ops.models.onnx_file",
    "to_picture_onnx": "sr_ops.models.picture_file",
    "load": "sr_ops.models.registry",
    "load_state_dict": "sr_ops.models.checkpoints",
    "read_state_dict": "sr_ops.models.checkpoints",
}

__all__ = [
    "ESPCN",
    "SRCNN",
    "load",
    "load_state_dict",
    "names",
    "read_state_dict",
    "to_onnx",
    "to_picture_onnx",
]

if TYPE_CHECKING:
    from sr_ops.models.bundled import names
    from sr_ops.models.checkpoints import load_state_dict, read_state_dict
    from sr_ops.models.espcn import ESPCN
    from sr_ops.models.onnx_file import to_onnx
    from sr_ops.models.picture_file import to_picture_onnx
    from sr_ops.models.registry import load
    from sr_ops.models.srcnn import SRCNN


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sr_ops.models' has no attribute {name!r}")
    if name != "names":
        _require_torch(name)
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def _require_torch(name: str) -> None:
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError:
        raise MissingDependencyError(
            f"sr_ops.models.{name} needs torch: pip install 'sr-ops[torch]'"
        ) from None


def __dir__() -> list[str]:
    return sorted(__all__)
