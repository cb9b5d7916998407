"""How large the result is: the forms in which a size can be asked for, and the one they become."""

from __future__ import annotations

from typing import Any, NamedTuple

from sr_ops import _arguments
from sr_ops.errors import InvalidArgumentError, InvalidTypeError

__all__ = ["Geometry", "Rectangle", "resolve"]


class Geometry(NamedTuple):
    """Sizes of a picture before and after, in pixels, and the scales of the coordinates."""

    height: int
    width: int
    out_height: int
    out_width: int
    scale_height: float
    scale_width: float
    #: A scale is what was asked for; otherwise the scales follow from a size, in double.
    by_scale: bool


class Rectangle(NamedTuple):
    """Rows and columns of a picture."""

    rows: slice
    columns: slice


def resolve(
    height: int,
    width: int,
    *,
    scale: Any = None,
    size: Any = None,
    out_width: int | None = None,
    out_height: int | None = None,
    max_side: int | None = None,
) -> Geometry:
    """Sizes by the operator's rule, from exactly one form.

    ``out_width`` or ``out_height`` alone keep the proportions, both together are a size;
    ``max_side`` makes the longer side so long.

    Raises:
        InvalidArgumentError: none or several of the forms, or a value out of range.
        InvalidTypeError: not a number.

    >>> resolve(300, 400, max_side=1000)[2:4]
    (750, 1000)
    """
    sides = {"width": out_width, "height": out_height, "max_side": max_side}
    given = [name for name, value in sides.items() if value is not None]
    forms = [name for name, v in (("scale", scale), ("size", size)) if v is not None] + given
    if len(forms) != 1 and forms != ["width", "height"]:
        raise InvalidArgumentError(
            f"scale, size, width, height, max_side: got {' and '.join(forms) or 'none'}, expected "
            "one of them, or width and height"
        )
    for name in given:
        _check_side(name, sides[name])
    if given:
        size = _size(height, width, out_width, out_height, max_side)
    resolved = _arguments.resolve(height, width, scale, size)
    return Geometry(height, width, *resolved, by_scale=scale is not None)


def _check_side(name: str, value: Any) -> None:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise InvalidTypeError(f"{name}: got {value!r}, expected an integer")
    if value < 1:
        raise InvalidArgumentError(f"{name}: got {value}, expected at least 1")


def _size(
    height: int, width: int, out_width: int | None, out_height: int | None, max_side: int | None
) -> tuple[int, int]:
    if max_side is not None:
        out_width, out_height = (max_side, None) if width >= height else (None, max_side)
    if out_height is None:
        out_height = max(1, round(height * (out_width or 1) / width))
    if out_width is None:
        out_width = max(1, round(width * out_height / height))
    return out_height, out_width
