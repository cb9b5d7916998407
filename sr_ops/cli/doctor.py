"""``sr-ops doctor``."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(doctor)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For programs, and for reports.")] = False,
) -> None:
    """Examine the installation: what is there, what works, what to do about the rest.

    The exit code is 1 if anything is at fault.
    """
    from sr_ops import doctor as _doctor

    findings = _doctor.examine()
    print(_doctor.as_json(findings) if as_json else _doctor.as_text(findings))
    if any(finding.state == "fault" for finding in findings):
        raise typer.Exit(1)
