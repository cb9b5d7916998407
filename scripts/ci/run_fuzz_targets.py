"""Runs the fuzz targets one after the other, each for a while; fuzz.sh builds them first.

    python scripts/ci/run_fuzz_targets.py [--seconds N] [--record FILE] [TARGET...]

New inputs gather in build/fuzz/TARGET/corpus, findings beside it. The exit code is 1 where there
are any. --record adds a line for each run to a JSON file: what ran, when, on which commit, how much
processor time it took.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from fuzz.run import TARGETS as PYTHON_TARGETS  # noqa: E402

NATIVE_TARGETS = ("core", "ort")
#: Without libFuzzer's weighting of rare features, which takes longer than the inputs, and without
#: looking for other processes' inputs every second.
NATIVE_OPTIONS = ["-entropic=0", "-reload=0", "-max_len=128", "-len_control=0"]


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all by default")
    parser.add_argument("--seconds", type=int, default=90, help="for each target (default: 90)")
    parser.add_argument("--record", type=Path, help="a JSON file to add the runs to")
    given = parser.parse_args()
    every = (*NATIVE_TARGETS, *PYTHON_TARGETS)
    unknown = set(given.targets) - set(every)
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    findings = []
    for target in given.targets or every:
        run = fuzz(target, given.seconds)
        findings += run["findings"]
        print(json.dumps(run), flush=True)
        if given.record is not None:
            record(run, given.record)
    return 1 if findings else 0


def fuzz(target: str, seconds: int) -> dict[str, Any]:
    """One run; what it took and found."""
    home = ROOT / "build" / "fuzz" / target
    (home / "corpus").mkdir(parents=True, exist_ok=True)
    sanitizer = os.environ.get("SR_OPS_FUZZ_SANITIZE", "")
    if target in NATIVE_TARGETS:
        build = ROOT / "build" / ("fuzz-native" + (f"-{sanitizer}" if sanitizer else ""))
        command = [str(build / "tests" / "cpp" / f"sr_ops_{target}_fuzz"), *NATIVE_OPTIONS]
        stored = ROOT / "tests" / "cpp" / "corpus" / target
    else:
        command = [sys.executable, str(ROOT / "tests" / "fuzz" / "run.py"), target]
        stored = ROOT / "tests" / "fuzz" / "corpus" / target
    # Slow by the clock: on a busy machine, ten seconds say nothing.
    command += [f"-max_total_time={seconds}", "-report_slow_units=60", "-print_final_stats=1"]
    command.append(str(home / "corpus"))
    before, known = processor_seconds(), set(home.iterdir())
    with open(home / "log", "w") as log:
        result = subprocess.run(
            [*command, str(stored)],
            cwd=home,
            stdout=log,
            stderr=log,
            env=environment(),
            check=False,
        )
    log_text = (home / "log").read_text(errors="replace")
    found = sorted(path.name for path in set(home.iterdir()) - known - {home / "log"})
    if result.returncode and not found:
        sys.exit(f"{target} did not run:\n{log_text[-2000:]}")
    coverage = re.findall(r"cov: (\d+)", log_text) or ["0"]
    return {
        "target": target,
        "sanitizer": sanitizer if target in NATIVE_TARGETS else "",
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "processor_seconds": round(processor_seconds() - before),
        "executions": executions(log_text),
        "edges": int(coverage[-1]),
        "findings": found,
    }


def environment() -> dict[str, str]:
    """One thread: what is computed is small."""
    runtime = importlib.util.find_spec("onnxruntime")
    folders = (runtime and runtime.submodule_search_locations) or []
    libraries = [path for folder in folders for path in Path(folder).glob("capi/*.so.*")]
    named = {"SR_OPS_ONNXRUNTIME_LIBRARY": str(libraries[0])} if libraries else {}
    quiet = {"PYTHONWARNINGS": "ignore", "OPENCV_LOG_LEVEL": "SILENT"}
    return named | quiet | {"OMP_NUM_THREADS": "1"} | dict(os.environ)


def executions(log: str) -> int:
    """The last number that libFuzzer printed: the sum, or where a finding stopped it."""
    done = re.findall(r"number_of_executed_units: (\d+)", log) or re.findall(r"^#(\d+)", log, re.M)
    return int(done[-1]) if done else 0


def processor_seconds() -> float:
    """Of the runs so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def commit() -> str:
    """What is checked out."""
    git = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()


def record(run: dict[str, Any], path: Path) -> None:
    """Add a run to a file."""
    content = json.loads(path.read_text()) if path.exists() else {"runs": [], "findings": []}
    content["runs"].append(run)
    path.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
