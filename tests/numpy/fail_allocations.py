"""Every allocation of the native module fails once: ctest runs this on a failing allocator.

    LD_PRELOAD=libsr_ops_failing_allocation.so python fail_allocations.py

Each attempt has a process of its own, forked before anything is cached: a MemoryError or the right
result, then the right result again.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

import sr_ops
from sr_ops import _native

SURVIVED, NOTHING_FAILED, BAD = 0, 1, 2


class FailingAllocator:
    """The switch of the preloaded library."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        self.fail = library.sr_ops_test_fail_allocation
        self.fail.argtypes = (ctypes.c_long, ctypes.c_char_p)
        self.failed = library.sr_ops_test_failed_allocations
        self.failed.restype = ctypes.c_long


def attempt(x: np.ndarray[Any, Any], keywords: dict[str, Any], count: int) -> int:
    """A call with one failure, then one without."""
    allocator = FailingAllocator()
    file = Path(_native.__file__).name.encode()
    refused = None
    allocator.fail(count, file)
    try:
        first = sr_ops.numpy.dynamic_upscale(x, **keywords)
    except MemoryError as error:
        refused = error
    finally:
        allocator.fail(-1, None)
    injected = allocator.failed() > 0
    expected = sr_ops.numpy.dynamic_upscale(x, **keywords)
    if refused is None and not np.array_equal(first, expected):
        return BAD
    if refused is not None and not injected:
        return BAD
    return SURVIVED if injected else NOTHING_FAILED


def fail_each(name: str, x: np.ndarray[Any, Any], keywords: dict[str, Any]) -> None:
    """Go on until a call has no more allocations that could fail."""
    count = 0
    while True:
        child = os.fork()
        if child == 0:
            signal.alarm(60)  # a child that hangs is a failure
            verdict = BAD
            try:
                verdict = attempt(x, keywords, count)
            finally:
                os._exit(verdict)
        status = os.waitpid(child, 0)[1]
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == NOTHING_FAILED:
            print(f"{name}: survived the failure of each of {count} allocations")
            return
        if status != 0:
            sys.exit(f"{name}, allocation {count}: ended with status {status}")
        count += 1


def main() -> None:
    """Upscale, downscale, and what is refused for other reasons."""
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (60, 70, 3), np.uint8)
    sr_ops.numpy.set_num_threads(4)
    fail_each("upscale", rng.random((1, 3, 40, 30), np.float32), {"scale": 2.7})
    fail_each("picture", picture, {"scale": 0.4, "antialias": True, "layout": "HWC"})


if __name__ == "__main__":
    main()
