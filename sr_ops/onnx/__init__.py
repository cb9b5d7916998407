"""The ONNX side: export, sessions, and tools for models that come from elsewhere.

Each name loads what it needs when it is first used: ``make_session`` works without torch, and the
model tools without onnxruntime. Inside this package ``import onnx`` is the top-level package.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sr_ops.errors import MissingDependencyError

#: Public name -> the module that holds it. A module must not be called like a public name: once
#: imported, it would hide the function of that name.
_HOMES = {
    "accelerate": "sr_ops.onnx._accelerate",
    "add_functions": "sr_ops.onnx.functions",
    "emit": "sr_ops.onnx._emit",
    "explain": "sr_ops.onnx.session",
    "export": "sr_ops.onnx._export",
    "expose": "sr_ops.onnx._submodel",
    "extract": "sr_ops.onnx._submodel",
    "inspect": "sr_ops.onnx._inspect",
    "make_dynamic": "sr_ops.onnx._make_dynamic",
    "make_session": "sr_ops.onnx.session",
    "reference_ops": "sr_ops.onnx._reference_ops",
    "register_schemas": "sr_ops.onnx.schema",
    "standardize": "sr_ops.onnx._standardize",
    "translation_table": "sr_ops.onnx._translation",
}

#: Package that may be missing -> the extra that brings it.
_EXTRAS = {"onnx": "ort", "onnxruntime": "ort", "onnxscript": "torch", "torch": "torch"}

__all__ = [
    "accelerate",
    "add_functions",
    "emit",
    "explain",
    "export",
    "expose",
    "extract",
    "inspect",
    "make_dynamic",
    "make_session",
    "reference_ops",
    "register_schemas",
    "standardize",
    "translation_table",
]

if TYPE_CHECKING:
    from sr_ops.onnx._accelerate import accelerate
    from sr_ops.onnx._emit import emit
    from sr_ops.onnx._export import export
    from sr_ops.onnx._inspect import inspect
    from sr_ops.onnx._make_dynamic import make_dynamic
    from sr_ops.onnx._reference_ops import reference_ops
    from sr_ops.onnx._standardize import standardize
    from sr_ops.onnx._submodel import expose, extract
    from sr_ops.onnx._translation import translation_table
    from sr_ops.onnx.functions import add_functions
    from sr_ops.onnx.schema import register_schemas
    from sr_ops.onnx.session import explain, make_session


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sr_ops.onnx' has no attribute {name!r}")
    try:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        raise MissingDependencyError(
            f"sr_ops.onnx.{name} needs {error.name}: pip install 'sr-ops[{extra}]'",
            name=error.name,
        ) from None
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
