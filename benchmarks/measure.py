"""Fair timing: contenders take turns in short bursts within one run; ratios are what counts."""

from __future__ import annotations

import ctypes
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Contender = Callable[[], Any]

_BURST_SECONDS = 0.02
_MAX_CALLS = 200
_SLOW_ROUNDS = 2


Clock = Callable[[], float]


def _seconds(contender: Contender, clock: Clock) -> float:
    start = clock()
    contender()
    return clock() - start


def compare(
    contenders: Mapping[str, Contender], rounds: int, clock: Clock = time.perf_counter
) -> dict[str, dict[str, float]]:
    """Seconds a call of each contender: ``{"name": {"min": …, "median": …}}``.

    Each round gives every contender one burst: a warm-up call, then calls for about 20 ms. One cold
    call after another would measure the caches instead. Those that take more than ten times as long
    as the first one, and than a burst, have two rounds: their ratios are no close matter.
    """
    calls, slow, first = {}, set(), 0.0
    for name, contender in contenders.items():
        contender()
        seconds = max(_seconds(contender, clock), 1e-7)
        calls[name] = max(1, min(_MAX_CALLS, int(_BURST_SECONDS / seconds)))
        first = first or seconds
        if seconds > max(10 * first, _BURST_SECONDS):
            slow.add(name)
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(rounds):
        for name, contender in contenders.items():
            if turn >= _SLOW_ROUNDS and name in slow:
                continue
            contender()
            samples[name] += [_seconds(contender, clock) for _ in range(calls[name])]
    return {
        name: {"min": min(values), "median": statistics.median(values)}
        for name, values in samples.items()
    }


class Others:
    """How much of the machine's processors everything but this process took, from its start on."""

    def __init__(self) -> None:
        self._begin = self._now()

    @staticmethod
    def _now() -> tuple[float, float, float]:
        """Seconds: of the clock; of all processors at work, or stolen; of this process."""
        path = Path("/proc/stat")
        if not path.exists():
            return time.perf_counter(), 0.0, 0.0
        user, nice, system, _, _, irq, soft, steal = map(int, path.read_text().split()[1:9])
        ticks = user + nice + system + irq + soft + steal
        own = sum(os.times()[:4])
        return time.perf_counter(), ticks / os.sysconf("SC_CLK_TCK"), own

    def share(self) -> float:
        """0: nobody else was at work; 1: others alone."""
        clock, busy, own = (b - a for a, b in zip(self._begin, self._now(), strict=True))
        return max(0.0, (busy - own) / (clock * (os.cpu_count() or 1)))


def aligned_empty(shape: tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
    """An array at a cache line's start, as torch and ONNX Runtime allocate theirs."""
    bytes_ = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(bytes_ + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + bytes_].view(dtype).reshape(shape)


_LIBC = ctypes.CDLL(None)
_LIBC.memcpy.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
_LIBC.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]


def memcpy_of(array: np.ndarray) -> Contender:
    """Copies an array of this size, warm to warm, with the C library's memcpy."""
    source, target = (
        aligned_empty(array.shape, array.dtype),
        aligned_empty(array.shape, array.dtype),
    )
    source[...] = 1
    return lambda: _LIBC.memcpy(target.ctypes.data, source.ctypes.data, array.nbytes)


def memset_of(array: np.ndarray) -> Contender:
    """Fills an array of this size."""
    target = aligned_empty(array.shape, array.dtype)
    return lambda: _LIBC.memset(target.ctypes.data, 1, array.nbytes)


def cpu_name() -> str:
    """The processor's model as the system tells it; cloud machines only differ in the numbers."""
    try:
        with open("/proc/cpuinfo") as lines:
            facts = dict(line.split(":", 1) for line in lines if ":" in line)
    except OSError:
        facts = {}
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    if "model name" not in facts:
        return platform.processor() or platform.machine()
    numbers = [f"{key} {facts[key]}" for key in ("cpu family", "model") if key in facts]
    return " ".join([facts["model name"], f"({', '.join(numbers)})" if numbers else ""]).strip()
