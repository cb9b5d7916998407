"""Which cases ``make test`` leaves to ``make test-long``: those of long_cases.txt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

LIST = Path(__file__).parent.parent / "long_cases.txt"


def patterns() -> list[str]:
    """The lines that are no comments."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def mark(items: Sequence[pytest.Item], *, whole_files: bool) -> None:
    """Mark the listed ones among the collected tests.

    Args:
        items: what was collected.
        whole_files: whether all tests of each of their files were: then a line must find one.

    Raises:
        pytest.UsageError: a line finds none.
    """
    files = {item.nodeid.split("::")[0] for item in items}
    for pattern in patterns():
        named = re.compile(re.escape(pattern).replace(r"\*", ".*") + "(@.*)?")
        found = [item for item in items if named.fullmatch(item.nodeid)]
        for item in found:
            item.add_marker(pytest.mark.long)
        if not found and whole_files and pattern.split("::")[0] in files:
            raise pytest.UsageError(f"{LIST.name}: no test is called {pattern}")
