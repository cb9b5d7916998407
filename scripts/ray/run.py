"""Run the examples for Ray, Hugging Face datasets and Spark; write benchmarks/results/ray.md.

    python scripts/ray/run.py

An environment of its own, in build/ray, holds their packages; sr_ops is imported from this
checkout. With Ray, two workers upscale a folder, and one of them is killed midway: all results must
be there and whole, bit by bit as this process computes them. Then it runs again, and skips them.
Exit code 1 if something is not as it must be.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import sr_ops
from sr_ops import imaging

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "python"
RESULT = ROOT / "benchmarks" / "results" / "ray.md"
FOLDER = ROOT / "build" / "ray"
RAY, DATASETS, SPARK = "2.60.0", "5.2.0", "4.3.0"
PACKAGES = (
    *(f"ray[data]=={RAY}", f"datasets=={DATASETS}", f"pyspark=={SPARK}"),
    *("onnx", "onnxruntime", "opencv-python", "pandas", "pillow"),
)
PICTURES = 24
#: Results that are there when a worker is killed.
MIDWAY = 6


def main() -> int:
    """Run them; print and write what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--python", type=Path, help="of an environment that has the packages")
    python = parser.parse_args().python or _environment()
    with tempfile.TemporaryDirectory(prefix="sr_ops_ray_") as name:
        work = Path(name)
        expected = _pictures(work / "photos")
        lines = [_ray(python, work, expected), _datasets(python, work)]
        lines.append(_spark(python, work) if shutil.which("java") else None)
    text = _page([line for line in lines if line])
    print(text)
    RESULT.write_text(text, encoding="utf-8")
    print(f"written to {RESULT}")
    return 0


def _page(lines: list[str]) -> str:
    head = (
        "# Where one machine is not enough\n\nWritten by `make try-ray`, on one machine of "
        f"{os.cpu_count()} cores.\n\n| what | what came of it |\n| --- | --- |\n"
    )
    return head + "".join(f"{line}\n" for line in lines)


def _environment() -> Path:
    """The interpreter of the environment; made once."""
    python = FOLDER / "bin" / "python"
    if not (FOLDER / "complete").exists():
        print("installing Ray, datasets and Spark ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True)
        constraints = ["-c", str(ROOT / "constraints.txt")]
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *PACKAGES, *constraints], check=True)
        (FOLDER / "complete").touch()
    return python


def _pictures(folder: Path) -> dict[str, np.ndarray]:
    """Photographs and what must become of them, by their places in the folder."""
    rng, expected = np.random.default_rng(0), {}
    for number in range(PICTURES):
        place = f"{number % 3}/{number:02}.png"
        imaging.make_folder(folder / str(number % 3))
        coarse = rng.integers(0, 256, (32, 48, 3), dtype=np.uint8)
        picture = sr_ops.numpy.dynamic_upscale(coarse, 8, layout="HWC")
        imaging.write_image(folder / place, picture)
        expected[place] = imaging.upscale_image(picture, 2, backend="ort")
    return expected


def _command(python: Path, example: str, *arguments: Path | str) -> list[str]:
    return [str(python), str(EXAMPLES / example), *map(str, arguments)]


def _environ() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0"}


def _ray(python: Path, work: Path, expected: dict[str, np.ndarray]) -> str:
    command = _command(python, "upscale_with_ray.py", work / "photos", work / "large")
    command += ["--workers", "2"]
    (work / "photos" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (work / "photos" / "notes.txt").write_text("no picture")
    began = time.monotonic()
    with subprocess.Popen(command, env=_environ(), stdout=subprocess.PIPE, text=True) as run:
        while len(_results(work / "large")) < MIDWAY:
            assert run.poll() is None, "Ray ended early"
            time.sleep(0.05)
        workers = _workers(run.pid)
        assert len(workers) == 2, f"{len(workers)} workers"
        os.kill(workers[0], signal.SIGKILL)
        killed_at = len(_results(work / "large"))
        said = run.communicate()[0]
    seconds = time.monotonic() - began
    print(said)
    assert killed_at < len(expected), "killed too late"
    assert run.returncode == 2, f"exit code {run.returncode}"  # of broken.png
    assert "broken.png: the file is cut short" in said.replace(f"{work}/photos/", "")
    last = (
        f"{len(expected)} of {len(expected) + 1} pictures upscaled; 0 were there already; 1 files"
    )
    assert last in said
    found = _results(work / "large")
    assert found == sorted(expected), "results are missing, or are more"
    for place, picture in expected.items():
        np.testing.assert_array_equal(imaging.read_image(work / "large" / place), picture)
    again = subprocess.run(command, env=_environ(), capture_output=True, text=True, check=False)
    assert "0 of 1 pictures upscaled; 24 were there already" in again.stdout
    drafts = len(list((work / "large").rglob(".sr_ops_*")))
    return (
        f"| Ray {RAY}, two workers, one killed (SIGKILL) when {killed_at} of {PICTURES} results "
        f"were there | all {PICTURES} there and whole, their bits those of one process; {drafts} "
        f"drafts left behind; a broken file named; run again, {PICTURES} skipped; {seconds:.0f} s |"
    )


def _results(folder: Path) -> list[str]:
    """Files, without drafts, whose folders are hidden."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(str(p) for p in found if not any(part.startswith(".") for part in p.parts))


def _workers(parent: int) -> list[int]:
    """Process numbers of Ray's workers that are at our class, among our own processes."""
    parents, titles = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text().rpartition(")")[2].split()
                titles[int(entry.name)] = (entry / "cmdline").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(status[1])

    def is_ours(process: int) -> bool:
        while process in parents and process != parent:
            process = parents[process]
        return process == parent

    return [
        p for p, title in titles.items() if "ray::" in title and "Upscaler" in title and is_ours(p)
    ]


def _datasets(python: Path, work: Path) -> str:
    (work / "photos" / "broken.png").unlink()
    command = _command(python, "upscale_with_datasets.py", work / "photos", work / "larger")
    subprocess.run(command, env=_environ(), check=True, capture_output=True)
    check = (
        "import datasets, sys; d = datasets.load_from_disk(sys.argv[1]); "
        "print(len(d), {p.size for p in d['image']})"
    )
    done = subprocess.run(
        [str(python), "-c", check, str(work / "larger")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"{PICTURES} {{(768, 512)}}", done.stdout
    return f"| Hugging Face datasets {DATASETS}, `map`, two processes | all {PICTURES} doubled |"


def _spark(python: Path, work: Path) -> str:
    command = _command(
        python, "upscale_with_spark.py", work / "photos" / "0", work / "larger.parquet"
    )
    environ = {**_environ(), "PYSPARK_PYTHON": str(python)}
    subprocess.run(command, env=environ, check=True, capture_output=True)
    check = (
        "import pandas, sys; t = pandas.read_parquet(sys.argv[1]); "
        "print(len(t), {bytes(c[16:24]) for c in t['png']} == {b'\\0\\0\\3\\0\\0\\0\\2\\0'})"
    )
    done = subprocess.run(
        [str(python), "-c", check, str(work / "larger.parquet")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == f"{PICTURES // 3} True", done.stdout
    return f"| Spark {SPARK}, `mapInPandas` | all {PICTURES // 3} of a folder doubled |"


if __name__ == "__main__":
    sys.exit(main())
