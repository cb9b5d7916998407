"""The tutorials run, are short, and say what a reader is to see."""

import subprocess
import sys
from pathlib import Path

import pytest

from sr_ops.imaging import read_image

# One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("tutorials")

EXAMPLES = Path(__file__).parents[2] / "examples" / "python"


def said_by(name, *arguments):
    script = EXAMPLES / f"tutorial_{name}.py"
    assert len(script.read_text().splitlines()) < 100
    command = [sys.executable, script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def srcnn():
    return said_by("srcnn")


@pytest.mark.parametrize(
    ("step", "claim"),
    [
        (1, "(1, 3, 64, 80) -> (1, 3, 192, 240)"),
        (2, "TracerWarning: Converting a tensor to a Python number"),
        (2, "Invalid input name: factor"),
        (3, "(1, 3, 64, 80) -> (1, 3, 256, 320)"),
        (4, "sr_ops:DynamicUpscale(-1) is not a registered function/op"),
        (4, "(1, 3, 64, 80) -> (1, 3, 256, 320)"),
        (5, "x4: (1, 1, 256, 320)"),
        (5, "x2.7: (1, 1, 172, 216)"),
    ],
)
def test_srcnn(srcnn, step, claim):
    assert claim in srcnn.partition(f"{step}. ")[2].partition(f"\n{step + 1}. ")[0]


def test_espcn(tmp_path):
    said = said_by("espcn", tmp_path / "large.png")
    for claim in (
        "luma: ['batch', 1, 'height', 'width']",
        "x3: (5, 1, 24, 40) -> (5, 1, 72, 120)",
        "x2.7: (2, 1, 50, 31) -> (2, 1, 135, 83)",
    ):
        assert claim in said
    decibels = [float(said.partition(f"{name}: ")[2].split()[0]) for name in ("bicubic", "ESPCN")]
    assert decibels[1] > decibels[0] + 1
    assert int(said.partition(" ms, ")[2].split()[0]) <= 1  # levels between the two ways
    assert read_image(tmp_path / "large.png").shape == (510, 510, 3)


def test_onnx(tmp_path):
    said = said_by("onnx", tmp_path)
    for claim in (
        "trace: 1 Shape, 1 ConstantOfShape, 3 Mul; 2 to the fifth is 8",
        "1 Loop; 2 to the fifth is 32",
        "{}: [1, 1, 8, 8]",
        "{'x': [0, 2, 3]}: ['x_dynamic_axes_1', 1, 'x_dynamic_axes_2', 'x_dynamic_axes_3']",
        "{'x': {0: 'batch', 2: 'height', 3: 'width'}}: ['batch', 1, 'height', 'width']",
        "the file 1\n",
        "3 * [1, 2] + [10, 20] = [13. 26.]",
        "topologically sorted, however input 'nobody'",
        "outputs: (1, 1, 16, 16) (1, 4, 8, 8) (1, 4, 8, 8) (1, 4, 8, 8)",
        "the first layer alone: 1 Conv, 1 Relu",
    ):
        assert claim in said
    assert (tmp_path / "net.svg").read_text().lstrip().startswith("<?xml")
