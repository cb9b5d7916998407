"""``sr-ops upscale`` and ``sr-ops export``."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated, Any

import typer

from sr_ops.errors import FileError, InvalidArgumentError

__all__ = ["register"]


class Backend(str, enum.Enum):
    """Who computes."""

    auto = "auto"
    torch = "torch"
    ort = "ort"


class Op(str, enum.Enum):
    """How an exported model says "upscale"."""

    dynamic_upscale = "DynamicUpscale"
    resize = "Resize"


class Exporter(str, enum.Enum):
    """Which of torch's two exporters."""

    dynamo = "dynamo"
    torchscript = "torchscript"


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(upscale)
    app.command()(export)


def upscale(
    source: Annotated[Path, typer.Argument(metavar="IN", help="The picture to upscale.")],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="Where to write it; the ending names the format.")
    ],
    scale: Annotated[
        str,
        typer.Option(
            "--scale", "-s", metavar="S", help="Factor, e.g. 2.7; or height,width: 2,1.5."
        ),
    ] = "2",
    model: Annotated[
        Path | None,
        typer.Option("--model", "-m", metavar="FILE", help="Checkpoint or .onnx file."),
    ] = None,
    backend: Annotated[Backend, typer.Option("--backend", "-b", help="Who computes.")] = (
        Backend.auto
    ),
) -> None:
    """Upscale a picture by any factor."""
    from sr_ops import imaging

    factors = parse_factors(scale)
    image = imaging.read_image(source)
    result = imaging.upscale_image(image, factors, model=model, backend=backend.value)
    imaging.write_image(target, result)
    how = f"model {model}" if model else "plain bicubic: no --model given"
    print(f"{target}: {_size(image)} -> {_size(result)} ({how})")


def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Checkpoint of a network.")],
    target: Annotated[Path, typer.Argument(metavar="OUT.onnx", help="Where to write the model.")],
    op: Annotated[
        Op,
        typer.Option(
            help="DynamicUpscale: fast with sr_ops' library, and a function that runs anywhere "
            "without it. Resize: ONNX's own operator."
        ),
    ] = Op.dynamic_upscale,
    exporter: Annotated[Exporter, typer.Option(help="Which of torch's exporters.")] = (
        Exporter.dynamo
    ),
    opset: Annotated[
        int | None,
        typer.Option(metavar="N", help="ONNX opset version; the exporter's own if none."),
    ] = None,
) -> None:
    """Export a network to ONNX: batch, image size and scale stay inputs."""
    import torch

    import sr_ops.onnx
    from sr_ops import models

    if target.suffix.lower() != ".onnx":
        raise InvalidArgumentError(f"OUT.onnx: got {target}, expected a name that ends in .onnx")
    if not target.absolute().parent.is_dir():
        raise FileError(f"{target}: the folder {target.absolute().parent} does not exist")
    network: Any = models.load(model)
    example = (torch.zeros(1, network.channels, 16, 16), torch.tensor([2.0, 2.0]))
    options = {} if opset is None else {"opset_version": opset}
    sr_ops.onnx.export(
        network,
        example,
        target,
        op=op.value,
        exporter=exporter.value,
        input_names=["x", "scale"],
        output_names=["y"],
        **options,
    )
    print(f"{target}: {type(network).__name__}, {op.value}; inputs x (N, C, H, W), scale (2)")


def parse_factors(text: str) -> tuple[float, ...]:
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
    return factors


def _size(image: Any) -> str:
    height, width = image.shape[:2]
    return f"{width} x {height}"
