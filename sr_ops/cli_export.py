"""``sr-ops export``: a network as an .onnx file."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from sr_ops.errors import FileError, InvalidArgumentError

__all__ = ["register"]


class Op(str, enum.Enum):
    """How an exported model says "upscale"."""

    dynamic_upscale = "DynamicUpscale"
    resize = "Resize"


class Exporter(str, enum.Enum):
    """Which of torch's two exporters."""

    dynamo = "dynamo"
    torchscript = "torchscript"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(export)


def export(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A bundled network, a checkpoint or its address.")
    ],
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
        int | None, typer.Option(metavar="N", help="ONNX opset version; 18 if none is given.")
    ] = None,
) -> None:
    """Export a network to ONNX: batch, image size and scale stay inputs."""
    if target.suffix.lower() != ".onnx":
        raise InvalidArgumentError(f"OUT.onnx: got {target}, expected a name that ends in .onnx")
    if not target.absolute().parent.is_dir():
        raise FileError(f"{target}: the folder {target.absolute().parent} does not exist")
    from sr_ops import models
    from sr_ops.imaging.files import write_bytes

    network = models.load(model)
    options = {} if opset is None else {"opset_version": opset}
    exported = models.to_onnx(network, op=op.value, exporter=exporter.value, **options)
    write_bytes(target, exported.SerializeToString())
    print(
        f"{target}: {type(network).__name__}, {op.value}; inputs x (N, {network.channels}, H, W) "
        "and scale (2); output y"
    )
