"""Tests that need an NVIDIA GPU. Without one they skip, and a single line says why."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


def reason_to_skip() -> str:
    try:
        import torch
    except ModuleNotFoundError:
        return "no GPU tests: torch is not installed"
    if not torch.cuda.is_available():
        return "no GPU tests: torch sees no NVIDIA GPU"
    import sr_ops

    if not sr_ops.native_info()["cuda_targets"]:
        return "no GPU tests: sr_ops was built without CUDA (make test-gpu builds it)"
    return ""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    ours = [item for item in items if HERE in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.gpu)
    reason = reason_to_skip() if ours else ""
    if reason:  # one line for all of them
        ours[0].add_marker(pytest.mark.skip(reason=f"{reason}; {len(ours)} tests"))
        config.hook.pytest_deselected(items=ours[1:])
        items[:] = [item for item in items if item not in ours[1:]]


def add_to_summary(what: str, seen: Any) -> None:
    """Adds a line to the summary that `make test-gpu` prints."""
    path = os.environ.get("SR_OPS_GPU_SUMMARY")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps([what, str(seen)]) + "\n")


@pytest.fixture
def record() -> Callable[[str, Any], None]:
    return add_to_summary


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What did not pass, into the summary: nobody should miss it in a table of what did."""
    for outcome in ("failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            add_to_summary(f"{outcome}: {report.nodeid}", "see above")
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        reasons[str(reason)] = reasons.get(str(reason), 0) + 1
    for reason, count in reasons.items():
        add_to_summary(f"skipped: {count}", reason.removeprefix("Skipped: "))
