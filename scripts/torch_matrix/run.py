"""Run the torch library on another torch than it was built for; write docs/torch_matrix.md.

    python scripts/torch_matrix/run.py

An environment of its own in build/matrix holds that torch with its torchvision, and the packages of
the tests. sr_ops is imported from this checkout with the libraries that are built in it, as a wheel
brings them. Exit code 1 if a test failed.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import torch

import sr_ops

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "docs" / "torch_matrix.md"
#: They are published as a pair.
TORCH, TORCHVISION = "2.14.1", "0.29.1"
FOLDER = ROOT / "build" / "matrix" / f"torch-{TORCH}"
PACKAGES = (
    *("expecttest", "hypothesis", "ml_dtypes", "pillow", "pytest", "pytest-xdist"),
    *("onnx", "onnxruntime", "onnxscript", "opencv-python", "safetensors", "scikit-image"),
    *("timm", "transformers"),
)
#: What is run -> tests.
PARTS = {
    "torch": ["tests/torch"],
    "export": [str(path.relative_to(ROOT)) for path in ROOT.glob("tests/onnx/test_export*.py")],
    "torchvision, timm": ["scripts/torch_matrix/test_vision_packages.py"],
}

HEADER = """\
# Releases of torch

Written by `make matrix-torch`. The libraries are those built for torch {built}, as a wheel brings
them; the torch that loads them is another one.

| torch | torchvision | tests | passed | failed |
| --- | --- | --- | --- | --- |
"""
_COUNTS = re.compile(r"(\d+) (passed|failed|error)")


def main() -> int:
    """Run each part; print and write the table."""
    python = _environment()
    table = HEADER.format(built=torch.__version__.split("+")[0])
    broken = 0
    for name, tests in PARTS.items():
        passed, failed = _run(python, tests)
        print(f"{name}: {passed} passed, {failed} failed", flush=True)
        broken += failed
        table += f"| {TORCH} | {TORCHVISION} | {name} | {passed} | {failed} |\n"
    table += f"\nsr_ops {sr_ops.__version__} on {platform.system()} {platform.machine()}.\n"
    print(table)
    if broken:
        return 1
    RESULT.write_text(table)
    print(f"written to {RESULT}")
    return 0


def _environment() -> Path:
    """The interpreter of the environment; made once."""
    python = FOLDER / "bin" / "python"
    if not (FOLDER / "complete").exists():
        print(f"installing torch {TORCH} and torchvision {TORCHVISION} ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        pair = [f"torch=={TORCH}", f"torchvision=={TORCHVISION}"]
        constraints = ["-c", str(ROOT / "constraints.txt")]  # which name no torch
        subprocess.run([*pip, *pair, *PACKAGES, *constraints], check=True)
        (FOLDER / "complete").touch()
    return python


def _run(python: Path, tests: list[str]) -> tuple[int, int]:
    """How many tests passed, and how many did not."""
    command = [str(python), "-m", "pytest", "-q", "--tb=short", "-n", "auto", *tests]
    print(" ".join(command[3:]), flush=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    counts = {word: int(n) for n, word in _COUNTS.findall((done.stdout.splitlines() or [""])[-1])}
    failed = counts.get("failed", 0) + counts.get("error", 0)
    if failed or done.returncode:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
        failed = failed or 1
    return counts.get("passed", 0), failed


if __name__ == "__main__":
    sys.exit(main())
