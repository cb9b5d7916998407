"""What every Python front end accepts as scale, size and attributes: one parser, one wording.

Needs neither torch nor numpy: values come in as Python numbers (a front end turns its tensors and
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

#: Keys' a of torch, OpenCV and ONNX.
DEFAULT_CUBIC_COEFF_A = -0.75
_PILLOW_A = -0.5

#: How results become integers; in the order of the C++ enumeration, like the modes.
ROUNDINGS = ("exact", "pillow")
DEFAULT_ROUNDING = "exact"

#: No output may have more elements: larger requests are mistakes, not images.
MAX_ELEMENTS = 2**40

_FLOAT32 = struct.Struct("f")


def shown(value: Any) -> str:
    """A refused argument as text. Python refuses to write integers of thousands of digits."""
    try:
        return repr(value)
    except ValueError:
        return f"{type(value).__name__} too long to be shown"


def as_float(value: Any) -> float:
    """A real number as a Python float; infinite where float64 cannot hold it.

    >>> as_float(10**400)
    inf
    """
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def float32(value: Any) -> float:
    """Round a real number to float32, as a Python float; infinite where float32 cannot hold it.

    >>> float32(2.7)
    2.700000047683716
    """
    value = as_float(value)
    try:
        return float(_FLOAT32.unpack(_FLOAT32.pack(value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def output_size(n: int, scale: float) -> int:
    """Length of an axis of n elements after scaling: ``trunc(fl32(fl32(n) * fl32(scale)))``.

    The one rule of every front end, and ONNX Runtime's. ``torch.nn.functional.interpolate`` floors
    a float64 product instead: 45 at 1.4 gives 63 here and 62 there.

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
        raise InvalidTypeError(f"scale: got {shown(scale)}, expected numbers")
    if len(values) not in (1, 2, 4):
        raise InvalidArgumentError(
            f"scale: got {len(values)} elements, expected 1, 2 (height, width) or 4 "
            "([1, 1, scale_h, scale_w])"
        )
    if len(values) == 4 and (values[0] != 1 or values[1] != 1):
        raise InvalidArgumentError(
            f"scale: got {shown(list(values))}, but batch and channels cannot be resampled: the "
            "first two of four elements must be 1"
        )
    pair = (float32(values[-2 if len(values) > 1 else 0]), float32(values[-1]))
    for value in pair:
        if not 0.0 < value < math.inf:
            given = values[0] if len(values) == 1 else scale
            raise InvalidArgumentError(f"scale: got {shown(given)}, expected finite numbers > 0")
    return pair


def parse_size(size: Any) -> tuple[int, int]:
    """(height, width) of the output from a pair of integers.

    Raises:
        InvalidArgumentError: not two elements, one below 1, or one above 2**40.
        InvalidTypeError: not a sequence of integers.
    """
    if not isinstance(size, Sequence) or isinstance(size, (str, bytes)):
        raise InvalidTypeError(
            f"size: got {shown(size)}, expected a pair (height, width) of integers"
        )
    if len(size) != 2:
        raise InvalidArgumentError(f"size: got {len(size)} elements, expected (height, width)")
    try:
        if any(isinstance(v, bool) for v in size):
            raise TypeError
        height, width = (v.__index__() for v in size)
    except (TypeError, AttributeError):
        raise InvalidTypeError(f"size: got {shown(size)}, expected a pair of integers") from None
    if height < 1 or width < 1:
        raise InvalidArgumentError(f"size: got {shown(size)}, expected integers >= 1")
    if max(height, width) > MAX_ELEMENTS:
        raise InvalidArgumentError(f"size: got {shown(size)}, which is more than 2**40 elements")
    return height, width


def parse_pixels(name: str, value: Any, expected: str, least: int) -> tuple[int, ...]:
    """As many integers as ``expected`` names, none below ``least``.

    >>> parse_pixels("crop", [3, 4], "(top, left)", 0)
    (3, 4)

    Raises:
        InvalidArgumentError: another count, or an integer below ``least`` or beyond 64 bits.
        InvalidTypeError: not a sequence of integers.
    """
    count = expected.count(",") + 1
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
        raise InvalidTypeError(f"{name}: got {shown(value)}, expected {expected}, integers")
    try:
        if any(isinstance(v, bool) for v in value):
            raise TypeError
        values = tuple(v.__index__() for v in value)
    except (TypeError, AttributeError):
        raise InvalidTypeError(
            f"{name}: got {shown(value)}, expected {expected}, integers"
        ) from None
    if len(values) != count or any(not least <= v < 2**62 for v in values):
        raise InvalidArgumentError(
            f"{name}: got {shown(value)}, expected {expected}, each of them at least {least}"
        )
    return values


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
            f"scale: {shown(scale)} makes {height} x {width} into {out_height} x {out_width}: each "
            "axis must keep at least one pixel; use a larger scale"
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


def parse_rounding(rounding: Any) -> int:
    """Position of a rounding in the native enumeration."""
    if not isinstance(rounding, str) or rounding not in ROUNDINGS:
        raise InvalidArgumentError(
            f"rounding: got {rounding!r}, expected one of {', '.join(ROUNDINGS)}"
        )
    return ROUNDINGS.index(rounding)


def check_rounding(rounding: int, dtype: str, mode: int, cubic_coeff_a: float) -> None:
    """Refuse what Pillow's arithmetic does not go with; antialias and exclude_outside are its own.

    Args:
        rounding, mode, cubic_coeff_a: as parsed.
        dtype: the name of the image's element type.

    Raises:
        InvalidArgumentError: a mode or coefficient that is neither the default nor Pillow's.
        InvalidTypeError: another type than uint8.
    """
    if ROUNDINGS[rounding] != "pillow":
        return
    if dtype != "uint8":
        raise InvalidTypeError(
            f"rounding: got 'pillow' with {dtype}, but it is Pillow's arithmetic on 8 bits and "
            "takes uint8 alone; convert the image, or use 'exact'"
        )
    if COORDINATE_TRANSFORMATION_MODES[mode] != "half_pixel":
        raise InvalidArgumentError(
            "rounding: got 'pillow' with coordinate_transformation_mode="
            f"{COORDINATE_TRANSFORMATION_MODES[mode]!r}, but it has half_pixel; leave the mode "
            "out, or use 'exact'"
        )
    if cubic_coeff_a not in (_PILLOW_A, DEFAULT_CUBIC_COEFF_A):
        raise InvalidArgumentError(
            f"rounding: got 'pillow' with cubic_coeff_a={cubic_coeff_a!r}, but it has -0.5; leave "
            "the coefficient out, or use 'exact'"
        )


def parse_cubic_coeff_a(cubic_coeff_a: Any) -> float:
    """Keys' a, rounded to float32."""
    if isinstance(cubic_coeff_a, bool) or not isinstance(cubic_coeff_a, numbers.Real):
        raise InvalidTypeError(f"cubic_coeff_a: got {shown(cubic_coeff_a)}, expected a number")
    value = float32(cubic_coeff_a)
    if not math.isfinite(value):
        raise InvalidArgumentError(
            f"cubic_coeff_a: got {shown(cubic_coeff_a)}, expected a finite number"
        )
    return value
