"""``sr-ops upscale``: pictures, folders of them, streams and videos."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sr_ops.cli.errors import print_error, printable
from sr_ops.cli.options import (
    Backend,
    Codec,
    Colours,
    ColoursOption,
    EnlargeOption,
    LayoutOption,
    OverlapOption,
    TrustOption,
    ValueRangeOption,
    treated,
)
from sr_ops.cli.progress import show_progress
from sr_ops.errors import InvalidArgumentError, SrOpsError
from sr_ops.imaging.choice import AUTO, DEFAULT_MODEL, Models
from sr_ops.imaging.io.limits import DEFAULT_MAX_PIXELS

if TYPE_CHECKING:  # they take a while; --help needs none of them
    from sr_ops.imaging import jobs, sources

__all__ = ["register"]


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
        str,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="bicubic, a bundled network (multiscale, fast, espcn, srcnn), a checkpoint or its "
            f"address, or an .onnx file; {AUTO} is {DEFAULT_MODEL} where the picture grows.",
        ),
    ] = AUTO,
    backend: Annotated[Backend, typer.Option("--backend", "-b", help="Who computes.")] = (
        Backend.auto
    ),
    colours: ColoursOption = Colours.rgb,
    layout: LayoutOption = None,
    value_range: ValueRangeOption = None,
    enlarge: EnlargeOption = None,
    overlap: OverlapOption = None,
    trust_torchscript: TrustOption = False,
    best: Annotated[
        bool,
        typer.Option(
            "--best", help="The mean of a network's answers to all eight turns of the picture."
        ),
    ] = False,
    quality: Annotated[
        int | None, typer.Option(metavar="1-100", help="Of JPEG and WebP files.")
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option("--format", metavar="png|jpg|…", help="Of stdout and of files in a folder."),
    ] = None,
    codec: Annotated[
        Codec | None, typer.Option(help="Of a video; by its ending and bits if not given.")
    ] = None,
    crf: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Quality of a video: 0 is the best, 14 to 18 good."),
    ] = None,
    jobs_: Annotated[
        int, typer.Option("--jobs", "-j", min=1, metavar="N", help="Pictures at a time.")
    ] = 1,
    max_memory: Annotated[
        str, typer.Option(metavar="SIZE", help="Beside pictures and results, e.g. 500M or 2G.")
    ] = "1G",
    max_pixels: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="Width times height of a source that is decoded."),
    ] = DEFAULT_MAX_PIXELS,
    strip: Annotated[
        bool, typer.Option("--strip", help="Keep no EXIF, place, date, XMP, IPTC or text.")
    ] = False,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Folders within folders, too.")
    ] = False,
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing", help="Do only what is not there yet.")
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite/--no-overwrite", help="What becomes of results that exist."),
    ] = True,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
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
    from sr_ops.imaging import geometry, jobs, sources
    from sr_ops.imaging.io import files
    from sr_ops.imaging.sources import STREAM

    *inputs, target = paths
    if not inputs:
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
        "overlap": overlap,
        "best": best,
        "tile": "auto" if tile is None else tile,
        "max_memory": parse_bytes(max_memory) // jobs_,
    }
    treatment = treated(layout, value_range, enlarge, overlap, trust_torchscript)
    models = Models(model, backend.value, treatment)
    coded = codec and codec.value
    work = jobs.Work(given, models, keywords, quality, strip, max_pixels, coded, crf)
    suffix = None if format_ is None else f".{format_.lower().lstrip('.')}"
    several = len(inputs) > 1 or not sources.is_single(inputs[0])
    moving = not several and sources.is_video(inputs[0])
    if compare is not None and (several or moving or sources.is_folder(target)):
        raise InvalidArgumentError("--compare: works on one picture at a time, and OUT is a file")
    if (codec is not None or crf is not None) and not moving:
        raise InvalidArgumentError("--codec and --crf: are of a video, and IN is a picture")
    if moving and sources.is_folder(target):
        target = os.path.join(target, os.path.basename(inputs[0]))
    if several or sources.is_folder(target):
        if STREAM in (*inputs, target):
            raise InvalidArgumentError("-: stdin and stdout take one picture, and OUT is a file")
        if Path(target).suffix.lower() in files.WRITABLE and not os.path.isdir(target):
            raise InvalidArgumentError(
                f"OUT: got {target}, but several pictures are meant: expected a folder"
            )
        existing = "skip" if skip_existing else "replace" if overwrite else "refuse"
        plan = sources.plan(inputs, target, suffix, recursive=recursive, existing=existing)
        return _forecast(plan, work) if dry_run else _upscale_many(plan, target, work, jobs_)
    if suffix is not None and target != STREAM:
        raise InvalidArgumentError(f"--format: {target} is a file, whose ending says it")
    if target == STREAM and sys.stdout.isatty():
        raise InvalidArgumentError("-: stdout is a terminal; expected a file or a pipe")
    if target != STREAM and os.path.exists(target):
        if skip_existing:
            print(printable(f"{target}: already there"))
            return 0
        if not overwrite:
            raise InvalidArgumentError(
                f"{target}: exists already; pass --overwrite or --skip-existing"
            )
    if moving:
        return _upscale_video(inputs[0], target, work, dry_run)
    if dry_run and STREAM not in (inputs[0], target):
        one = sources.Task(Path(inputs[0]), Path(target))
        return _forecast(sources.Plan([one], [], []), work)
    with show_progress("upscaling") as show:
        line = jobs.upscale_picture(
            inputs[0], target, work, show, stdout_format=suffix or ".png", compare=compare
        )
    print(printable(line), file=sys.stderr if target == STREAM else sys.stdout)
    return 0


def _upscale_many(plan: sources.Plan, target: str, work: jobs.Work, at_a_time: int) -> int:
    from sr_ops import imaging
    from sr_ops.imaging import jobs

    failed = len(plan.refused)
    for line in plan.refused:
        print_error(line)
    if plan.tasks:
        imaging.make_folder(target)
    total = len(plan.tasks) + failed
    with show_progress("upscaling") as show:
        for done, outcome in enumerate(jobs.upscale_many(plan.tasks, work, at_a_time), start=1):
            if outcome.error is None:
                print(printable(outcome.text))
            else:
                failed += 1
                print_error(str(outcome.error) or "not enough memory")
            show(done, len(plan.tasks))
    print(printable(f"{total - failed} of {total} pictures upscaled{_skipped(plan)}"))
    return 2 if failed else 0


def _skipped(plan: sources.Plan) -> str:
    """Every file that was left alone, by the reason."""
    reasons: dict[str, list[str]] = {}
    for source, reason in plan.skipped:
        reasons.setdefault(reason, []).append(source.name)
    return "".join(
        f"; {len(names)} skipped: {reason} ({', '.join(names)})"
        for reason, names in reasons.items()
    )


def _forecast(plan: sources.Plan, work: jobs.Work) -> int:
    from sr_ops.imaging import jobs

    failed = len(plan.refused)
    for line in plan.refused:
        print_error(line)
    speed = jobs.seconds_per_pixel(work) if plan.tasks and "scale" in work.size else 0.0
    for task in plan.tasks:
        try:
            print(printable(jobs.forecast(task, work, speed)))
        except SrOpsError as error:
            failed += 1
            print_error(str(error))
    print(printable(f"{len(plan.tasks)} pictures would be upscaled{_skipped(plan)}"))
    return 2 if failed else 0


def _upscale_video(source: str, target: str, work: jobs.Work, dry_run: bool) -> int:
    from sr_ops.imaging import jobs

    if dry_run:
        print(printable(jobs.forecast_video(source, target, work)))
        return 0
    with show_progress("upscaling", "frames/s") as show:
        line = jobs.upscale_video(source, target, work, show)
    print(printable(line))
    return 0


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
        value = int(float(number[:-1] if power else number) * 1024**power)
    except (ValueError, OverflowError):
        value = 0
    if value < 1:
        raise InvalidArgumentError(
            f"--max-memory: got {text!r}, expected bytes, such as 500M or 2G"
        )
    return value
