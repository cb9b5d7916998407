"""What a user can say of a network whose file does not tell."""

from __future__ import annotations

from typing import NamedTuple

from sr_ops.errors import InvalidArgumentError, InvalidTypeError

__all__ = ["COLOURS", "ENLARGE", "LAYOUTS", "Treatment", "check_choice"]

#: Axes of a network's picture: batch, channels, height, width.
LAYOUTS = ("NCHW", "NHWC", "CHW", "HWC")
#: Order of three channels; "bgr255" is BGR in 0..255.
COLOURS = ("rgb", "bgr", "bgr255")
#: Where the operator stands beside a network that keeps the size.
ENLARGE = ("before", "after")


class Treatment(NamedTuple):
    """How a network wants its pictures; None where its file shall tell.

    Attributes:
        layout: one of ``LAYOUTS``.
        value_range: the value of white in floating-point inputs and outputs: 1 or 255.
        enlarge: of a network that keeps the size, "before" (it gets the enlarged picture) or
            "after" (it gets the picture as it is).
        overlap: pixels by which a tile is grown on each side before the network gets it, of what
            the network sees; instead of as far as the network sees.
        trust_torchscript: whether a file that is a program may be run.
    """

    layout: str | None = None
    value_range: float | None = None
    enlarge: str | None = None
    overlap: int | None = None
    trust_torchscript: bool = False

    def checked(self) -> Treatment:
        """Itself, with the layout in capitals.

        Raises:
            InvalidArgumentError, InvalidTypeError: a value that is not accepted.
        """
        layout = self.layout.upper() if isinstance(self.layout, str) else self.layout
        if layout is not None:
            check_choice("layout", layout, LAYOUTS)
        if self.enlarge is not None:
            check_choice("enlarge", self.enlarge, ENLARGE)
        if self.value_range is not None and self.value_range not in (1, 255):
            raise InvalidArgumentError(f"value_range: got {self.value_range!r}, expected 1 or 255")
        if self.overlap is not None:
            if isinstance(self.overlap, bool) or not isinstance(self.overlap, int):
                raise InvalidTypeError(f"overlap: got {self.overlap!r}, expected an integer")
            if self.overlap < 0:
                raise InvalidArgumentError(f"overlap: got {self.overlap}, expected at least 0")
        return self._replace(layout=layout)


def check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise InvalidArgumentError for a value that is none of the choices."""
    if value not in choices:
        raise InvalidArgumentError(f"{name}: got {value!r}, expected one of {', '.join(choices)}")
