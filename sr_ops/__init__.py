"""Dynamic bicubic upscaling for PyTorch and ONNX Runtime: the scale is an input, not a constant.

``import sr_ops`` is fast and imports neither torch, onnx nor onnxruntime; each name loads what it
needs when it is first used. The public names stand in ``__init__.pyi``.
"""

from __future__ import annotations

from sr_ops import _lazy

__version__ = "0.1.0"

_lazy.attach(globals())
