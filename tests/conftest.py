"""Fixtures that every folder of tests shares."""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Callable

import long_cases
import numpy as np
import pytest

# Several processes test at once. Threads of OpenMP that wait for one another would take the
# processor from those that work: here they sleep. Before torch is loaded; children inherit it.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def pytest_sessionfinish() -> None:
    """Keep what ``make coverage`` counted: xdist may kill a worker that still writes."""
    coverage = sys.modules.get("coverage")
    counting = coverage and coverage.Coverage.current()
    if counting:
        counting.save()


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the cases of long_cases.txt to ``make test-long``."""
    long_cases.mark(items, whole_files=not any("::" in argument for argument in config.args))


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Random numbers that depend on the test's name alone, not on which tests ran before."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """``run(*arguments)``: the command in this process; its exit code, stdout and stderr."""
    from sr_ops import cli

    def call(*arguments: object) -> tuple[int, str, str]:
        code = cli.main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return call
