"""The ONNX side: export, sessions, and tools for models that come from elsewhere.

Each name loads what it needs when it is first used: ``make_session`` works without torch, and the
model tools without onnxruntime. Inside this package ``import onnx`` is the top-level package.
The names stand in ``__init__.pyi``. A module must not be called like one of them: once imported, it
would hide the function of that name.
"""

from __future__ import annotations

from sr_ops import _lazy

_lazy.attach(
    globals(),
    extras={"onnx": "ort", "onnxruntime": "ort", "onnxscript": "torch", "torch": "torch"},
)
