"""What torch's own bicubic operators mean, in the terms of ours.

``aten.upsample_bicubic2d`` and ``aten._upsample_bicubic2d_aa`` are what
``torch.nn.functional.interpolate`` calls. A scale factor maps coordinates by itself, and a size by
out / in; with align_corners neither matters. Antialias means Pillow's kernel: a = -0.5, and taps
outside of the image are dropped.
"""

from __future__ import annotations

from sr_ops import _arguments
from sr_ops.errors import InvalidArgumentError

__all__ = ["NO_ONNX_FORM", "attributes", "exportable"]

_HALF_PIXEL = _arguments.parse_mode("half_pixel")
_ALIGN_CORNERS = _arguments.parse_mode("align_corners")
_PILLOW_A = -0.5

#: What torch computes there has coordinates of its own, which no operator of ONNX has.
NO_ONNX_FORM = (
    "align_corners: got True with antialias=True in a bicubic interpolate call, which ONNX cannot "
    "express: torch maps coordinates there as no operator does; make one of the two False"
)


def attributes(align_corners: object, antialias: object) -> tuple[int, float, bool, bool]:
    """(mode, cubic_coeff_a, antialias, exclude_outside) of our operators."""
    a = _PILLOW_A if antialias else _arguments.DEFAULT_CUBIC_COEFF_A
    mode = _ALIGN_CORNERS if align_corners else _HALF_PIXEL
    return mode, a, bool(antialias), bool(antialias)


def exportable(align_corners: object, antialias: object) -> tuple[int, float, bool, bool]:
    """``attributes``, or InvalidArgumentError for what ONNX has no form of."""
    if align_corners and antialias:
        raise InvalidArgumentError(NO_ONNX_FORM)
    return attributes(align_corners, antialias)
