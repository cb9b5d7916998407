"""compute-sanitizer finds neither bad addresses nor races."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


@pytest.mark.parametrize("tool", ["memcheck", "racecheck"])
def test_sanitizer(tool: str, record) -> None:
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/cuda/bin"])
    sanitizer = shutil.which("compute-sanitizer", path=search)
    if sanitizer is None:
        pytest.skip("compute-sanitizer, of NVIDIA's toolkit, was not found")
    done = subprocess.run(
        # torch's own kernels are not ours to judge, and slow to watch.
        [sanitizer, "--tool", tool, "--error-exitcode", "9",
         "--kernel-name-exclude", "kernel_substring=at::", sys.executable,
         str(HERE / "sanitized.py")],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
    )  # fmt: skip
    assert done.returncode == 0 and "done" in done.stdout, done.stdout[-4000:] + done.stderr[-2000:]
    record(f"compute-sanitizer {tool}", done.stdout.strip().splitlines()[-1].strip("= "))
