"""OpenCV's own lines on stderr, kept from there while our errors say what they would."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

__all__ = ["without_text"]


class _Silence:
    """OpenCV's level as it was, and how many are inside."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.level: Any = None

    def begin(self, logging: Any) -> None:
        with self.lock:
            if self.inside == 0:
                self.level = logging.getLogLevel()
                logging.setLogLevel(logging.LOG_LEVEL_SILENT)
            self.inside += 1

    def end(self, logging: Any) -> None:
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                logging.setLogLevel(self.level)


_silence = _Silence()


@contextlib.contextmanager
def without_text(cv2: Any) -> Iterator[None]:
    """OpenCV logs nothing meanwhile, on any thread; its level comes back when the last one leaves.

    Not the lines that libpng and libjpeg print past it: only the process's own stderr could be
    turned away then, which belongs to the program and all of its threads.
    """
    logging = getattr(getattr(cv2, "utils", None), "logging", None)
    if logging is None:  # older releases; OPENCV_LOG_LEVEL in the environment has the same effect
        yield
        return
    _silence.begin(logging)
    try:
        yield
    finally:
        _silence.end(logging)
