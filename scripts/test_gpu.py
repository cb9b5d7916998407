#!/usr/bin/env python3
"""Build sr_ops for this machine's GPU, run what needs one, print a summary: `make test-gpu`.

Needs a torch with CUDA (2.10 or newer), nvcc, CMake, ninja, pybind11 and pytest, all of them in
place: nothing is installed. Google Highway and ONNX Runtime's headers come from where every build
takes them; offline, from the system or the folder that SR_OPS_CMAKE_ARGS names.
Without a GPU: one line, and success.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "gpu"


def gpu() -> tuple[str, str]:
    """Name and architecture; ends the program where there is none."""
    if importlib.util.find_spec("torch") is None:
        print("sr_ops: no GPU tests: torch is not installed")
        sys.exit(0)
    import torch

    if not torch.cuda.is_available():
        print("sr_ops: no GPU tests: torch sees no NVIDIA GPU")
        sys.exit(0)
    major, minor = torch.cuda.get_device_capability()
    return torch.cuda.get_device_name(), f"{major}{minor}"


def build(architecture: str) -> None:
    """Everything native, into the package among the sources."""
    search = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": search}
    configure = [
        *("cmake", "-S", str(ROOT), "-B", str(FOLDER), "-G", "Ninja"),
        *("-DCMAKE_BUILD_TYPE=Release", "-DSR_OPS_CUDA=on", "-DSR_OPS_TORCH=on"),
        f"-DPython_EXECUTABLE={sys.executable}",
        f"-DSR_OPS_CUDA_ARCHITECTURES={architecture}",
        *shlex.split(os.environ.get("SR_OPS_CMAKE_ARGS", "")),
    ]
    for command in (configure, ["cmake", "--build", str(FOLDER)]):
        if subprocess.call(command, env=environment) != 0:
            sys.exit(f"sr_ops: `{shlex.join(command)}` failed; the reason stands above")


def summarize(name: str, summary: Path) -> None:
    """The lines that the tests have recorded, as a table."""
    lines = [json.loads(line) for line in summary.read_text().splitlines()]
    print(f"\n{name}\n\n| what | seen |\n| --- | --- |")
    for what, seen in lines:
        print(f"| {what} | {seen} |")


def main() -> int:
    """Build, test, measure; the exit status."""
    name, architecture = gpu()
    build(architecture)
    summary = FOLDER / "summary.jsonl"
    summary.write_text("")
    environment = {
        **os.environ,
        "SR_OPS_GPU_SUMMARY": str(summary),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    tests = [sys.executable, "-m", "pytest", "-m", "gpu", "tests/gpu", "-q", *sys.argv[1:]]
    status = subprocess.call(tests, cwd=ROOT, env=environment)
    benchmark = [sys.executable, "benchmarks/gpu.py"]
    status = subprocess.call(benchmark, cwd=ROOT, env=environment) or status
    summarize(name, summary)
    return status


if __name__ == "__main__":
    sys.exit(main())
