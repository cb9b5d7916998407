"""The command ``sr-ops``: wiring, and one policy for errors (one line on stderr, exit code 2)."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from sr_ops.errors import MissingDependencyError, SrOpsError

__all__ = ["main"]

USAGE_ERROR = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; the process's own by default.

    Returns:
        The exit code: 0, 2 after an error that was reported in one line, 130 after Ctrl-C.
    """
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # what it says, our errors say
    try:
        result = _build_app()(arguments, prog_name="sr-ops", standalone_mode=False)
        if result == INTERRUPTED:  # how Typer's newer versions pass Ctrl-C on
            raise KeyboardInterrupt
    except SrOpsError as error:
        return _report(str(error))
    except KeyboardInterrupt:
        return _report("interrupted", INTERRUPTED)
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
    from sr_ops import cli_app

    return cli_app.build()


def _report(message: str, code: int = USAGE_ERROR) -> int:
    if message:  # none where the help has just been shown instead of a command
        print(f"sr-ops: error: {' '.join(message.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
