"""Signals that come while a call is under way, and what is to be put back afterwards."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

#: How late a call may answer on a machine that is busy with other tests. Alone it is 0.1 s.
PATIENCE = 5.0


@contextmanager
def ctrl_c_by_default() -> Iterator[None]:
    """Also in a job that a shell started in the background, which ignores Ctrl-C."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def press_after(seconds: float) -> list[float]:
    """Ctrl-C, from a thread of its own; when it was pressed."""
    pressed: list[float] = []

    def press() -> None:
        pressed.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Timer(seconds, press).start()
    return pressed


def wait_until(pressed: list[float]) -> None:
    """Until it was: a signal that comes after its test ends another one."""
    while not pressed:
        time.sleep(0.01)


@contextmanager
def alarms(handler: Callable[[], Any], interval: float) -> Iterator[None]:
    """SIGALRM, ``interval`` seconds after the start and after each end of its handler."""

    def handle(number: int, frame: Any) -> None:
        handler()
        signal.setitimer(signal.ITIMER_REAL, interval)  # only now: they must not pile up

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, interval)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
