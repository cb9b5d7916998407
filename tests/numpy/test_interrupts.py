"""Signals inside a long call: Ctrl-C ends it, and other handlers run, on any number of threads."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from cases import assert_same_bits

import sr_ops

upscale = sr_ops.numpy.dynamic_upscale

# Calls of many seconds with little memory: every element of the source is the same one.
MANY_PLANES = (np.broadcast_to(np.float64(1.0), (20_000, 1, 700, 800)), (6, 7))
ONE_PLANE = (np.broadcast_to(np.float32(1.0), (1, 1, 400_000, 20_000)), (20_000, 1_000))


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    before = sr_ops.numpy.get_num_threads()
    # A job that a shell starts in the background ignores Ctrl-C otherwise.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)
    sr_ops.numpy.set_num_threads(before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no such timer")
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(("image", "size"), [MANY_PLANES, ONE_PLANE], ids=["planes", "one plane"])
def test_ctrl_c_ends_a_long_call(image: Any, size: tuple[int, int], threads: int) -> None:
    sr_ops.numpy.set_num_threads(threads)
    pressed: list[float] = []

    def press() -> None:
        pressed.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    out = np.full((*image.shape[:2], *size), np.nan, image.dtype)
    timer = threading.Timer(0.3, press)
    timer.start()
    with pytest.raises(KeyboardInterrupt):  # also after a call that did not answer
        upscale(image, size=size, antialias=True, out=out)
    print(f"answered after {time.perf_counter() - pressed[0]:.3f} s")
    assert np.isnan(out).any(), "the call went on to its end"
    x = np.arange(12.0).reshape(3, 4)  # and the next call works
    assert upscale(x, 2, layout="HW").shape == (6, 8)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no such timer")
@pytest.mark.parametrize("threads", [1, 3])
def test_handlers_run_meanwhile_and_may_fork_and_call(threads: int) -> None:
    sr_ops.numpy.set_num_threads(threads)
    small = np.random.default_rng(1).random((1, 2, 40, 50)).astype(np.float32)
    small_result = upscale(small, 2.7)
    plane = np.random.default_rng(2).random((1, 1, 700, 800))
    image, size = np.broadcast_to(plane, (3_000, 1, 700, 800)), (20, 30)
    expected = upscale(plane, size=size, antialias=True)
    results = []

    def handle(number: int, frame: Any) -> None:
        pid = os.fork()
        same = (upscale(small, 2.7) == small_result).all()
        if pid == 0:
            os._exit(0 if same else 1)
        results.append(bool(same) and os.waitpid(pid, 0)[1] == 0)
        signal.setitimer(signal.ITIMER_REAL, 0.05)  # only now: handlers must not pile up

    before = signal.signal(signal.SIGALRM, handle)
    try:
        for _ in range(50):
            handled = len(results)
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            y = upscale(image, size=size, antialias=True)
            signal.setitimer(signal.ITIMER_REAL, 0)
            if len(results) - handled >= 2:  # one alone may have run after the call
                break
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(results) >= 2 and all(results)
    assert_same_bits(y[-1:], expected, threads)
    assert_same_bits(y[:1], expected, threads)
