"""Programs that end in a way that this process would not survive."""

from __future__ import annotations

import os
import subprocess
import sys


def end_of(code: str, *arguments: object, warnings: bool = True) -> tuple[int, str]:
    """Run code in a Python of its own.

    Returns:
        Its exit code, and what it wrote to stderr.
    """
    quiet = [] if warnings else ["-W", "ignore"]
    result = subprocess.run(
        [sys.executable, *quiet, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return result.returncode, result.stderr.strip()


def is_abort_of_a_binding(end: tuple[int, str]) -> bool:
    """How bindings that take the interpreter lock back in a destructor end a process."""
    code, text = end
    lines = {"terminate called without an active exception", "terminate called recursively"}
    return code == -6 and set(text.splitlines()) <= lines
