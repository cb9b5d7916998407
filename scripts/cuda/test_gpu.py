#!/usr/bin/env python3
"""Build sr_ops for this machine's GPU, run what needs one, print a summary: `make test-gpu`.

    python scripts/cuda/test_gpu.py [--parts build,tests,...] [--minutes 9] [--out FOLDER]
        [PYTEST ...]

Needs a torch with CUDA (2.10 or newer), nvcc, CMake, ninja, pybind11 and pytest, all of them in
place: nothing is installed and nothing fetched. Google Highway's and ONNX Runtime's headers are
taken from build/headers, from an ordinary build of this checkout, or from the system; without ONNX
Runtime's, its operators are left out. `make gpu-headers`, on a machine that builds sr_ops, collects
both in build/headers, for a copy of the checkout to take along. SR_OPS_CMAKE_ARGS passes arguments
to CMake, as in setup.py.

A part that fails leaves the others running: each is in the summary, and the exit status is that of
the first failure. All parts together take no longer than --minutes; what is known is in the summary
at once, and in FOLDER/summary.md. Parts can also be run one call at a time, build first. Without a
GPU: one line, and success.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "gpu"
HEADERS = ROOT / "build" / "headers"
#: In this order: what decides most comes first, for a machine that is lent for minutes.
PARTS = ("build", "tests", "determinism", "sanitizer", "benchmark")
DETERMINISM = "deterministic or streams or threads or graph"
#: A machine lent for ten minutes has as many, and is still there when the last table is written.
MINUTES = 9.0
TIMED_OUT = 124  # the exit status of timeout(1)


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


def find_headers() -> tuple[Path | None, Path | None]:
    """The folders that hold hwy/highway.h and onnxruntime_c_api.h, where they are at hand."""
    builds = sorted((ROOT / "build").glob("cmake-*/third_party"))
    system = [Path("/usr/include"), Path("/usr/local/include")]

    def first(folders: Iterator[Path], header: str) -> Path | None:
        return next((folder for folder in folders if (folder / header).exists()), None)

    def places(*patterns: str) -> Iterator[Path]:
        for root in [HEADERS, *builds, *system]:
            yield root
            for pattern in patterns:
                yield from sorted(root.glob(pattern))

    highway = first(places("highway*", "highway*/*"), "hwy/highway.h")
    runtime = first(
        places("onnxruntime", "onnxruntime/core/session", "*onnxruntime*/usr/include/onnxruntime",
               "onnxruntime*/*/include"),
        "onnxruntime_c_api.h",
    )  # fmt: skip
    return highway, runtime


def collect_headers() -> None:
    """Copy both projects' headers into build/headers."""
    highway, runtime = find_headers()
    if highway is None or runtime is None:
        missing = "Highway's" if highway is None else "ONNX Runtime's"
        sys.exit(f"sr_ops: {missing} headers were not found; run `make build` first")
    copies = {highway / "hwy": HEADERS / "hwy", runtime: HEADERS / "onnxruntime"}
    for source, target in copies.items():
        if source != target:
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(
                source, target, ignore=lambda _, names: [n for n in names if n == "core"]
            )
        print(target)


def run(*command: str) -> int:
    """Exit status of a command; cmake and ninja may lie beside an interpreter not on PATH."""
    search = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    path = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PATH": search, "PYTHONPATH": os.pathsep.join(filter(None, path))}
    print(f"$ {shlex.join(command)}", flush=True)
    left = Deadline.left()
    try:
        return subprocess.run(
            command, cwd=ROOT, env=environment, timeout=left, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        return TIMED_OUT


class Deadline:
    """When the program has to be done; what still runs then is ended."""

    end = float("inf")

    @classmethod
    def left(cls) -> float | None:
        """Seconds; None for as many as it takes."""
        return None if cls.end == float("inf") else max(cls.end - time.monotonic(), 1.0)


class Summary:
    """Lines `[what, seen]`, from here and from the tests, and the table that they make."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "summary.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        self.file.write_text("")
        os.environ["SR_OPS_GPU_SUMMARY"] = str(self.file)

    def add(self, what: str, seen: str) -> None:
        """One line more."""
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps([what, seen]) + "\n")

    def table(self, title: str) -> str:
        """All lines, in Markdown."""
        lines = [json.loads(line) for line in self.file.read_text("utf-8").splitlines()]
        rows = [f"| {what} | {seen} |" for what, seen in lines]
        return "\n".join([title, "", "| what | seen |", "| --- | --- |", *rows, ""])


def build(architecture: str, summary: Summary) -> int:
    """Everything native, into the package among the sources."""
    given = os.environ.get("SR_OPS_CMAKE_ARGS", "")
    highway, runtime = find_headers()
    options = []
    if "SR_OPS_HIGHWAY" not in given:
        if highway is None:
            summary.add("build", "Google Highway's headers are missing: see `make gpu-headers`")
            return 1
        options.append(f"-DSR_OPS_HIGHWAY_ROOT={highway}")
    if "SR_OPS_ONNXRUNTIME" not in given:
        options.append(f"-DSR_OPS_ORT={'OFF' if runtime is None else 'ON'}")
        if runtime is None:
            summary.add("ONNX Runtime's operators", "not built: its headers are missing")
        else:
            options.append(f"-DSR_OPS_ONNXRUNTIME_INCLUDE_DIR={runtime}")
    status = run(
        *("cmake", "-S", str(ROOT), "-B", str(FOLDER), "-G", "Ninja"),
        *("-DCMAKE_BUILD_TYPE=Release", "-DSR_OPS_CUDA=on", "-DSR_OPS_TORCH=on"),
        f"-DPython_EXECUTABLE={sys.executable}",
        f"-DSR_OPS_CUDA_ARCHITECTURES={architecture}",
        *options,
        *shlex.split(given),
    )
    return status or run("cmake", "--build", str(FOLDER))


def main() -> int:
    """Run the parts; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--parts", default=",".join(PARTS), help="which, by commas; default: all")
    parser.add_argument(
        "--minutes", type=float, default=MINUTES, help="for all parts together; 0: no limit"
    )
    parser.add_argument("--out", type=Path, help="where measured figures and the summary go, too")
    parser.add_argument(
        "--collect-headers", action="store_true", help="fill build/headers, no more"
    )
    arguments, pytest_arguments = parser.parse_known_args()
    if arguments.collect_headers:
        collect_headers()
        return 0
    unknown = set(arguments.parts.split(",")) - set(PARTS)
    if unknown:
        parser.error(
            f"--parts: got {', '.join(sorted(unknown))}, expected some of {', '.join(PARTS)}"
        )
    name, architecture = gpu()
    Deadline.end = time.monotonic() + arguments.minutes * 60 if arguments.minutes else float("inf")
    summary = Summary(FOLDER)
    # A limit on time that ends this program leaves the summary of what was done.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    pytest = (sys.executable, "-m", "pytest", "-m", "gpu", "-q", *pytest_arguments)

    def only(expression: str) -> tuple[str, ...]:
        return () if "-k" in pytest_arguments else ("-k", expression)

    tests = ("tests/gpu", "--ignore=tests/gpu/test_sanitizer.py")
    results = ["--out", str(arguments.out)] if arguments.out else []
    steps: dict[str, Callable[[], int]] = {
        "build": lambda: build(architecture, summary),
        "tests": lambda: run(*pytest, *tests, *only(f"not ({DETERMINISM})")),
        "determinism": lambda: run(*pytest, *tests, *only(DETERMINISM)),
        "sanitizer": lambda: run(*pytest, "tests/gpu/test_sanitizer.py"),
        "benchmark": lambda: run(sys.executable, "benchmarks/gpu.py", *results),
    }
    status = 0
    try:
        for part in (part for part in PARTS if part in arguments.parts.split(",")):
            begin = time.monotonic()
            outcome = steps[part]() if begin < Deadline.end else TIMED_OUT
            summary.add(part, f"{_state(outcome)}, {time.monotonic() - begin:.0f} s")
            _write(arguments.out, summary.table(name))
            status = status or outcome
            if part == "build" and outcome:
                break  # what lies in the package may be of another build
    finally:
        text = summary.table(name)
        print(f"\n{text}", flush=True)
        _write(arguments.out, text)
    return status


def _state(outcome: int) -> str:
    if outcome == TIMED_OUT:
        return "not done: the time is up (--minutes)"
    return f"failed with status {outcome}" if outcome else "passed"


def _write(folder: Path | None, text: str) -> None:
    """The summary so far: whatever ends this program, what was seen stays."""
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "summary.md").write_text(text, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
