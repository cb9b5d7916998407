"""What is left of a scale after a network has enlarged by its own factor. Needs no torch.

Dividing the scale is not enough: the product of the enlarged side and the divided scale is rounded
to float32 at other places than the product of the original side and the scale, so that for about
one side in a thousand the result would be a pixel short or long. Where that is so, the divided
scale is moved by less than its own rounding error times four; coordinates feel nothing of it, and
the size is the one of the operator's rule.
"""

from __future__ import annotations

from sr_ops import _arguments

__all__ = ["NUDGE", "remaining_scale"]

#: Relative; beyond the rounding of the quotient and of both products (three halves of 2**-23).
NUDGE = 2.0**-22


def remaining_scale(scale: float, factor: int, side: int) -> float:
    """The factor, a float32, that takes ``side * factor`` pixels to ``trunc(side * scale)``.

    Args:
        scale: a float32.
        factor: of the network.
        side: pixels before the network; the result must be shorter than 2**21 pixels.

    >>> remaining_scale(2.0, 4, 100)
    0.5
    >>> _arguments.output_size(10 * 3, _arguments.float32(_arguments.float32(1.3) / 3))
    12
    >>> _arguments.output_size(10 * 3, remaining_scale(_arguments.float32(1.3), 3, 10))
    13
    """
    rest = _arguments.float32(scale / factor)
    wanted = _arguments.output_size(side, scale)
    missing = wanted - _arguments.output_size(side * factor, rest)
    return _arguments.float32(rest * (1 + missing * NUDGE))
