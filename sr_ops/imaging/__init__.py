"""Pictures: files, colour, and upscaling from picture to picture.

Needs OpenCV for files only; torch or onnxruntime only for models. The public names stand in
``__init__.pyi``.
"""

from __future__ import annotations

from sr_ops import _lazy

_lazy.attach(globals())
