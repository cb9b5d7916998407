"""``sr-ops export``: a network as an .onnx file."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated, Any

import typer

from sr_ops.cli.options import Colours
from sr_ops.errors import InvalidArgumentError

__all__ = ["register"]


class Op(str, enum.Enum):
    """How an exported model says "upscale"."""

    dynamic_upscale = "DynamicUpscale"
    resize = "Resize"
    matmul = "MatMul"


class Exporter(str, enum.Enum):
    """Which of torch's two exporters."""

    dynamo = "dynamo"
    torchscript = "torchscript"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(export)


def export(  # noqa: PLR0917  Typer's options are parameters
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A bundled network, a checkpoint or its address.")
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT.onnx", help="Where to write the model.")],
    op: Annotated[
        Op,
        typer.Option(
            help="DynamicUpscale: fast with sr_ops' library, and a function that runs anywhere "
            "without it. Resize: ONNX's own operator. MatMul: matrix products, for runtimes whose "
            "cubic Resize is slow, wrong or missing."
        ),
    ] = Op.dynamic_upscale,
    exporter: Annotated[Exporter, typer.Option(help="Which of torch's exporters.")] = (
        Exporter.dynamo
    ),
    opset: Annotated[
        int | None, typer.Option(metavar="N", help="ONNX opset version; 18 if none is given.")
    ] = None,
    image_io: Annotated[
        bool,
        typer.Option(
            "--image-io",
            help="From file to file: bytes of a PNG or JPEG and a scale in, a PNG out, colour "
            "included; runs with onnxruntime-extensions.",
        ),
    ] = False,
    colours: Annotated[
        Colours,
        typer.Option(help="With --image-io: what a network of three channels was trained on."),
    ] = Colours.rgb,
) -> None:
    """Export a network to ONNX: image size and scale stay inputs, and so does the batch."""
    if target.suffix.lower() != ".onnx":
        raise InvalidArgumentError(f"OUT.onnx: got {target}, expected a name that ends in .onnx")
    from sr_ops import models
    from sr_ops.imaging.io.files import place, write_bytes

    place(target)  # before the work
    network = models.load(model)
    options: dict[str, Any] = {"op": op.value, "exporter": exporter.value}
    if opset is not None:
        options["opset_version"] = opset
    if image_io:
        exported = models.to_picture_onnx(network, colours=colours.value, **options)
        form = "inputs image (bytes of a PNG or JPEG) and scale (2); output png (bytes)"
    else:
        exported = models.to_onnx(network, **options)
        form = f"inputs x (N, {network.channels}, H, W) and scale (2); output y"
    write_bytes(target, exported.SerializeToString())
    print(f"{target}: {type(network).__name__}, {op.value}; {form}")
