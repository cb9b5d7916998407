"""Kernels read and write their buffers and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cases import assert_same_bits, numpy_dtype, random_cases
from native import FUSED_TARGETS, Array, resample, target

_HERE = Path(__file__).parent


@pytest.mark.skipif(sys.platform == "win32", reason="guard pages are made with mprotect")
@pytest.mark.parametrize("seed", [7, 8])
def test_nothing_beyond_the_buffers_is_touched(seed: int) -> None:
    environment = dict(os.environ)
    paths = [path for path in sys.path if path]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    result = subprocess.run(
        [sys.executable, str(_HERE / "guarded.py"), str(seed)],
        env=environment, capture_output=True, text=True, timeout=1800, check=False,
    )  # fmt: skip
    last = result.stdout.rstrip().rpartition("\n")[2]
    assert result.returncode == 0 and last == "done", (
        f"exit {result.returncode} in {last}\n{result.stderr}"
    )


def _crop(
    layout: str, shape: tuple[int, int, int, int], dtype: np.dtype, left: int, right: int
) -> tuple[Array, Array]:
    """A canvas of sevens, and a part of it with the axes (N, C, H, W)."""
    batch, channels, height, width = shape
    columns = slice(left, left + width)
    seven = dtype.type(7)
    if layout == "NCHW":
        canvas = np.full((batch + 1, channels + 2, height + 1, left + width + right), seven, dtype)
        return canvas, canvas[1:, 1:-1, 1:, columns]
    canvas = np.full((batch + 1, height + 1, left + width + right, channels), seven, dtype)
    return canvas, canvas[1:, 1:, columns].transpose(0, 3, 1, 2)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_a_crop_of_a_larger_array_as_destination(layout: str, rng: np.random.Generator) -> None:
    """Rows, planes and images any distance apart; what lies between them stays as it was."""
    for case in random_cases(80, seed=9):
        with target("SCALAR"):
            expected = resample(case, case.array())
        left, right = (int(v) for v in rng.integers(0, 40, 2))
        for name in FUSED_TARGETS:
            canvas, crop = _crop(layout, case.out_shape, numpy_dtype(case.dtype), left, right)
            with target(name):
                resample(case, case.array(), out=crop, threads=3)
            assert_same_bits(crop.copy(), expected, f"{name}\n{case}")
            crop[:] = canvas.dtype.type(7)
            assert (canvas == canvas.dtype.type(7)).all(), f"{name}\n{case}"
