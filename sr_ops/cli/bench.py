"""``sr-ops bench``: a model in ONNX Runtime alone, and with sr_ops."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from sr_ops.errors import InvalidArgumentError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(bench)


def bench(
    model: Annotated[Path, typer.Argument(metavar="MODEL.onnx", help="The model; left as it is.")],
    size: Annotated[
        str,
        typer.Option(
            metavar="HEIGHT,WIDTH", help="Of random images, where the model leaves them open."
        ),
    ] = "256,256",
    threads: Annotated[
        int | None, typer.Option(help="Of each session; default: ONNX Runtime's choice.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long to go on.")] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Run a model in ONNX Runtime alone and with sr_ops: what moved, the times, the difference."""
    import sr_ops.onnx

    result = sr_ops.onnx.bench(model, size=_parse(size), threads=threads, seconds=seconds)
    print(json.dumps(result.as_dict(), indent=2) if as_json else result)


def _parse(size: str) -> tuple[int, int]:
    try:
        height, width = (int(part) for part in size.split(","))
    except ValueError:
        raise InvalidArgumentError(
            f"--size: got {size!r}, expected height,width, as in 480,640"
        ) from None
    return height, width
