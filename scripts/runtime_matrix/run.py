"""Run the custom-op library on several releases of ONNX Runtime; write docs/runtime_matrix.md.

    python scripts/runtime_matrix/run.py [VERSION ...]

Each release gets an environment of its own in build/matrix that holds onnxruntime and numpy and
nothing else; the models are generated beforehand, here. onnxruntime-web, for which Node.js and npm
must be installed, runs the models by their functions. A VERSION may be web-1.30.0. Without
arguments, all of them. Exit code 1 if a check failed.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from matrix_models import write_cases, write_web_cases

import sr_ops

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "matrix"
RESULT = ROOT / "docs" / "runtime_matrix.md"
#: 1.16 is too old for the library and must say so; models run there by their functions.
VERSIONS = (
    "1.16.3",
    "1.17.3",
    "1.19.2",
    "1.21.1",
    "1.23.2",
    "1.24.4",
    "1.25.1",
    "1.31.1",
    "web-1.30.0",
)

HEADER = """\
# ONNX Runtime releases

Written by `make matrix`, which gives each release an environment that holds onnxruntime and numpy
and nothing else. *Library*: the kernels ran, by the runtime's own profile, and gave the bits of the
numpy front end. *Provider*: the execution provider took the standard Resize of the same models,
and gave those bits. *Function*: without the library, the function inside the model ran and came
close.

| onnxruntime | with | library | provider | function | checks |
| --- | --- | --- | --- | --- | --- |
"""


def main(versions: list[str]) -> int:
    """Check each version; print and write the table."""
    write_cases(FOLDER / "cases")
    write_web_cases(FOLDER / "cases")
    reports = [
        _check_web(version.removeprefix("web-")) if version.startswith("web-") else _check(version)
        for version in versions or VERSIONS
    ]
    table = HEADER + "".join(_row(report) for report in reports)
    table += f"\nsr_ops {sr_ops.__version__} on {platform.system()} {platform.machine()}.\n"
    print(table)
    failed = {r["onnxruntime"]: r["failures"] for r in reports if r["failures"]}
    if failed:
        print(json.dumps(failed, indent=1), file=sys.stderr)
        return 1
    if not versions:
        RESULT.write_text(table)
        print(f"written to {RESULT}")
    return 0


def _check(version: str) -> dict[str, Any]:
    python = _environment(version)
    check = ROOT / "scripts" / "runtime_matrix" / "check.py"
    command = [python, check, FOLDER / "cases", sr_ops.get_library_path()]
    return _report(f"onnxruntime {version}", command)


def _check_web(version: str) -> dict[str, Any]:
    folder = FOLDER / f"web-{version}"
    name = f"onnxruntime-web {version}"
    if not (folder / "complete").exists():
        print(f"installing {name} ...", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder]
        subprocess.run([*install, f"onnxruntime-web@{version}"], check=True)
        (folder / "complete").touch()
    command = ["node", ROOT / "scripts" / "runtime_matrix" / "web.mjs", FOLDER / "cases"]
    return _report(name, command, folder)


def _report(name: str, command: list[Any], folder: Path | None = None) -> dict[str, Any]:
    """What a check prints; it may not die."""
    print(f"{name} ...", flush=True)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    try:
        report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise SystemExit(
            f"{name}: the check died with code {done.returncode}:\n{done.stderr}"
        ) from None
    return report


def _environment(version: str) -> Path:
    """The interpreter of an environment with this onnxruntime; made once."""
    folder = FOLDER / version
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        print(f"installing onnxruntime {version} ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        # Wheels before 1.19 are built against numpy 1.
        old = tuple(int(part) for part in version.split(".")[:2]) < (1, 19)
        numpy = "numpy<2" if old else "numpy"
        install = [str(python), "-m", "pip", "install", "--quiet", f"onnxruntime=={version}", numpy]
        subprocess.run(install, check=True)
        (folder / "complete").touch()
    return python


def _row(report: dict[str, Any]) -> str:
    function = any(name.startswith("function: ") for name in report["failures"])
    provider = any(name.startswith("provider: ") for name in report["failures"])
    library = any(not name.startswith(("function: ", "provider: ")) for name in report["failures"])
    words = {False: "passed", True: "**failed**"}
    cells = [
        report["onnxruntime"],
        report["with"],
        words[library] if library else report["no_library"] or words[library],
        words[provider] if provider else report.get("no_provider", "none") or words[provider],
        words[function],
        str(report["passed"]),
    ]
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
