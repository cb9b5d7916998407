"""What every Python door accepts as scale, size and attributes: one parser, one wording.

Needs neither torch nor numpy: values come in as Python numbers (a door turns its tensors and
arrays into lists first).
"""

from __future__ import annotations

import math
import numbers
import struct
from collections.abc import Sequence
from typing import Any

from sr_ops.errors import InvalidArgumentError, InvalidTypeError

#: In the order of the C++ enumeration; the position is what travels to native code.
COORDINATE_TRANSFORMATION_MODES = (
    "half_pixel",
    "half_pixel_symmetric",
    "pytorch_half_pixel",
    "align_corners",
    "asymmetric",
)

#: No output may have more elements: larger requests are mistakes, not images.
MAX_ELEMENTS = 2**40

_FLOAT32 = struct.Struct("f")


def float32(value: float) -> float:
    """Round to float32, as a Python float; infinite where float32 cannot hold the value.

    >>> float32(2.7)
    2.700000047683716
    """
    try:
        return float(_FLOAT32.unpack(_FLOAT32.pack(value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def output_size(n: int, scale: float) -> int:
    """Length of an axis of n elements after scaling: ``trunc(fl32(fl32(n) * fl32(scale)))``.

    The one rule of every door, and ONNX Runtime's. ``torch.nn.functional.interpolate`` floors a
    float64 product instead: 45 at 1.4 gives 63 here and 62 there.

    >>> output_size(45, 1.4)
    63
    """
    # The double product of two float32 numbers is exact: rounded once, it is the float32 product.
    product = float32(float32(n) * float32(scale))
    return int(product) if product < 9.2e18 else 2**63


def parse_scale(scale: Any) -> tuple[float, float]:
    """(scale_h, scale_w), each rounded to float32, from a number or 1, 2 or 4 of them.

    Raises:
        InvalidArgumentError: a factor that is not finite and > 0, a wrong count, or leading factors
            other than 1 in the four-element form.
        InvalidTypeError: not a number or a sequence of numbers.
    """
    if isinstance(scale, numbers.Real):
        values: Sequence[Any] = (scale,)
    elif isinstance(scale, Sequence) and not isinstance(scale, (str, bytes)):
        values = scale
    else:
        raise InvalidTypeError(
            f"scale: got {type(scale).__name__}, expected a number, a pair (scale_h, scale_w), or "
            "a tensor of 1, 2 or 4 elements"
        )
    if any(isinstance(v, bool) or not isinstance(v, numbers.Real) for v in values):
        raise InvalidTypeError(f"scale: got {scale!r}, expected numbers")
    if len(values) not in (1, 2, 4):
        raise InvalidArgumentError(
            f"scale: got {len(values)} elements, expected 1, 2 (height, width) or 4 "
            "([1, 1, scale_h, scale_w])"
        )
    if len(values) == 4 and (values[0] != 1 or values[1] != 1):
        raise InvalidArgumentError(
            f"scale: got {list(values)}, but batch and channels cannot be resampled: the first two "
            "of four elements must be 1"
        )
    pair = (float32(float(values[-2 if len(values) > 1 else 0])), float32(float(values[-1])))
    for value in pair:
        if not 0.0 < value < math.inf:
            shown = values[0] if len(values) == 1 else scale
            raise InvalidArgumentError(f"scale: got {shown!r}, expected finite numbers > 0")
    return pair


def parse_size(size: Any) -> tuple[int, int]:
    """(height, width) of the output from a pair of integers.

    Raises:
        InvalidArgumentError: not two elements, or one below 1.
        InvalidTypeError: not a sequence of integers.
    """
    if not isinstance(size, Sequence) or isinstance(size, (str, bytes)):
        raise InvalidTypeError(f"size: got {size!r}, expected a pair (height, width) of integers")
    if len(size) != 2:
        raise InvalidArgumentError(f"size: got {len(size)} elements, expected (height, width)")
    try:
        if any(isinstance(v, bool) for v in size):
            raise TypeError
        height, width = (v.__index__() for v in size)
    except (TypeError, AttributeError):
        raise InvalidTypeError(f"size: got {size!r}, expected a pair of integers") from None
    if height < 1 or width < 1:
        raise InvalidArgumentError(f"size: got {size!r}, expected integers >= 1")
    return height, width


def check_scale_or_size(scale: Any, size: Any) -> None:
    """Exactly one of the two must be given."""
    if (scale is None) == (size is None):
        what = "neither" if scale is None else "both"
        raise InvalidArgumentError(f"scale, size: got {what}, expected exactly one of them")


def resolve(height: int, width: int, scale: Any, size: Any) -> tuple[int, int, float, float]:
    """(out_height, out_width, scale_h, scale_w) for an image of height x width pixels.

    The returned scales are what the coordinate transformation uses: the given factors rounded to
    float32, or, for a size, out / in in double precision.
    """
    check_scale_or_size(scale, size)
    if height < 1 or width < 1:
        raise InvalidArgumentError(f"x: height and width must be >= 1, got {height} x {width}")
    if size is not None:
        out_height, out_width = parse_size(size)
        return out_height, out_width, out_height / height, out_width / width
    scale_h, scale_w = parse_scale(scale)
    out_height, out_width = output_size(height, scale_h), output_size(width, scale_w)
    if out_height < 1 or out_width < 1:
        raise InvalidArgumentError(
            f"scale: {scale!r} makes {height} x {width} into {out_height} x {out_width}: each axis "
            "must keep at least one pixel; use a larger scale"
        )
    return out_height, out_width, scale_h, scale_w


def check_elements(shape: Sequence[int]) -> None:
    """Refuse an output of more than 2**40 elements."""
    if math.prod(max(extent, 1) for extent in shape) > MAX_ELEMENTS:
        raise InvalidArgumentError(
            f"scale: an output of shape {list(shape)} has more than 2**40 elements; use a smaller "
            "scale or size"
        )


def parse_mode(coordinate_transformation_mode: Any) -> int:
    """Position of a coordinate transformation mode in the native enumeration."""
    try:
        return COORDINATE_TRANSFORMATION_MODES.index(coordinate_transformation_mode)
    except ValueError:
        raise InvalidArgumentError(
            f"coordinate_transformation_mode: got {coordinate_transformation_mode!r}, expected one "
            f"of {', '.join(COORDINATE_TRANSFORMATION_MODES)}"
        ) from None


def parse_cubic_coeff_a(cubic_coeff_a: Any) -> float:
    """Keys' a, rounded to float32."""
    if isinstance(cubic_coeff_a, bool) or not isinstance(cubic_coeff_a, numbers.Real):
        raise InvalidTypeError(f"cubic_coeff_a: got {cubic_coeff_a!r}, expected a number")
    value = float32(float(cubic_coeff_a))
    if not math.isfinite(value):
        raise InvalidArgumentError(
            f"cubic_coeff_a: got {cubic_coeff_a!r}, expected a finite number"
        )
    return value
