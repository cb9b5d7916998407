"""What works in an environment that holds little more than the wheel.

python clean_environment.py make FOLDER             with torch: writes models and expected results
python clean_environment.py check numpy FOLDER      numpy alone
python clean_environment.py check [ort,image] FOLDER
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np

import sr_ops


def make(folder: Path) -> None:
    """Model and expected result, with torch, for the environment that has none."""
    import torch

    x = torch.from_numpy(_picture())
    model = sr_ops.DynamicUpscale()
    sr_ops.onnx.export(model, (x, 2.0), folder / "upscale.onnx", input_names=["x", "scale"])
    np.save(folder / "expected.npy", sr_ops.dynamic_upscale(x, 2.7).numpy())


def check(extras: str, folder: Path) -> None:
    """Every name that this environment has to serve, and a clear error for the others."""
    assert str(folder.resolve()) in sr_ops.__file__, f"not the installed wheel: {sr_ops.__file__}"
    expected = np.load(folder / "expected.npy")
    assert np.array_equal(sr_ops.numpy.dynamic_upscale(_picture(), 2.7), expected)
    assert Path(sr_ops.get_library_path()).is_file()
    print("numpy front end: the bits of torch;", sr_ops.native_info())
    _expect_one_line("torch", lambda: sr_ops.dynamic_upscale)
    if extras == "numpy":
        _expect_one_line("onnxruntime", lambda: sr_ops.onnx.make_session(folder / "upscale.onnx"))
        _expect_command_error(folder, "sr-ops[image]")
    else:
        _check_session(folder, expected)
        _check_command(folder)


def _check_session(folder: Path, expected: np.ndarray) -> None:
    session = sr_ops.onnx.make_session(folder / "upscale.onnx")
    feeds = {"x": _picture(), "scale": np.float32([2.7])}
    assert np.array_equal(session.run(None, feeds)[0], expected)
    print("ONNX Runtime front end: the bits of torch")


def _check_command(folder: Path) -> None:
    import cv2

    picture = (_picture()[0].transpose(1, 2, 0) * 255).astype(np.uint8)
    cv2.imwrite(str(folder / "in.png"), picture)
    for options in ([], ["--model", folder / "upscale.onnx"]):
        done = _command(folder, "upscale", "in.png", "out.png", "--scale", "1.5", *options)
        assert done.returncode == 0, done.stderr
        assert cv2.imread(str(folder / "out.png")).shape == (30, 45, 3)
        print(done.stdout.strip())


def _expect_command_error(folder: Path, remedy: str) -> None:
    done = _command(folder, "upscale", "in.png", "out.png")
    assert done.returncode == 2, done
    assert remedy in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    print(done.stderr.strip())


def _expect_one_line(missing: str, use: object) -> None:
    assert importlib.util.find_spec(missing) is None, f"{missing} is installed here"
    try:
        use()  # type: ignore[operator]
    except sr_ops.errors.MissingDependencyError as error:
        text = str(error)
        assert "pip install" in text and "\n" not in text, text
        print(text)
    else:
        raise AssertionError(f"worked without {missing}")


def _command(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("sr-ops")
    return subprocess.run(
        [program, *map(str, arguments)], cwd=folder, capture_output=True, text=True, check=False
    )


def _picture() -> np.ndarray:
    rows, columns = np.mgrid[0:20, 0:30]
    planes = [np.sin(rows / 3 + k) * np.cos(columns / (4 + k)) / 2 + 0.5 for k in range(3)]
    return np.stack(planes)[None].astype(np.float32)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]))
    else:
        check(sys.argv[2], Path(sys.argv[3]))
