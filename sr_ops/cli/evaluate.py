"""``sr-ops eval``: how good the models are on pictures of one's own."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import sr_ops
from sr_ops.cli.errors import print_error
from sr_ops.cli.options import (
    Backend,
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
from sr_ops.imaging.choice import Models

if TYPE_CHECKING:  # --help does without
    from sr_ops.imaging import evaluation

__all__ = ["register"]

_DEFINITIONS = """\
Each picture is shrunk (bicubic, a = -0.5, antialiased, rounded to 8 bits) and enlarged again.
PSNR and SSIM are of studio-range BT.601 luma, without a border as wide as the scale, rounded up;
SSIM with a Gaussian window of 11 x 11 and sigma 1.5.
Two bicubics to compare with: sr_ops's own, a = -0.75 as OpenCV's and torch's, which is what
`--model bicubic` gives; and a = -0.5 as MATLAB's and Pillow's, which papers compare with."""

_OWN, _PAPERS = "bicubic", "bicubic a=-0.5"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("eval")(evaluate)


def evaluate(  # noqa: PLR0917  Typer's options are parameters
    folder: Annotated[
        str, typer.Argument(metavar="DIR", help="Pictures, sharp and not compressed much.")
    ],
    scale: Annotated[
        list[float] | None,
        typer.Option(
            "--scale",
            "-s",
            metavar="S",
            help="Factor; may be repeated. 2, 3 and 4 if none is given.",
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="May be repeated; every bundled network if none is given.",
        ),
    ] = None,
    backend: Annotated[Backend, typer.Option("--backend", "-b", help="Who computes.")] = (
        Backend.auto
    ),
    colours: ColoursOption = Colours.rgb,
    layout: LayoutOption = None,
    value_range: ValueRangeOption = None,
    enlarge: EnlargeOption = None,
    overlap: OverlapOption = None,
    trust_torchscript: TrustOption = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Every score, for programs.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The averages as a model card.")
    ] = None,
) -> int:
    """Shrink pictures, enlarge them with models and with bicubic, and compare to the originals."""
    from sr_ops.imaging.io.files import write_bytes
    from sr_ops.imaging.io.places import place
    from sr_ops.models import bundled

    scales, names = scale or [2.0, 3.0, 4.0], model or bundled.names()
    for path in (json_file, markdown):  # before the work
        if path is not None:
            place(path)
    if min(scales) < 1 or not all(map(math.isfinite, scales)):
        raise InvalidArgumentError(f"--scale: got {scales}, expected finite numbers >= 1")
    treatment = treated(layout, value_range, enlarge, overlap, trust_torchscript)
    models = Models.of_each(names, backend.value, treatment, colours.value)
    scores, failed = _scores(folder, scales, models)
    if scores:
        _print_table(scores)
    if json_file is not None:
        write_bytes(json_file, json.dumps(_report(scores), indent=1, allow_nan=False).encode())
    if markdown is not None:
        write_bytes(markdown, _card(scores).encode())
    return 2 if failed or not scores else 0


def _scores(
    folder: str, scales: Sequence[float], models: Sequence[tuple[str, Models, dict[str, Any]]]
) -> tuple[list[evaluation.Score], int]:
    from sr_ops import imaging
    from sr_ops.imaging import evaluation, sources

    files = list(sources.files([folder]))
    scores: list[evaluation.Score] = []
    failed, total = 0, len(files) * len(scales)
    with show_progress("evaluating") as show:
        for done, (file, scale) in enumerate(((f, s) for f in files for s in scales), start=1):
            choices: dict[str, Any] = {_OWN: None, _PAPERS: evaluation.bicubic_of_papers}
            for name, networks, keywords in models:
                network, label = networks.choose(scale)
                choices[label if name != _OWN else name] = _run_with(network, keywords)
            try:
                image = imaging.read_image(file)
                scores += evaluation.evaluate(image, scale, choices, name=file.name)
            except SrOpsError as error:
                failed += 1
                print_error(str(error))
            show(done, total)
    return scores, failed


def _run_with(network: Any, keywords: dict[str, Any]) -> Any:
    """What the evaluation takes as a model."""
    if not keywords:
        return network

    def run(small: Any, scale: float) -> Any:
        return sr_ops.upscale_image(small, scale, model=network, **keywords)

    return run


def _means(scores: Sequence[evaluation.Score]) -> dict[tuple[float, str], tuple[float, float]]:
    """(scale, model) -> mean PSNR and SSIM."""
    from statistics import fmean

    groups = defaultdict(list)
    for score in scores:
        groups[score.scale, score.model].append(score)
    return {
        key: (fmean(s.psnr for s in group), fmean(s.ssim for s in group))
        for key, group in groups.items()
    }


def _gains(
    means: Mapping[tuple[float, str], tuple[float, float]],
) -> dict[tuple[float, str], list[str]]:
    """(scale, model) -> PSNR over that of sr_ops's bicubic, and of the papers', in dB."""

    def gain(scale: float, model: str, bicubic: str) -> str:
        over = means[scale, model][0] - means[scale, bicubic][0]
        return f"{over:+.2f}" if math.isfinite(over) else ""  # pictures may be equal

    return {key: [gain(*key, bicubic) for bicubic in (_OWN, _PAPERS)] for key in means}


def _print_table(scores: Sequence[evaluation.Score]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("scale", "model", title="PSNR in dB and SSIM of luma")
    pictures = list(dict.fromkeys(score.picture for score in scores))
    for heading in (*pictures, "mean", "gain", "over a=-0.5"):
        table.add_column(heading, justify="right", no_wrap=True)
    cells = {(s.scale, s.model, s.picture): f"{s.psnr:.2f} {s.ssim:.4f}" for s in scores}
    means = _means(scores)
    gains = _gains(means)
    for (scale, model), (psnr, ssim) in means.items():
        row = [cells.get((scale, model, picture), "") for picture in pictures]
        mean = f"{psnr:.2f} {ssim:.4f}"
        table.add_row(f"x{scale:g}", model, *row, mean, *gains[scale, model])
    console = Console()
    # Not cut to a terminal's width where there is none.
    Console(width=None if console.is_terminal else 60 + 18 * len(pictures)).print(table)


def _report(scores: Sequence[evaluation.Score]) -> dict[str, Any]:
    """For JSON, which knows no infinity: null where pictures are equal."""
    means = [
        {"scale": scale, "model": model, "psnr": _finite(psnr), "ssim": ssim}
        for (scale, model), (psnr, ssim) in _means(scores).items()
    ]
    return {
        "sr_ops": sr_ops.__version__,
        "definitions": _DEFINITIONS,
        "means": means,
        "scores": [score._replace(psnr=_finite(score.psnr))._asdict() for score in scores],
    }


def _finite(value: float) -> Any:
    return value if math.isfinite(value) else None


def _card(scores: Sequence[evaluation.Score]) -> str:
    """Markdown: averages, and how the bundled networks among the models were trained."""
    from sr_ops.models import bundled

    means = _means(scores)
    gains = _gains(means)
    pictures = ", ".join(dict.fromkeys(score.picture for score in scores))
    lines = ["# Model card", "", f"Written by `sr-ops eval`, from: {pictures}.", ""]
    lines += [_DEFINITIONS, ""]
    lines += [
        "| scale | model | PSNR-Y, dB | gain over bicubic | over bicubic a=-0.5 | SSIM-Y |",
        "|---|---|---|---|---|---|",
    ]
    for (scale, model), (psnr, ssim) in means.items():
        over = " | ".join(gains[scale, model])
        lines.append(f"| {scale:g} | {model} | {psnr:.2f} | {over} | {ssim:.4f} |")
    for model in dict.fromkeys(model for _, model in means):
        notes = bundled.find(model, ".json")
        if notes is not None and notes.exists():
            lines += ["", f"## {model}", ""]
            training = json.loads(notes.read_text())
            lines += [
                f"- {key.replace('_', ' ')}: {value}"
                for key, value in training.items()
                if key != "before"
            ]
    return "\n".join(lines) + "\n"
