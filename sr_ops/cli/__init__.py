"""The command ``sr-ops``: wiring, and one policy for errors (one line on stderr, exit code 2)."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import sr_ops
from sr_ops.cli.errors import print_error
from sr_ops.errors import MissingDependencyError, SrOpsError

__all__ = ["main"]

USAGE_ERROR = 2
INTERRUPTED = 130
_STDERR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; the process's own by default.

    Returns:
        The exit code: 0, 2 after an error that was reported in one line, 130 after Ctrl-C, 143
        after SIGTERM.
    """
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # what it says, our errors say
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    for stream in (sys.stdout, sys.stderr):  # a file's name may be any bytes
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given == ["--version"]:
        print(sr_ops.__version__)  # without the parser, which takes longer than the answer
        return 0
    for argument in given:
        if "\0" in argument:  # which a program cannot be given, but a caller of this function can
            return _report(f"{argument!r}: there is a NUL in it, and no file can be called so")
    with _stoppable(), _without_decoders_text():
        if not given:  # the help, but whoever wanted something done did not get it
            return _run(["--help"]) or USAGE_ERROR
        return _run(given)


class _Stopped(SystemExit):
    """Not an error that anyone on the way would handle."""

    code: int


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM and SIGHUP end the work as Ctrl-C does, so that nothing unfinished stays behind."""

    def stop(number: int, _frame: object) -> None:
        raise _Stopped(128 + number)

    here = threading.current_thread() is threading.main_thread()
    signals = [getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP")]
    taken = [s for s in signals if here and s and signal.getsignal(s) == signal.SIG_DFL]
    for number in taken:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def _without_decoders_text() -> Iterator[None]:
    """What native code writes past Python, our errors say in a line; so its text is dropped.

    Python's own stderr goes on to where it went. Not where it has been replaced, as in tests.
    """
    try:
        usual = sys.__stderr__
        ordinary = usual is not None and sys.stderr is usual and usual.fileno() == _STDERR
    except (OSError, ValueError):  # there is none
        ordinary = False
    if not ordinary:
        yield
        return
    sys.stderr.flush()
    ours, nowhere = os.dup(_STDERR), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDERR)
    os.close(nowhere)
    text = os.fdopen(ours, "w", buffering=1, errors="backslashreplace", closefd=False)
    sys.stderr = text
    try:
        yield
    finally:
        text.flush()
        sys.stderr = sys.__stderr__
        os.dup2(ours, _STDERR)
        os.close(ours)


def _run(arguments: Sequence[str]) -> int:
    try:
        result = _build_app()(arguments, prog_name="sr-ops", standalone_mode=False)
        if result == INTERRUPTED:  # how Typer's newer versions pass Ctrl-C on
            raise KeyboardInterrupt
    except SrOpsError as error:
        return _report(str(error))
    except KeyboardInterrupt:
        return _report("interrupted", INTERRUPTED)
    except _Stopped as stop:
        return _report("stopped by a signal", stop.code)
    except BrokenPipeError:  # whoever read our output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError as error:
        return _report(f"not enough memory: {error}" if str(error) else "not enough memory")
    except Exception as error:
        # The argument parser's own classes differ between Typer's versions; their traits don't.
        if isinstance(error.__cause__, KeyboardInterrupt):
            return _report("interrupted", INTERRUPTED)
        if hasattr(error, "format_message"):
            return _report(error.format_message())
        raise
    return result if isinstance(result, int) else 0


def _build_app() -> Any:
    try:
        import typer  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"the command line needs {error.name}: pip install 'sr-ops[image]'"
        ) from error
    from sr_ops.cli import app

    return app.build()


def _report(message: str, code: int = USAGE_ERROR) -> int:
    if message:  # none where the help has just been shown instead of a command
        print_error(message)
    return code
