"""The demo tells the story, and its claims hold."""

import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from sr_ops.imaging import read_image

# One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("demo")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    script = ROOT / "examples" / "python" / "demo.py"
    command = [sys.executable, script, "--output", folder, "--scales", "2", "2.7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return folder, " ".join(done.stdout.split())


@pytest.mark.parametrize(
    "claim",
    [
        "TypeError: upsample_bicubic2d() received an invalid combination of arguments",
        "exported, but the file's inputs are ['x']: the scale is frozen",
        "Invalid input name: scale",
        "TracerWarning: Converting a tensor to a Python number might cause the trace",
        "TorchExportError: Failed to export the model",
        "srcnn_DynamicUpscale.onnx: inputs x (batch, 1, height, width), scale ()",
        "srcnn_Resize.onnx: inputs x (batch, 1, height, width), scale ()",
        "691 x 691",
    ],
)
def test_what_it_says(demo, claim):
    assert claim in demo[1]


def test_trained_weights_beat_bicubic(demo):
    said = demo[1].partition("(PSNR of luma): SRCNN ")[2].split()
    srcnn, bicubic = float(said[0]), float(said[3])
    assert srcnn > bicubic


def test_pictures(demo):
    folder, _ = demo
    assert read_image(folder / "photograph.png").shape == (256, 256, 3)
    assert read_image(folder / "srcnn_x2.7.png").shape == (691, 691, 3)
    assert read_image(folder / "comparison.png").shape[1] > 600


def test_models(demo):
    domains = {
        op: {node.domain for node in onnx.load(demo[0] / f"srcnn_{op}.onnx").graph.node}
        for op in ("DynamicUpscale", "Resize")
    }
    assert "sr_ops" in domains["DynamicUpscale"]
    assert "sr_ops" not in domains["Resize"]
