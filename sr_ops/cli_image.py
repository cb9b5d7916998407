"""``sr-ops upscale``: pictures, folders of them, streams and videos."""

from __future__ import annotations

import enum
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sr_ops import imaging
from sr_ops.errors import InvalidArgumentError
from sr_ops.imaging import (
    batch,
    comparison,
    containers,
    files,
    geometry,
    networks,
    pipeline,
    video,
)

__all__ = ["Backend", "Colours", "Models", "register", "show_progress"]

STREAM = "-"
#: Used where no model is named: the best of the bundled ones.
DEFAULT_MODEL = "espcn"


class Backend(str, enum.Enum):
    """Who computes."""

    auto = "auto"
    torch = "torch"
    ort = "ort"


class Colours(str, enum.Enum):
    """How a network of three channels wants its input."""

    rgb = "rgb"
    bgr255 = "bgr255"


class Picture(NamedTuple):
    """A picture in memory, in OpenCV's channel order, and the colour profile of its file."""

    image: Any
    profile: bytes | None


class Work(NamedTuple):
    """What is done to every picture of a call."""

    size: dict[str, Any]  # of scale, width, height, max_side
    models: Models
    keywords: dict[str, Any]
    quality: int | None

    def read(self, source: str | os.PathLike[str], target: str) -> Picture:
        """A picture; and before the work, whether its result can be held, and be written."""
        if source == STREAM:
            name, data = "stdin", files.read_stream(sys.stdin.buffer, "stdin")
        else:
            name, data = os.fspath(source), files.read_bytes(source)
        profile = containers.inspect(data, name).profile
        image = files.decode_image(data, name, channel_order="bgr")
        image = files.without_idle_alpha(image, target)
        g = geometry.resolve(image.shape[:2], **self.size)
        pipeline.check_memory(g, image)
        shape = (g.out_height, g.out_width, *image.shape[2:])
        files.check_encodable(target, shape, image.dtype, self.quality)
        return Picture(image, profile)

    def upscale(self, image: Any, progress: Callable[[int, int], None]) -> tuple[Any, str]:
        """A picture in memory; and what to call the way it was done."""
        g = geometry.resolve(image.shape[:2], **self.size)
        network, how = self.models.choose(max(g.scale_height, g.scale_width))
        result = imaging.upscale_image(
            image, **self.size, model=network, progress=progress, **self.keywords
        )
        return result, how

    def write(self, target: str | os.PathLike[str], result: Picture) -> None:
        """The result into a file."""
        files.write_image(
            target,
            result.image,
            quality=self.quality,
            channel_order="bgr",
            profile=result.profile,
        )


class Models:
    """The networks of a call: which one for which scale, each loaded once."""

    def __init__(self, model: str | None, backend: str) -> None:
        self._model = model
        self._backend = backend
        self._loaded: dict[str, networks.Network] = {}
        self._lock = threading.Lock()

    def choose(self, scale: float) -> tuple[networks.Network | None, str]:
        """A network that is ready to run, or None for bicubic; and what to call it."""
        model = self._model
        if model == "bicubic":
            return None, "bicubic"
        if model is None:
            if scale <= 1:
                return None, "bicubic, antialiased"
            if self._backend == "auto" and not networks.runtimes():
                return None, "plain bicubic: neither onnxruntime nor torch is installed"
            model = DEFAULT_MODEL
        name = networks.pick_name(model, scale)
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = networks.load_network(name, self._backend)
            return self._loaded[name], name

    def release(self) -> None:
        """Give back what networks and runtimes hold, before a large result is encoded."""
        with self._lock:
            self._loaded.clear()


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(upscale)


def upscale(  # noqa: PLR0917  Typer's options are parameters
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="IN... OUT",
            help="A picture, a video, a folder, a pattern, or - (stdin); and where to write: a "
            "file, a folder if several pictures are meant, or - (stdout).",
        ),
    ],
    scale: Annotated[
        str | None,
        typer.Option(
            "--scale",
            "-s",
            metavar="S",
            help="Factor, e.g. 2.7; or height,width: 2,1.5. 2 if no size is asked for.",
        ),
    ] = None,
    width: Annotated[
        int | None, typer.Option(metavar="PIXELS", help="Width; keeps the proportions if alone.")
    ] = None,
    height: Annotated[
        int | None, typer.Option(metavar="PIXELS", help="Height; keeps the proportions if alone.")
    ] = None,
    max_side: Annotated[
        int | None, typer.Option(metavar="PIXELS", help="Length of the longer side.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="bicubic, a bundled network (espcn, srcnn), a checkpoint or its address, or an "
            f".onnx file; {DEFAULT_MODEL} if none is named.",
        ),
    ] = None,
    backend: Annotated[Backend, typer.Option("--backend", "-b", help="Who computes.")] = (
        Backend.auto
    ),
    colours: Annotated[
        Colours, typer.Option(help="What a checkpoint of three channels was trained on.")
    ] = Colours.rgb,
    quality: Annotated[
        int | None, typer.Option(metavar="1-100", help="Of JPEG and WebP files.")
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option("--format", metavar="png|jpg|…", help="Of stdout and of files in a folder."),
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, metavar="N", help="Pictures at a time.")
    ] = 1,
    max_memory: Annotated[
        str, typer.Option(metavar="SIZE", help="Beside pictures and results, e.g. 500M or 2G.")
    ] = "1G",
    tile: Annotated[
        int | None,
        typer.Option(metavar="PIXELS", help="Side of the pieces; by --max-memory if not given."),
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also draw nearest, bicubic and model side by side."),
    ] = None,
) -> int:
    """Upscale pictures by any factor, or to any size."""
    *sources, target = paths
    if not sources:
        raise InvalidArgumentError(
            "OUT: missing; expected IN... OUT, the last one is where to write"
        )
    sizes = {"width": width, "height": height, "max_side": max_side}
    given: dict[str, Any] = {name: value for name, value in sizes.items() if value is not None}
    if scale is not None or not given:
        given["scale"] = parse_factors("2" if scale is None else scale)
    geometry.check_forms(given)
    keywords = {
        "backend": backend.value,
        "colours": colours.value,
        "tile": "auto" if tile is None else tile,
        "max_memory": parse_bytes(max_memory) // jobs,
        "channel_order": "bgr",  # the files' own: large pictures are not copied
    }
    work = Work(given, Models(model, backend.value), keywords, quality)
    suffix = None if format_ is None else f".{format_.lower().lstrip('.')}"
    several = len(sources) > 1 or not _is_single(sources[0])
    source = sources[0]
    moving = not several and Path(source).suffix.lower() in video.SUFFIXES
    if compare is not None and (several or moving or _is_folder(target)):
        raise InvalidArgumentError("--compare: works on one picture at a time, and OUT is a file")
    if moving:
        inside = os.path.join(target, os.path.basename(source))
        return _upscale_video(source, inside if _is_folder(target) else target, work)
    if several or _is_folder(target):
        if STREAM in (*sources, target):
            raise InvalidArgumentError("-: stdin and stdout take one picture, and OUT is a file")
        if Path(target).suffix.lower() in files.WRITABLE and not os.path.isdir(target):
            raise InvalidArgumentError(
                f"OUT: got {target}, but several pictures are meant: expected a folder"
            )
        return _upscale_many(sources, target, suffix, work, jobs)
    if suffix is not None and target != STREAM:
        raise InvalidArgumentError(f"--format: {target} is a file, whose ending says it")
    return _upscale_one(source, target, f"stdout{suffix or '.png'}", work, compare)


def _upscale_one(source: str, target: str, stdout: str, work: Work, compare: Path | None) -> int:
    if target == STREAM and sys.stdout.isatty():
        raise InvalidArgumentError("-: stdout is a terminal; expected a file or a pipe")
    for path in (target, compare):  # before the work
        if path not in (None, STREAM):
            files.check_apart(source, path)
            files.place(path)
    picture = work.read(source, stdout if target == STREAM else target)
    if compare is not None:
        files.check_encodable(compare, (1, 1, 3), np.uint8)
    with show_progress("upscaling") as show:
        image, how = work.upscale(picture.image, show)
    work.models.release()
    result = picture._replace(image=image)
    if target == STREAM:
        _write_stdout(stdout, result, work.quality)
    else:
        work.write(target, result)
    if compare is not None:
        drawn = comparison.compare_upscaled(picture.image, image, how, channel_order="bgr")
        files.write_image(compare, drawn, profile=picture.profile)
    print(
        f"{target}: {_size(picture.image)} -> {_size(image)} ({how})",
        file=sys.stderr if target == STREAM else sys.stdout,
    )
    return 0


def _write_stdout(name: str, result: Picture, quality: int | None) -> None:
    encoded = files.encode_image(
        result.image, name, quality=quality, channel_order="bgr", profile=result.profile
    )
    sys.stdout.buffer.write(encoded)
    sys.stdout.buffer.flush()


def _upscale_many(
    sources: list[str], target: str, suffix: str | None, work: Work, jobs: int
) -> int:
    tasks = batch.plan(sources, target, suffix)
    imaging.make_folder(target)

    def do(task: batch.Task, check: Callable[[int, int], None]) -> str:
        files.place(task.target)
        picture = work.read(task.source, os.fspath(task.target))
        image, how = work.upscale(picture.image, check)
        work.write(task.target, picture._replace(image=image))
        return f"{task.target}: {_size(picture.image)} -> {_size(image)} ({how})"

    failed = 0
    with show_progress("upscaling") as show:
        for done, outcome in enumerate(batch.run(tasks, do, jobs), start=1):
            if outcome.error is None:
                print(outcome.text)
            else:
                failed += 1
                message = str(outcome.error) or "not enough memory"
                print(f"sr-ops: error: {' '.join(message.split())}", file=sys.stderr)
            show(done, len(tasks))
    print(f"{len(tasks) - failed} of {len(tasks)} pictures upscaled")
    return 2 if failed else 0


def _upscale_video(source: str, target: str, work: Work) -> int:
    work = work._replace(keywords={**work.keywords, "channel_order": "rgb"})
    with show_progress("upscaling") as show:
        frames, width, height = video.upscale_video(
            source, target, lambda frame: work.upscale(frame, lambda *_: None)[0], show
        )
    print(f"{target}: {frames} frames of {width} x {height}, without sound")
    return 0


def _is_single(source: str) -> bool:
    return source == STREAM or (not os.path.isdir(source) and not _is_pattern(source))


def _is_pattern(source: str) -> bool:
    return any(sign in source for sign in "*?[") and not os.path.exists(source)


def _is_folder(target: str) -> bool:
    return target != STREAM and (target.endswith(("/", "\\")) or os.path.isdir(target))


class show_progress:  # noqa: N801  used as a function
    """A progress bar on a terminal; called as show(done, total)."""

    def __init__(self, what: str) -> None:
        self._what = what
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )

    def __enter__(self) -> Callable[[int, int], None]:
        self._bar.start()
        task = self._bar.add_task(self._what, total=None)
        return lambda done, total: self._bar.update(task, completed=done, total=total)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def parse_factors(text: str) -> float | tuple[float, ...]:
    """One factor, or two with a comma between (height, width).

    Raises:
        InvalidArgumentError: something else.

    >>> parse_factors("2,1.5")
    (2.0, 1.5)
    """
    try:
        factors = tuple(float(part) for part in text.split(","))
    except ValueError:
        factors = ()
    if len(factors) not in (1, 2):
        raise InvalidArgumentError(
            f"--scale: got {text!r}, expected a number, or height,width with a comma between"
        )
    return factors if len(factors) == 2 else factors[0]


def parse_bytes(text: str) -> int:
    """A number of bytes, with K, M, G or T for powers of 1024.

    Raises:
        InvalidArgumentError: something else.

    >>> parse_bytes("1.5G") == 3 * 2**29
    True
    """
    number = text.upper().removesuffix("B").removesuffix("I")
    power = "KMGT".find(number[-1:]) + 1 if number else 0
    try:
        value = float(number[:-1] if power else number) * 1024**power
        return int(value)
    except (ValueError, OverflowError):
        raise InvalidArgumentError(
            f"--max-memory: got {text!r}, expected bytes, such as 500M or 2G"
        ) from None


def _size(image: Any) -> str:
    height, width = image.shape[:2]
    return f"{width} x {height}"
