"""``sr-ops accelerate``, ``standardize``, ``make-dynamic``, ``inspect``: tools for ONNX models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sr_ops.errors import InvalidArgumentError

if TYPE_CHECKING:
    import onnx

    from sr_ops.onnx.rewriting.report import Report

__all__ = ["register"]

Source = Annotated[Path, typer.Argument(metavar="IN.onnx", help="The model to read.")]
Output = Annotated[Path, typer.Argument(metavar="OUT.onnx", help="Where to write the new model.")]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Allow OUT.onnx to be the same file as IN.onnx.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(accelerate)
    app.command()(standardize)
    app.command()(make_dynamic)
    app.command()(inspect)


def accelerate(
    source: Source,
    output: Output,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Run both models on random inputs and compare the results."),
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Replace a model's cubic Resize nodes by sr_ops' operators: fast, and they run everywhere."""
    import sr_ops.onnx

    _check_output(source, output, overwrite)
    model, report = sr_ops.onnx.accelerate(source, verify=verify, return_report=True)
    _write(model, output, report)


def standardize(
    source: Source,
    output: Output,
    op: Annotated[
        str,
        typer.Option(
            metavar="OP",
            help="Resize; or MatMul, the same from matrix products, for runtimes whose cubic "
            "Resize is slow, wrong or missing.",
        ),
    ] = "Resize",
    overwrite: Overwrite = False,
) -> None:
    """Replace sr_ops' operators in a model by standard ones."""
    import sr_ops.onnx

    _check_output(source, output, overwrite)
    model, report = sr_ops.onnx.standardize(source, op=op, return_report=True)
    _write(model, output, report)


def make_dynamic(
    source: Source,
    output: Output,
    scale_name: Annotated[
        str, typer.Option(metavar="NAME", help="What to call the new input.")
    ] = "scale",
    node: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A resampling node to open (repeatable); default: all."),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Turn a model's constant scale into an input, and its fixed image size into a dynamic one."""
    import sr_ops.onnx

    _check_output(source, output, overwrite)
    model, report = sr_ops.onnx.make_dynamic(
        source, scale_name=scale_name, nodes=node or None, return_report=True
    )
    _write(model, output, report)


def inspect(
    source: Source,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also draw the graph into an SVG file.")
    ] = None,
) -> None:
    """Show a model's inputs, dynamic dimensions, resampling nodes and what runs them here."""
    import sr_ops.onnx
    from sr_ops.onnx.graphs.model_files import check_writable, write_text

    if svg is not None:
        check_writable(svg)
    inspection = sr_ops.onnx.inspect(source)
    print(json.dumps(inspection.as_dict(), indent=2) if as_json else inspection)
    if svg is not None:
        write_text(inspection.svg(), svg)


def _check_output(source: Path, output: Path, overwrite: bool) -> None:
    from sr_ops.onnx.graphs.model_files import check_writable

    if not overwrite and output.exists() and source.exists() and output.samefile(source):
        raise InvalidArgumentError(
            f"OUT.onnx: {output} is the input itself; choose another name, or pass --overwrite"
        )
    check_writable(output)


def _write(model: onnx.ModelProto, output: Path, report: Report) -> None:
    from sr_ops.onnx.graphs.model_files import save_model

    save_model(model, output)
    print(report)
    print(f"{output}: {len(report.converted)} converted, {len(report.left)} left as they were")
