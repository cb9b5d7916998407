"""Where results may be written, and what is said where they may not."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

from sr_ops._files import followed
from sr_ops.errors import FileError, InvalidArgumentError

__all__ = ["cannot", "check_apart", "make_folder", "place"]


def cannot(path: str | os.PathLike[str], what: str, error: OSError) -> FileError:
    """What to raise where a file cannot be ``what``: read, written, created."""
    name = os.fspath(path) or "''"  # a name without a letter is to be seen, too
    return FileError(f"{name}: cannot be {what}: {error.strerror or error}")


def place(path: str | os.PathLike[str]) -> Path:
    """The file that is meant, with links followed, if one can be written there.

    Raises:
        FileError: a folder, a device or a pipe stands there; the folder above is missing or
            read-only.
    """
    try:
        output = followed(path)
        if output.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if output.exists() and not output.is_file():
            raise OSError(errno.EINVAL, "a device or a pipe stands there, not a file")
        if not output.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, "no such folder")
        temporary = _beside(output)
        try:
            temporary.open("xb").close()
        finally:
            temporary.unlink(missing_ok=True)
    except FileError:
        raise
    except OSError as error:
        raise cannot(path, "written", error) from error
    return output


def check_apart(source: str | os.PathLike[str], output: str | os.PathLike[str]) -> None:
    """Refuse a result that would take its source's place.

    Raises:
        InvalidArgumentError: both are one file, also through links.
    """
    with contextlib.suppress(OSError):  # what cannot be read or written is found out later
        if os.path.samefile(followed(source), followed(output)):
            raise InvalidArgumentError(f"{output}: the result would replace its source")


def _beside(output: Path) -> Path:
    """A name in the same folder that nobody else takes."""
    return output.with_name(f".sr-ops-{secrets.token_hex(8)}.tmp")


def make_folder(path: str | os.PathLike[str]) -> None:
    """Create a folder, and those above it, where it is missing.

    Args:
        path: of the folder.

    Raises:
        FileError: it cannot be created, or is a file.

    >>> import tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "a", "b")
    >>> make_folder(path); os.path.isdir(path)
    True
    """
    try:
        followed(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot(path, "created", error) from error
