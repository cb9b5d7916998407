"""Video files through OpenCV, a frame at a time."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr_ops.errors import FileError, ImageError
from sr_ops.imaging.files import check_apart, opencv, place

__all__ = ["SUFFIXES", "upscale_video"]

#: Ending -> the codec that is written; the ones that every build of OpenCV with FFmpeg has.
_CODECS = {".mp4": "mp4v", ".mov": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}
SUFFIXES = tuple(_CODECS)

Frame = NDArray[np.uint8]


def upscale_video(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    upscale: Callable[[Frame], Frame],
    progress: Callable[[int, int], None] | None = None,
) -> tuple[int, int, int]:
    """Upscale a video. Sound is not carried over.

    Memory does not grow with its length. The codecs want even sides: an odd one loses a pixel.

    Args:
        source: a file that OpenCV can read.
        target: ends in .mp4, .mov, .mkv or .avi; there whole or not at all.
        upscale: from an (H, W, 3) uint8 RGB frame to its result, always of one size.
        progress: called as progress(done, total) after each frame; total is what the file says.

    Returns:
        (frames, width, height) of the result.

    Raises:
        FileError: a file that cannot be read or written.
        InvalidArgumentError: ``target`` is ``source``.
        ImageError: not a video, or one without frames, or a result smaller than a codec takes.
    """
    cv2 = opencv()
    target = Path(target)
    final = _place(source, target)
    temporary = final.with_name(f".sr-ops-{secrets.token_hex(8)}{target.suffix}")
    capture, writer = cv2.VideoCapture(os.fspath(source)), None
    count, height, width = 0, 0, 0
    try:
        total = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
        rate = capture.get(cv2.CAP_PROP_FPS) or 25.0
        for count, frame in enumerate(_frames(capture), start=1):
            result = upscale(np.ascontiguousarray(frame[..., ::-1]))
            if writer is None:
                height, width = (side // 2 * 2 for side in result.shape[:2])
                writer = _open_writer(temporary, rate, (width, height), target)
            writer.write(np.ascontiguousarray(result[:height, :width, ::-1]))
            if progress is not None:
                progress(count, max(total, count))
        if writer is None:
            raise ImageError(f"{source}: not a video that OpenCV can read, or one without frames")
        writer.release()
        _check_complete(temporary, count, target)
        _move(temporary, final)
        return count, width, height
    finally:
        capture.release()
        if writer is not None:
            writer.release()
        with contextlib.suppress(OSError):
            temporary.unlink()  # still there only where something went wrong


def _place(source: str | os.PathLike[str], target: Path) -> Path:
    """Where to write; before any work: whether there is something to read, and that place."""
    if target.suffix.lower() not in _CODECS:
        raise ImageError(f"{target}: no video format ends so; use {', '.join(SUFFIXES)}")
    if not Path(source).is_file():
        raise FileError(f"{source}: cannot be read: no such file")
    check_apart(source, target)
    final = place(target)
    for path in (source, final):  # such a name ends the process inside OpenCV
        try:
            os.fspath(path).encode()
        except UnicodeEncodeError:
            raise FileError(f"{path}: OpenCV opens no video whose name is not UTF-8") from None
    return final


def _check_complete(path: Path, count: int, target: Path) -> None:
    """OpenCV's writer reports nothing: not even a full disk."""
    cv2 = opencv()
    written = cv2.VideoCapture(os.fspath(path))
    frames = max(int(written.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
    written.release()
    if frames != count:
        raise FileError(
            f"{target}: cannot be written: {frames} of {count} frames arrived; the disk may be full"
        )


def _move(temporary: Path, target: Path) -> None:
    try:
        os.replace(temporary, target)
    except OSError as error:
        raise FileError(f"{target}: cannot be written: {error.strerror or error}") from error


def _frames(capture: Any) -> Iterator[Frame]:
    while True:
        there, frame = capture.read()
        if not there:
            return
        yield frame


def _open_writer(path: Path, rate: float, size: tuple[int, int], target: Path) -> Any:
    cv2 = opencv()
    if 0 in size:
        raise ImageError(f"{target}: {size[0]} x {size[1]} is smaller than any codec takes")
    codec = cv2.VideoWriter_fourcc(*_CODECS[target.suffix.lower()])
    writer = cv2.VideoWriter(os.fspath(path), codec, rate, size)
    if not writer.isOpened():
        raise FileError(
            f"{target}: cannot be written: OpenCV opens no such file of {size[0]} x {size[1]}"
        )
    return writer
