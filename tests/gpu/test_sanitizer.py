"""compute-sanitizer finds neither bad addresses nor races."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
#: Seconds: a run under a sanitizer must not use up a lease.
LIMIT = 240


@pytest.mark.parametrize("tool", ["memcheck", "racecheck"])
def test_sanitizer(tool: str, record) -> None:
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/cuda/bin"])
    sanitizer = shutil.which("compute-sanitizer", path=search)
    if sanitizer is None:
        pytest.skip("compute-sanitizer, of NVIDIA's toolkit, was not found")
    command = [sanitizer, "--tool", tool, "--error-exitcode", "9", sys.executable,
               str(HERE / "sanitized.py")]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=environment, timeout=LIMIT
        )
    except subprocess.TimeoutExpired:
        pytest.fail(f"{tool} was stopped after {LIMIT} s: nothing is known")
    if "Device not supported" in done.stdout + done.stderr:
        pytest.skip(f"compute-sanitizer {tool} does not support this machine's GPU")
    assert done.returncode == 0 and "done" in done.stdout, done.stdout[-4000:] + done.stderr[-2000:]
    record(f"compute-sanitizer {tool}", done.stdout.strip().splitlines()[-1].strip("= "))
