"""How large the result is: the forms in which a size can be asked for, and the one they become."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sr_ops import _arguments
from sr_ops.errors import InvalidArgumentError, InvalidTypeError

__all__ = ["Geometry", "Rectangle", "check_forms", "resolve"]


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
    picture: tuple[int, int],
    *,
    scale: Any = None,
    size: Any = None,
    width: int | None = None,
    height: int | None = None,
    max_side: int | None = None,
) -> Geometry:
    """Sizes by the operator's rule, from exactly one form.

    Args:
        picture: (height, width) before.
        scale, size: as the operator has them; or
        width, height: of the result; one of them keeps the proportions, both are a size; or
        max_side: how long the longer side shall be.

    Raises:
        InvalidArgumentError: none or several of the forms, or a value out of range.
        InvalidTypeError: not a number.

    >>> resolve((300, 400), max_side=1000)[2:4]
    (750, 1000)
    """
    sides = {"width": width, "height": height, "max_side": max_side}
    check_forms({"scale": scale, "size": size, **sides})
    if scale is None and size is None:
        size = _size(*picture, width, height, max_side)
    before_h, before_w = picture
    after_h, after_w, scale_h, scale_w = _arguments.resolve(before_h, before_w, scale, size)
    return Geometry(before_h, before_w, after_h, after_w, scale_h, scale_w, scale is not None)


def check_forms(forms: Mapping[str, Any]) -> None:
    """Whether a size is asked for in exactly one of the forms of :func:`resolve`.

    Raises:
        InvalidArgumentError, InvalidTypeError: as :func:`resolve`.
    """
    given = {name: value for name, value in forms.items() if value is not None}
    if len(given) != 1 and set(given) != {"width", "height"}:
        raise InvalidArgumentError(
            f"scale, size, width, height, max_side: got {' and '.join(given) or 'none'}, expected "
            "one of them, or width and height"
        )
    if "scale" in given:
        _arguments.parse_scale(given["scale"])
    for name in given.keys() & {"width", "height", "max_side"}:
        _check_side(name, given[name])


def _check_side(name: str, value: Any) -> None:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise InvalidTypeError(f"{name}: got {_arguments.shown(value)}, expected an integer")
    if value < 1:
        raise InvalidArgumentError(f"{name}: got {_arguments.shown(value)}, expected at least 1")
    if value > _arguments.MAX_ELEMENTS:
        raise InvalidArgumentError(
            f"{name}: got {_arguments.shown(value)}, which is more than 2**40 elements"
        )


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
