"""Every open, read, write and rename of a command fails once: nothing partial, nothing left."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="preloads a library")


def _calls(tmp_path: Path, step: int, *commands: str) -> dict[str, set[str]]:
    """Command -> which calls have failed."""
    library = tmp_path / "faulty_io.so"
    compiler = [os.environ.get("CC", "cc"), "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    source = HERE / "faulty_io.c"
    subprocess.run([*compiler, "-o", str(library), str(source), "-ldl"], check=True)
    script = [str(HERE / "fail_every_call.py"), str(tmp_path), str(step), *commands]
    quiet = {"PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"}
    environment = {**os.environ, **quiet, "LD_PRELOAD": str(library)}
    done = subprocess.run(
        [sys.executable, *script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert list(found) == list(commands)
    return {name: set(re.findall(r"'(\w+)'", text)) for name, text in found.items()}


PICTURES = ("picture", "replaced", "folder", "checkpoint", "network", "download")
MODELS = ("accelerate", "standardize", "make-dynamic", "inspect")


@pytest.mark.parametrize("command", ["picture", "accelerate"])
def test_some_calls(tmp_path: Path, command: str) -> None:
    (failed,) = _calls(tmp_path, 11, command).values()
    assert failed


@pytest.mark.long
@pytest.mark.parametrize("command", [*PICTURES, *MODELS, "export"])
def test_every_call(tmp_path: Path, command: str) -> None:
    (failed,) = _calls(tmp_path, 1, command).values()
    assert {"open64", "read", "write", "close", "mkdir", "rename"} <= failed
