"""The short form of mutate_models.py, in a process of its own: a crash is then a failure."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="limits its memory by /proc")
def test_spoiled_models_are_refused_or_run():
    script = Path(__file__).with_name("mutate_models.py")
    done = subprocess.run(
        [sys.executable, script, "600", "1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    outcomes = ast.literal_eval(done.stdout)
    assert sum(outcomes.values()) == 600
    assert min(outcomes.values()) > 50, "each kind of outcome is to be seen often"
