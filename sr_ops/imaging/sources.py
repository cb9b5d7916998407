"""Which files are meant by files, folders and patterns, and where their results go."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from sr_ops._files import followed
from sr_ops.errors import FileError, ImageError, InvalidArgumentError
from sr_ops.imaging.io import containers, video
from sr_ops.imaging.io.files import WRITABLE
from sr_ops.imaging.io.places import check_apart

__all__ = [
    "STREAM",
    "Plan",
    "Skipped",
    "Task",
    "files",
    "is_folder",
    "is_single",
    "is_video",
    "plan",
]

#: Standard input or output.
STREAM = "-"

#: What systems put beside pictures, besides hidden files.
_BESIDE = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini"})
#: Kind of a file whose ending says nothing -> the ending of its result.
_ENDINGS = {
    **{"png": ".png", "jpeg": ".jpg", "webp": ".webp"},
    **{"avif": ".avif", "tiff": ".tif", "bmp": ".bmp"},
}


class Task(NamedTuple):
    """One picture."""

    source: Path
    output: Path


class Skipped(NamedTuple):
    """A file that is left alone, and why."""

    source: Path
    reason: str


class Plan(NamedTuple):
    """What there is to do.

    Attributes:
        tasks: pictures, and where their results go.
        skipped: other files of the folders, and pictures whose results are there already.
        refused: lines about pictures that cannot be done.
    """

    tasks: list[Task]
    skipped: list[Skipped]
    refused: list[str]


def plan(
    sources: Sequence[str],
    folder: str,
    suffix: str | None = None,
    *,
    recursive: bool = False,
    existing: str = "replace",
) -> Plan:
    """The pictures that are meant, and their places in a folder.

    Args:
        sources: files, folders and patterns such as ``a*.png``. In a folder, what a file holds
            counts, not its ending; hidden files are ignored.
        folder: where results go, under their old names.
        suffix: with another ending, and so in another format.
        recursive: folders within folders, too; the results' folders are like them.
        existing: what becomes of a result that is there already: "replace", "skip" or "refuse".

    Raises:
        FileError: nothing is there, or a pattern fits nothing.
        ImageError: the suffix is no picture format's.
        InvalidArgumentError: a video among the sources, or a result in its source's place.
    """
    if suffix is not None and suffix not in WRITABLE:
        raise ImageError(f"format: {suffix!r} is none of {', '.join(WRITABLE)}")
    made = Plan([], [], [])
    wanted: dict[Path, list[Path]] = {}
    for source, inside in _meant(sources, recursive, made.skipped, Path(folder)):
        if is_video(source):
            raise InvalidArgumentError(f"{source}: a video; videos are upscaled one at a time")
        output = Path(folder) / inside.with_name(_result_name(source, suffix))
        check_apart(source, output)
        wanted.setdefault(output, []).append(source)
    for output, claims in wanted.items():
        if len(claims) > 1:
            named = " and ".join(map(str, claims))
            made.refused.append(f"{named} would both become {output}; use two folders")
        elif existing == "skip" and output.exists():
            made.skipped.append(Skipped(claims[0], "already there"))
        elif existing == "refuse" and output.exists():
            made.refused.append(f"{output}: exists already; pass --overwrite or --skip-existing")
        else:
            made.tasks.append(Task(claims[0], output))
    return made


def _result_name(source: Path, suffix: str | None) -> str:
    if suffix is not None:
        return source.stem + suffix
    if source.suffix.lower() in WRITABLE:
        return source.name
    kind = _kind(source)
    return source.name if kind is None else source.stem + _ENDINGS.get(kind, source.suffix)


def _kind(path: Path) -> str | None:
    """What a file is by its first bytes; None if it is no picture or cannot be read."""
    try:
        with open(followed(path), "rb") as file:
            return containers.recognise(file.read(containers.SIGNATURE), str(path))
    except (OSError, ImageError):
        return None


def files(sources: Sequence[str]) -> Iterator[Path]:
    """The pictures that are meant by files, folders and patterns.

    Raises:
        FileError: a folder without pictures or not readable, or a pattern that fits nothing.
    """
    for source, _ in _meant(sources, False, [], None):
        yield source


def _meant(
    sources: Sequence[str], recursive: bool, skipped: list[Skipped], results: Path | None
) -> Iterator[tuple[Path, Path]]:
    """Pictures, each with its place below the folder that it was found in."""
    for source in sources:
        if os.path.isdir(source):
            yield from _in_folder(Path(source), recursive, skipped, results)
        elif not os.path.exists(source) and glob.has_magic(source):
            found = [Path(p) for p in sorted(glob.glob(source)) if os.path.isfile(p)]
            if not found:
                raise FileError(f"{source}: no file fits this pattern")
            yield from ((path, Path(path.name)) for path in found)
        else:
            if not Path(source).name:
                raise FileError(f"{source!r} names no picture, folder or pattern")
            yield Path(source), Path(Path(source).name)


def _in_folder(
    folder: Path, recursive: bool, skipped: list[Skipped], results: Path | None
) -> Iterator[tuple[Path, Path]]:
    found = False
    for path in _entries(folder, recursive, results):
        kind = _kind(path)
        if path.suffix.lower() in WRITABLE or is_video(path) or kind in _ENDINGS:
            if is_video(path):
                skipped.append(Skipped(path, "videos are upscaled one at a time"))
                continue
            found = True
            yield path, path.relative_to(folder)
        else:
            reason = "not pictures" if kind is None else "of formats that are not upscaled"
            skipped.append(Skipped(path, reason))
    if not found:
        raise FileError(f"{folder}: no pictures in this folder ({', '.join(WRITABLE)})")


def _entries(folder: Path, recursive: bool, results: Path | None) -> Iterator[Path]:
    """Ordinary files, in order; nobody may ever write into a pipe. No results of an earlier run."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise FileError(f"{folder}: cannot be read: {error.strerror or error}") from error
    for path in entries:
        if path.name.startswith(".") or path.name.lower() in _BESIDE:
            continue
        if path.is_file():
            yield path
        elif recursive and path.is_dir() and not path.is_symlink() and not _same(path, results):
            yield from _entries(path, recursive, results)


def _same(path: Path, other: Path | None) -> bool:
    return other is not None and other.exists() and path.samefile(other)


def is_single(source: str) -> bool:
    """Whether a source is one file or the standard input, and no folder or pattern."""
    is_pattern = glob.has_magic(source) and not os.path.exists(source)
    return source == STREAM or not (os.path.isdir(source) or is_pattern)


def is_folder(output: str) -> bool:
    """Whether results go into this, under their sources' names."""
    return output != STREAM and (output.endswith(("/", "\\")) or os.path.isdir(output))


def is_video(source: str | os.PathLike[str]) -> bool:
    """Whether a file's ending is that of a video."""
    return Path(source).suffix.lower() in video.SUFFIXES
