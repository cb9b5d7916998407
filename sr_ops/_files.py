"""Writing a file whole or not at all: one rule for models, pictures, videos and texts.

What is written stands in a folder of its own beside its place and is moved there when it is
complete. Symbolic links are followed: the file that a link names is replaced, the link stays. A
file that is replaced hands its permissions on.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sr_ops.errors import FileError

__all__ = ["followed", "replacing"]


def followed(path: str | os.PathLike[str]) -> Path:
    """The file that a path means, with symbolic links followed; it need not exist.

    Raises:
        FileError: no file can be called so: there is a NUL in the name.
    """
    try:
        return Path(os.path.realpath(path, strict=False)).absolute()
    except ValueError as error:  # an embedded NUL
        raise FileError(f"{os.fspath(path)!r}: no file can be called so: {error}") from error


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A place for a draft that takes the place of ``path`` where the block ends well.

    The draft has the name of the file that it is to replace. Files that the block makes beside it
    arrive beside that file, too. Where the block raises, nothing is left behind.

    Raises:
        OSError: the file cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "note.txt") as draft:
    ...         _ = draft.write_text("whole")
    ...     (Path(folder) / "note.txt").read_text()
    'whole'
    """
    destination = followed(path)
    with tempfile.TemporaryDirectory(prefix=".sr_ops_", dir=destination.parent) as folder:
        draft = Path(folder) / destination.name
        yield draft
        for beside in sorted(set(Path(folder).iterdir()) - {draft}):
            _move(beside, destination.parent / beside.name)
        _move(draft, destination)


def _move(draft: Path, destination: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.chmod(draft, stat.S_IMODE(os.stat(destination).st_mode))
    os.replace(draft, destination)
