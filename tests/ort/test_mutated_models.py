"""mutate_models.py, in a process of its own: a crash is then a failure."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="limits its memory by /proc")
@pytest.mark.parametrize("count", [600, pytest.param(10_000, marks=pytest.mark.long)])
@pytest.mark.parametrize("how", ["library", "provider"])
def test_corrupted_models_are_refused_or_run(count, how):
    script = Path(__file__).with_name("mutate_models.py")
    command = [sys.executable, script, str(count), "1", how]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    outcomes = ast.literal_eval(done.stdout)
    assert sum(outcomes.values()) == count
    assert min(outcomes.values()) > count // 12, "each kind of outcome is to be seen often"
