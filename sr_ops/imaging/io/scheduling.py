"""Encoders that take more of a machine than they are given."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

__all__ = ["kept_scheduling"]

_TASKS = "/proc/self/task"


@contextlib.contextmanager
def kept_scheduling() -> Iterator[None]:
    """Threads that are started inside are scheduled as the calling one was before, and so is it.

    SVT-AV1 gives its threads, and the one that opens it, real-time priority where the process may
    (root's): they would take the machine from all other programs. Does nothing outside Linux.

    >>> with kept_scheduling():
    ...     os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    >>> os.sched_getscheduler(0) == os.SCHED_OTHER
    True
    """
    if not os.path.isdir(_TASKS):
        yield
        return
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    before = set(os.listdir(_TASKS))
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, priority)
        for task in set(os.listdir(_TASKS)) - before:
            with contextlib.suppress(OSError):  # it has ended, or may not be changed
                os.sched_setscheduler(int(task), policy, priority)
