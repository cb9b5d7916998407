"""Compiles and runs thread_estimate_test.cpp: how many threads a node cuts an image for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

HERE = Path(__file__).parent


def test_thread_estimate(tmp_path):
    program = tmp_path / "thread_estimate_test"
    compiler = os.environ.get("CXX", "c++")
    include = HERE.parents[1] / "csrc"
    source = HERE / "thread_estimate_test.cpp"
    subprocess.run(
        [
            compiler,
            "-std=c++17",
            "-Wall",
            "-Werror",
            f"-I{include}",
            source,
            "-o",
            program,
            "-pthread",
        ],
        check=True,
    )
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
