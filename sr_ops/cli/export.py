"""``sr-ops export``: a network as an .onnx file."""

from __future__ import annotations

import enum
import re
from pathlib import Path
from typing import Annotated, Any

import typer

import sr_ops
from sr_ops.cli.options import Colours, EnlargeOption, TrustOption
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
    target: Annotated[
        Path | None, typer.Argument(metavar="OUT.onnx", help="Where to write the model.")
    ] = None,
    op: Annotated[
        Op,
        typer.Option(
            help="DynamicUpscale: fast with sr_ops' library, and a function that runs anywhere "
            "without it. Resize: ONNX's own operator. MatMul: matrix products, for runtimes whose "
            "cubic Resize is slow, wrong or missing."
        ),
    ] = Op.dynamic_upscale,
    exporter: Annotated[
        Exporter | None,
        typer.Option(
            help="Which of torch's exporters; dynamo if none is given, and of spandrel's networks "
            "the first that works."
        ),
    ] = None,
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
    enlarge: EnlargeOption = None,
    trust_torchscript: TrustOption = False,
    triton: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Instead of OUT.onnx: into this model repository of Triton Inference Server, with "
            "its configuration and sr_ops' library.",
        ),
    ] = None,
    scale: Annotated[
        str | None,
        typer.Option(
            "--scale",
            "-s",
            metavar="S",
            help="With --triton: a fixed factor, or height,width. Only so can the server put "
            "requests together.",
        ),
    ] = None,
    max_batch: Annotated[
        int, typer.Option(min=0, metavar="N", help="With --triton: requests put together at most.")
    ] = 8,
    seen_as: Annotated[
        str | None,
        typer.Option(
            metavar="PATH", help="With --triton: FOLDER's path where the server runs, e.g. /models."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="With --triton: replace the model of this name.")
    ] = False,
) -> None:
    """Export a network to ONNX: image size and scale stay inputs, and so does the batch."""
    if (target is None) == (triton is None):
        raise InvalidArgumentError("OUT.onnx: expected one of OUT.onnx and --triton FOLDER")
    if target is not None and target.suffix.lower() != ".onnx":
        raise InvalidArgumentError(f"OUT.onnx: got {target}, expected a name that ends in .onnx")
    if triton is None and (scale is not None or seen_as is not None or overwrite):
        raise InvalidArgumentError("--scale, --seen-as and --overwrite: work with --triton")
    if triton is not None and image_io:
        raise InvalidArgumentError("--image-io: works with OUT.onnx, not with --triton")
    from sr_ops import models
    from sr_ops.imaging.io.files import write_bytes
    from sr_ops.imaging.io.places import place

    factors = None if scale is None else _factors(scale)
    if target is not None:
        place(target)  # before the work
    network = models.load(model, trust_torchscript=trust_torchscript)
    if enlarge is not None:
        network = _placed(network, enlarge.value)
    options: dict[str, Any] = {"op": op.value, "exporter": exporter.value if exporter else None}
    if opset is not None:
        options["opset_version"] = opset
    if triton is not None:
        folder = sr_ops.onnx.to_triton(
            models.to_onnx(network, **options),
            triton,
            _name(model),
            values=None if factors is None else {"scale": factors},
            max_batch_size=max_batch,
            seen_as=seen_as,
            overwrite=overwrite,
        )
        print(f"{folder}: {type(network).__name__}, {op.value}; for Triton Inference Server")
        return
    assert target is not None
    if image_io:
        exported = models.to_picture_onnx(network, colours=colours.value, **options)
        form = "inputs image (bytes of a PNG or JPEG) and scale (2); output png (bytes)"
    else:
        exported = models.to_onnx(network, **options)
        first = exported.graph.input[0].type.tensor_type.shape.dim[0]
        batch = "N" if first.dim_param else first.dim_value
        form = f"inputs x ({batch}, {network.channels}, H, W) and scale (2); output y"
    write_bytes(target, exported.SerializeToString())
    print(f"{target}: {type(network).__name__}, {op.value}; {form}")


def _placed(network: Any, enlarge: str) -> Any:
    if not hasattr(network, "placed"):
        raise InvalidArgumentError(
            f"--enlarge: {type(network).__name__} itself tells where the operator stands"
        )
    return network.placed(enlarge)


def _factors(scale: str) -> tuple[float, float]:
    from sr_ops import _arguments
    from sr_ops.cli.upscale import parse_factors

    return _arguments.parse_scale(parse_factors(scale))


def _name(model: str) -> str:
    """What a network is called on a server: by its file's name, without the ending."""
    stem = Path(model.split("#", maxsplit=1)[0]).stem
    return re.sub(r"[^A-Za-z0-9_.-]", "_", stem).lstrip(".") or "network"
