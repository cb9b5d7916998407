"""`make test-gpu` where there is no GPU: what it says, what a failed part does to the others."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytest.importorskip("torch")


def load(path: str):
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def script(monkeypatch, tmp_path):
    """scripts/cuda/test_gpu.py on a machine that seems to have a GPU; commands are only noted."""
    module = load("scripts/cuda/test_gpu.py")
    monkeypatch.setattr(module, "FOLDER", tmp_path / "gpu")
    monkeypatch.setattr(module, "gpu", lambda: ("A GPU", "90"))
    monkeypatch.setattr(module, "find_headers", lambda: (tmp_path, None))
    monkeypatch.setenv("SR_OPS_GPU_SUMMARY", "")
    monkeypatch.delenv("SR_OPS_CMAKE_ARGS", raising=False)
    module.commands, module.statuses = [], {}

    def run(*command: str) -> int:
        line = " ".join(command)
        module.commands.append(line)
        return next((s for part, s in module.statuses.items() if part in line), 0)

    monkeypatch.setattr(module, "run", run)
    return module


def call(script, monkeypatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["test_gpu.py", *arguments])
    return script.main()


def test_without_a_gpu_it_says_so_and_succeeds():
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    command = [sys.executable, str(ROOT / "scripts" / "cuda" / "test_gpu.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "sr_ops: no GPU tests: torch sees no NVIDIA GPU\n"


def test_a_failed_part_leaves_the_others_running(script, monkeypatch, tmp_path, capsys):
    script.statuses = {"-m pytest": 1, "benchmarks": 3}
    assert call(script, monkeypatch, "--out", str(tmp_path / "out"), "-k", "bits") == 1
    ran = " ".join(script.commands)
    for part in ("--build", "tests/gpu -k", "--ignore=tests/gpu/test_sanitizer.py",
                 "benchmarks/gpu.py --out", "tests/gpu/test_sanitizer.py"):  # fmt: skip
        assert part.replace(" -k", "") in ran, part
    said = capsys.readouterr().out
    for line in ("| ONNX Runtime's operators | not built: its headers are missing |",
                 "| build | passed,", "| tests | failed with status 1,",
                 "| benchmark | failed with status 3,", "| sanitizer | failed"):  # fmt: skip
        assert line in said, said
    assert (tmp_path / "out" / "summary.md").read_text() in said


def test_what_decides_most_comes_first(script, monkeypatch):
    assert call(script, monkeypatch) == 0
    order = ["cmake -S", "cmake --build", "-k not (deterministic", "-k deterministic",
             "tests/gpu/test_sanitizer.py", "benchmarks/gpu.py"]  # fmt: skip
    assert len(script.commands) == len(order)
    for command, part in zip(script.commands, order, strict=True):
        assert part in command, script.commands


def test_the_time_is_kept(script, monkeypatch, tmp_path, capsys):
    """What does not fit is named, and what was seen before is written."""
    now = [0.0]
    monkeypatch.setattr(script.time, "monotonic", lambda: now[0])
    seen = []

    def run(*command: str) -> int:
        seen.append((tmp_path / "summary.md").exists())
        now[0] += 200
        return 0

    monkeypatch.setattr(script, "run", run)
    assert call(script, monkeypatch, "--minutes", "8", "--out", str(tmp_path)) == 124
    said = capsys.readouterr().out
    assert seen == [False, False, True]  # two commands build
    for line in ("| build | passed, 400 s |", "| tests | passed, 200 s |",
                 "| determinism | not done: the time is up (--minutes), 0 s |",
                 "| benchmark | not done: the time is up (--minutes), 0 s |"):  # fmt: skip
        assert line in said, said
    assert "| benchmark | not done" in (tmp_path / "summary.md").read_text()


def test_a_command_that_overruns_is_ended(monkeypatch):
    module = load("scripts/cuda/test_gpu.py")
    monkeypatch.setattr(module.Deadline, "end", module.time.monotonic() + 1)
    begin = module.time.monotonic()
    assert module.run(sys.executable, "-c", "import time; time.sleep(60)") == module.TIMED_OUT
    assert module.time.monotonic() - begin < 30
    monkeypatch.setattr(module.Deadline, "end", float("inf"))
    assert module.Deadline.left() is None
    assert module.run(sys.executable, "-c", "raise SystemExit(3)") == 3


def test_nothing_runs_on_a_build_that_failed(script, monkeypatch, capsys):
    script.statuses = {"cmake --build": 2}
    assert call(script, monkeypatch) == 2
    assert not [line for line in script.commands if "-m pytest" in line]
    assert "| build | failed with status 2," in capsys.readouterr().out


def test_parts_run_one_by_one(script, monkeypatch, capsys):
    assert call(script, monkeypatch, "--parts", "benchmark") == 0
    assert len(script.commands) == 1 and "benchmarks/gpu.py" in script.commands[0]
    with pytest.raises(SystemExit):
        call(script, monkeypatch, "--parts", "bench")
    assert "--parts: got bench, expected some of build," in capsys.readouterr().err


def test_missing_headers_are_named(script, monkeypatch, capsys):
    monkeypatch.setattr(script, "find_headers", lambda: (None, None))
    assert call(script, monkeypatch) == 1
    assert "Highway's headers are missing: see `make gpu-headers`" in capsys.readouterr().out
    monkeypatch.setenv("SR_OPS_CMAKE_ARGS", "-DSR_OPS_HIGHWAY_ROOT=/elsewhere")
    assert call(script, monkeypatch, "--parts", "build") == 0
    assert "-DSR_OPS_HIGHWAY_ROOT=/elsewhere" in script.commands[0]


def test_headers_are_collected_and_found(monkeypatch, tmp_path, capsys):
    module = load("scripts/cuda/test_gpu.py")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "HEADERS", tmp_path / "build" / "headers")
    third_party = tmp_path / "build" / "cmake-x" / "third_party"
    highway = third_party / "highway-1.2.0.tar.gz" / "highway-1.2.0"
    runtime = third_party / "libonnxruntime-dev" / "usr" / "include" / "onnxruntime"
    for file in (highway / "hwy" / "highway.h", runtime / "onnxruntime_c_api.h"):
        file.parent.mkdir(parents=True)
        file.write_text("")
    assert module.find_headers() == (highway, runtime)
    module.collect_headers()
    collected = tmp_path / "build" / "headers"
    assert module.find_headers() == (collected, collected / "onnxruntime")
    module.collect_headers()  # again, from there to there
    assert module.find_headers() == (collected, collected / "onnxruntime")


def test_measured_figures_are_held_against_the_goals(monkeypatch, tmp_path):
    benchmark = load("benchmarks/gpu.py")
    plain = {"shape": [1, 3, 8, 8], "scale": 2, "dtype": "float32", "channels_last": False,
             "megabytes_out": 100.0, "forward_ms": 1.25, "of_copy": 0.9, "torch_forward": 4.0,
             "backward_of_copy": 0.5, "torch_backward": 6.0}  # fmt: skip
    small = {**plain, "megabytes_out": 1.0, "of_copy": 0.1, "torch_forward": 3.5}
    other = {**plain, "dtype": "uint8", "of_copy": 0.2}
    del other["torch_forward"], other["torch_backward"], other["backward_of_copy"]
    assert benchmark.cells(plain)[0].replace("\u00d7", "x") == "float32 1x3x8x8 x2"
    assert benchmark.cells(other)[1:] == ["1.250 ms", "20%", "", "", "", ""]
    with_cupy = benchmark.cells({**plain, "cupy_forward": 7.0})
    assert with_cupy[4].strip(" \u00d7") == "7.0" and benchmark.cells(plain)[4] == ""
    lines = benchmark.goals([plain, small, other])
    assert [seen.strip(" \u00d7") for _, seen in lines] == ["90%", "3.5", "6.0"]
    monkeypatch.setenv("SR_OPS_GPU_SUMMARY", str(tmp_path / "summary.jsonl"))
    benchmark.summarize(lines)
    written = (tmp_path / "summary.jsonl").read_text().splitlines()
    assert [tuple(json.loads(line)) for line in written] == lines


def test_cupy_is_compared_where_it_is(monkeypatch):
    """By pretended modules: one plane of float32, on torch's memory."""
    benchmark = load("benchmarks/gpu.py")
    torch = benchmark.torch
    calls = []
    ndimage = SimpleNamespace(zoom=lambda plane, scale, **options: calls.append((plane, scale)))
    scipy = SimpleNamespace(ndimage=ndimage)
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(from_dlpack=lambda x: x))
    monkeypatch.setitem(sys.modules, "cupyx", SimpleNamespace(scipy=scipy))
    monkeypatch.setitem(sys.modules, "cupyx.scipy", scipy)
    x = torch.rand(1, 1, 4, 6)
    benchmark.cupys(x, 2)()
    ((plane, scale),) = calls
    assert plane.data_ptr() == x.data_ptr() and plane.shape == (4, 6) and scale == 2
    assert benchmark.cupys(torch.rand(1, 3, 4, 6), 2) is None
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert benchmark.cupys(x, 2) is None
