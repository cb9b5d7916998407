"""The line that tells of an error."""

from __future__ import annotations

import sys

__all__ = ["print_error"]


def print_error(message: str) -> None:
    """One line on stderr, whatever the message holds.

    >>> import contextlib
    >>> with contextlib.redirect_stderr(sys.stdout):
    ...     print_error("a.png: damaged,\\n  see \\x1b[31m")
    sr-ops: error: a.png: damaged, see \\x1b[31m
    """
    print(f"sr-ops: error: {printable(' '.join(message.split()))}", file=sys.stderr)


def printable(text: str) -> str:
    """Text without characters that a terminal obeys: a file's name may hold any.

    >>> print(printable("\\x1b[2Jphoto.png"))
    \\x1b[2Jphoto.png
    """
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
