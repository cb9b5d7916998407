"""Work on files: a picture, a video or many pictures, from reading to the written result."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sr_ops.errors import ImageError, SrOpsError
from sr_ops.imaging import geometry, pipeline
from sr_ops.imaging.choice import Models
from sr_ops.imaging.io import containers, files, places
from sr_ops.imaging.io.containers import Container
from sr_ops.imaging.io.limits import DEFAULT_MAX_PIXELS, check_cost
from sr_ops.imaging.io.metadata import Metadata
from sr_ops.imaging.sources import STREAM, Task
from sr_ops.imaging.tiles import DEFAULT_MEMORY

__all__ = [
    "Outcome",
    "Work",
    "forecast",
    "forecast_video",
    "seconds_per_pixel",
    "upscale_many",
    "upscale_picture",
    "upscale_video",
]

Progress = Callable[[int, int], None]


class Work(NamedTuple):
    """What is done to every picture of a call.

    Attributes:
        size: one form of :func:`sr_ops.upscale_image`'s size: ``scale``, ``width``, …
        models: the networks.
        keywords: more of :func:`sr_ops.upscale_image`'s.
        quality: of JPEG and WebP files.
        strip: whether results say nothing of camera, date, place and words.
        max_pixels: of a source, width times height.
        codec, crf: of videos; None for good ones.
    """

    size: dict[str, Any]
    models: Models
    keywords: dict[str, Any]
    quality: int | None = None
    strip: bool = False
    max_pixels: int | None = DEFAULT_MAX_PIXELS
    codec: str | None = None
    crf: int | None = None


class Outcome(NamedTuple):
    """What became of a task: a line to show, or the error that ended it."""

    task: Task
    text: str
    error: Exception | None


class _Picture(NamedTuple):
    """A picture in memory, in OpenCV's channel order.

    Attributes:
        image: pixels.
        metadata: of its file.
        notes: what a user should know of it.
    """

    image: Any
    metadata: Metadata
    notes: list[str]


def upscale_picture(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    work: Work,
    progress: Progress,
    *,
    stdout_format: str = ".png",
    compare: Path | None = None,
) -> str:
    """Upscale one file, or the standard input, into a file or the standard output.

    Args:
        source, output: files, or ``STREAM``.
        work: what to do.
        progress: called as progress(done, total).
        stdout_format: the ending that stands for the format of the standard output.
        compare: where to draw source and result side by side; None for nowhere.

    Returns:
        A line that says what was done.

    Raises:
        SrOpsError: a file that cannot be read, used or written; nothing is left behind.
    """
    name = f"stdout{stdout_format}" if output == STREAM else os.fspath(output)
    for path in (output, compare):  # before the work
        if path is not None and path != STREAM:
            places.check_apart(source, path)
            places.place(path)
    picture = _read(source, name, work)
    if compare is not None:
        files.check_encodable(compare, (1, 1, 3), np.uint8)
    image, how = _upscale(picture.image, work, progress)
    if compare is not None:
        _draw(compare, picture, image, how)
    work.models.release()
    lost = _write(output, name, picture._replace(image=image), work.quality)
    return _line(output, picture, image, how, lost)


def upscale_many(tasks: Sequence[Task], work: Work, jobs: int = 1) -> Iterator[Outcome]:
    """Upscale every task's picture, some at the same time; what one meets doesn't stop the others.

    Args:
        tasks: what to read and where to write.
        work: what to do.
        jobs: how many at a time, in threads: the native code doesn't hold Python's lock.

    Yields:
        Outcomes, as they come.

    Raises:
        KeyboardInterrupt: Ctrl-C, as soon as the tasks under way have stopped.
    """
    stop = threading.Event()

    def check(_done: int, _total: int) -> None:
        if stop.is_set():
            raise ImageError("interrupted")

    def attempt(task: Task) -> Outcome:
        try:
            places.make_folder(task.output.parent)
            places.place(task.output)
            picture = _read(task.source, os.fspath(task.output), work)
            image, how = _upscale(picture.image, work, check)
            result = picture._replace(image=image)
            lost = _write(task.output, os.fspath(task.output), result, work.quality)
        except (SrOpsError, MemoryError) as error:
            return Outcome(task, "", error)
        return Outcome(task, _line(task.output, picture, image, how, lost), None)

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


def forecast(task: Task, work: Work, seconds_per_pixel: float) -> str:
    """What :func:`upscale_many` would do with a task: sizes, and about how long and how much.

    Raises:
        SrOpsError: what would stop it, as far as the file's header tells.
    """
    name, data = os.fspath(task.source), files.read_bytes(task.source)
    container = containers.inspect(data, name)
    check_cost(container, name, work.max_pixels, None, len(data))
    height, width = container.height, container.width
    if container.orientation >= 5:  # lies on its side
        height, width = width, height
    g = geometry.resolve((height, width), **work.size)
    _, how = work.models.choose(max(g.scale_height, g.scale_width))
    pixels = g.out_height * g.out_width
    size = (height * width + pixels) * container.pixel_bytes
    return (
        f"{task.output}: {width} x {height} -> {g.out_width} x {g.out_height} ({how}), about "
        f"{pixels * seconds_per_pixel:.1f} s and {size / 2**20:.0f} MiB beside --max-memory"
    )


def seconds_per_pixel(work: Work) -> float:
    """How long a pixel of a result takes here, from a small picture that is done for it."""
    image = np.zeros((96, 96, 3), np.uint8)
    _upscale(image, work, lambda *_: None)  # loads what there is to load
    began = time.perf_counter()
    result, _ = _upscale(image, work, lambda *_: None)
    return float((time.perf_counter() - began) / (result.shape[0] * result.shape[1]))


def upscale_video(source: str, output: str, work: Work, progress: Progress) -> str:
    """Upscale a video, frame by frame.

    Returns:
        A line that says what was done.

    Raises:
        SrOpsError: as :func:`sr_ops.imaging.io.video.upscale_video`.
    """
    from sr_ops.imaging.io import video

    work = work._replace(keywords={**work.keywords, "channel_order": "rgb"})
    how = set()

    def upscale(frame: Any) -> Any:
        result, name = _upscale(frame, work, lambda *_: None)
        how.add(name)
        return result

    made = video.upscale_video(
        source,
        output,
        upscale,
        lambda height, width: _sides(height, width, work),
        progress,
        codec=work.codec,
        crf=work.crf,
        strip=work.strip,
        max_pixels=work.max_pixels,
    )
    notes = "; ".join([", ".join(sorted(how)), *made.notes])
    return f"{output}: {made.frames} frames of {made.width} x {made.height} ({notes})"


def forecast_video(source: str, output: str, work: Work) -> str:
    """What :func:`upscale_video` would do: sizes, and about how long.

    Raises:
        SrOpsError: what would stop it, as far as the file and its first frame tell.
    """
    from sr_ops.imaging.io import video

    info, *_ = video.probe(source, work.max_pixels)
    height, width = _sides(info.height, info.width, work)
    speed = seconds_per_pixel(work) if "scale" in work.size else 0.0
    return (
        f"{output}: {info.frames} frames, {info.width} x {info.height} -> {width // 2 * 2} x "
        f"{height // 2 * 2}, about {info.frames * width * height * speed:.0f} s and coding"
    )


def _sides(height: int, width: int, work: Work) -> tuple[int, int]:
    g = geometry.resolve((height, width), **work.size)
    return g.out_height, g.out_width


def _read(source: str | os.PathLike[str], name: str, work: Work) -> _Picture:
    """A picture; and before the work, whether its result can be held, and be written."""
    if source == STREAM:
        label, data = "stdin", files.read_stream(sys.stdin.buffer, "stdin")
    else:
        label, data = os.fspath(source), files.read_bytes(source)
    image, container = files.decode(
        data,
        label,
        channel_order="bgr",
        max_pixels=work.max_pixels,
        max_bytes=work.keywords.get("max_memory", DEFAULT_MEMORY),
    )
    image = files.without_idle_alpha(image, name)
    g = geometry.resolve(image.shape[:2], **work.size)
    pipeline.check_memory(g, image)
    shape = (g.out_height, g.out_width, *image.shape[2:])
    files.check_encodable(name, shape, image.dtype, work.quality)
    metadata = container.metadata.stripped() if work.strip else container.metadata
    return _Picture(image, metadata, _notes(container))


def _notes(container: Container) -> list[str]:
    notes = []
    if container.pages > 1:
        notes.append(f"the first of {container.pages} pages")
    misread = container.metadata.misread()
    if misread is not None:
        notes.append(f"its values are {misread}, upscaled as if they were sRGB")
    return notes


def _upscale(image: Any, work: Work, progress: Progress) -> tuple[Any, str]:
    """The picture's result; and what to call the way it was done."""
    g = geometry.resolve(image.shape[:2], **work.size)
    network, how = work.models.choose(max(g.scale_height, g.scale_width))
    keywords: dict[str, Any] = {"channel_order": "bgr", **work.keywords}
    result = pipeline.upscale_image(
        image, **work.size, model=network, progress=progress, **keywords
    )
    note = None if network is None else network.note
    return result, how if note is None else f"{how}; {note}"


def _write(
    output: str | os.PathLike[str], name: str, result: _Picture, quality: int | None
) -> list[str]:
    """Write it; the names of the metadata that its format has no place for."""
    # In the files' own order of channels: large pictures are not copied.
    parts, lost = files.encode(result.image, name, quality, "bgr", result.metadata)
    if output == STREAM:
        for part in parts:
            sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()
    else:
        files.write_bytes(output, *parts)
    return lost


def _line(
    output: str | os.PathLike[str], picture: _Picture, image: Any, how: str, lost: list[str]
) -> str:
    """What was done, in a line."""
    notes = [*picture.notes, f"not kept: {', '.join(lost)}"] if lost else picture.notes
    said = "".join(f"; {note}" for note in notes)
    return f"{output}: {_size(picture.image)} -> {_size(image)} ({how}){said}"


def _draw(path: Path, picture: _Picture, image: Any, how: str) -> None:
    from sr_ops.imaging import comparison

    drawn = comparison.compare_upscaled(picture.image, image, how, channel_order="bgr")
    files.write_image(path, drawn, metadata=picture.metadata)


def _size(image: Any) -> str:
    height, width = image.shape[:2]
    return f"{width} x {height}"
