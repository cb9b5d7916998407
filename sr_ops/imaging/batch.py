"""Many pictures: which files are meant, where they go, and working on several at once."""

from __future__ import annotations

import glob
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

from sr_ops.errors import FileError, ImageError, InvalidArgumentError, SrOpsError
from sr_ops.imaging import video
from sr_ops.imaging.files import WRITABLE, check_apart

__all__ = ["Outcome", "Task", "files", "plan", "run"]


class Task(NamedTuple):
    """One picture."""

    source: Path
    target: Path


class Outcome(NamedTuple):
    """What became of a task: a line to show, or the error that ended it."""

    task: Task
    text: str
    error: Exception | None


def plan(sources: Sequence[str], folder: str, suffix: str | None = None) -> list[Task]:
    """The pictures that are meant, and their places in a folder.

    Args:
        sources: files, folders (every picture directly in them) and patterns such as ``a*.png``.
        folder: where results go, under their old names.
        suffix: with another ending, and so in another format.

    Raises:
        FileError: nothing is there, or a pattern fits nothing.
        ImageError: the suffix is no picture format's.
        InvalidArgumentError: two pictures would get one name, or a result its source's place.
    """
    if suffix is not None and suffix not in WRITABLE:
        raise ImageError(f"format: {suffix!r} is none of {', '.join(WRITABLE)}")
    tasks: dict[Path, Task] = {}
    for source in files(sources):
        target = Path(folder) / (source.name if suffix is None else source.stem + suffix)
        if source.suffix.lower() in video.SUFFIXES:
            raise InvalidArgumentError(f"{source}: a video; videos are upscaled one at a time")
        if target in tasks:
            raise InvalidArgumentError(
                f"{source} and {tasks[target].source} would both become {target}; use two folders"
            )
        check_apart(source, target)
        tasks[target] = Task(source, target)
    return list(tasks.values())


def run(
    tasks: Sequence[Task],
    work: Callable[[Task, Callable[[int, int], None]], str],
    jobs: int = 1,
) -> Iterator[Outcome]:
    """Do the work for every task, some at the same time; what one meets doesn't stop the others.

    Args:
        tasks: what to do.
        work: work(task, progress) -> text; it calls ``progress`` now and then, which is where it is
            interrupted.
        jobs: how many at a time, in threads: the native code doesn't hold Python's lock.

    Yields:
        Outcomes, as they come.

    Raises:
        KeyboardInterrupt: Ctrl-C, as soon as the tasks under way have stopped.
    """
    stop = threading.Event()

    def attempt(task: Task) -> Outcome:
        try:
            return Outcome(task, work(task, check), None)
        except (SrOpsError, MemoryError) as error:
            return Outcome(task, "", error)

    def check(_done: int, _total: int) -> None:
        if stop.is_set():
            raise ImageError("interrupted")

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        futures = [pool.submit(attempt, task) for task in tasks]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            stop.set()
            for future in futures:
                future.cancel()
            raise


def files(sources: Sequence[str]) -> Iterator[Path]:
    """The pictures that are meant by files, folders and patterns.

    Raises:
        FileError: a folder without pictures or not readable, or a pattern that fits nothing.
    """
    for source in sources:
        if os.path.isdir(source):
            yield from _pictures_in(source)
        elif not os.path.exists(source) and glob.has_magic(source):
            found = [Path(p) for p in sorted(glob.glob(source)) if os.path.isfile(p)]
            if not found:
                raise FileError(f"{source}: no file fits this pattern")
            yield from found
        else:
            yield Path(source)


def _pictures_in(folder: str) -> list[Path]:
    try:
        paths = sorted(p for p in Path(folder).iterdir() if p.suffix.lower() in WRITABLE)
        found = [path for path in paths if path.is_file()]  # nobody may ever write into a pipe
    except OSError as error:
        raise FileError(f"{folder}: cannot be read: {error.strerror or error}") from error
    if not found:
        raise FileError(f"{folder}: no pictures in this folder ({', '.join(WRITABLE)})")
    return found
