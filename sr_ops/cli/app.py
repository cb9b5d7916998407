"""The Typer application: every command, from the module that holds it."""

from __future__ import annotations

from typing import Annotated

import typer

import sr_ops
from sr_ops.cli import bench, compare, doctor, evaluate, export, rewrite, upscale

__all__ = ["build"]

_HELP = """Upscale pictures by any factor, and prepare ONNX models that do.

Every command has its own --help."""


def build() -> typer.Typer:
    """The application with all commands."""
    app = typer.Typer(
        help=_HELP,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # whose library takes longer than everything else
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_program)
    for module in (upscale, compare, export, evaluate, rewrite, bench, doctor):
        module.register(app)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        print(sr_ops.__version__)
        raise typer.Exit


def _program(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Options of the program itself."""
