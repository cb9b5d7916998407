"""The peak of this process's resident memory, from the kernel's own books.

Not getrusage's ru_maxrss: that never falls, and a new program starts with its parent's.
"""

from __future__ import annotations

import re
from pathlib import Path


def forget_peak() -> None:
    """The peak is what is resident now."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_mebibytes() -> float:
    """The most that was resident since the program began, or since forget_peak."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found.group(1)) / 1024
