"""Dynamic bicubic upscaling for PyTorch and ONNX Runtime: the scale is an input, not a constant.

``import sr_ops`` is fast and imports neither torch, onnx nor onnxruntime; each name loads what it
needs when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

#: Public name -> the module that holds it.
_HOMES = {
    "DynamicUpscale": "sr_ops.ops",
    "dynamic_upscale": "sr_ops.ops",
    "get_cmake_dir": "sr_ops._libraries",
    "get_include": "sr_ops._libraries",
    "get_library_path": "sr_ops._libraries",
    "native_info": "sr_ops._libraries",
    "upscale_image": "sr_ops.imaging",
}
_MODULES = ("compat", "errors", "imaging", "models", "nn", "numpy", "onnx", "reference")

__all__ = [
    "DynamicUpscale",
    "__version__",
    "compat",
    "dynamic_upscale",
    "errors",
    "get_cmake_dir",
    "get_include",
    "get_library_path",
    "imaging",
    "models",
    "native_info",
    "nn",
    "numpy",
    "onnx",
    "reference",
    "upscale_image",
]

if TYPE_CHECKING:
    from sr_ops import compat, errors, imaging, models, nn, numpy, onnx, reference
    from sr_ops._libraries import get_cmake_dir, get_include, get_library_path, native_info
    from sr_ops.imaging import upscale_image
    from sr_ops.ops import DynamicUpscale, dynamic_upscale


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(f"sr_ops.{name}")
    else:
        raise AttributeError(f"module 'sr_ops' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
