"""``sr-ops upscale`` with other people's .onnx files: what its errors say to do is done."""

from __future__ import annotations

import re

import memory
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import sr_ops
from sr_ops import imaging
from sr_ops.errors import ModelError


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    imaging.write_image(path, pixels)
    return path


def write(path, nodes, dims, weights=()):
    """A model of some nodes from ``x`` to ``y``."""
    graph = helper.make_graph(
        nodes,
        "any",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, dims)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)],
        [numpy_helper.from_array(value, name) for name, value in weights],
    )
    opsets = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


RELU = [helper.make_node("Relu", ["x"], ["y"])]
DOUBLE = [helper.make_node("Resize", ["x", "", "two"], ["y"], mode="linear")]
TWO = [("two", np.array([1, 1, 2, 2], np.float32))]
EVERYWHERE = [
    helper.make_node("GlobalAveragePool", ["x"], ["mean"]),
    helper.make_node("Add", ["x", "mean"], ["sum"]),
    helper.make_node("Resize", ["sum", "", "two"], ["y"], mode="linear"),
]


def test_a_file_of_one_size_says_that_it_runs_in_windows(run, tmp_path, photo):
    model = write(tmp_path / "net.onnx", DOUBLE, [1, 3, 16, 16], TWO)
    code, out, err = run("upscale", photo, tmp_path / "large.png", "-m", model, "-s", 2.7)
    assert code == 0, err
    assert "135 x 108" in out
    assert "in windows of 16 x 16" in out


def test_what_the_errors_ask_for(run, tmp_path, photo):
    model = write(tmp_path / "net.onnx", RELU, [None] * 4)
    command = ["upscale", photo, tmp_path / "large.png", "-m", model, "-s", 2]
    code, _, err = run(*command)
    assert code == 2
    assert len(err.splitlines()) == 1
    layout = re.search(r"\((--layout)\) (NCHW)", err)
    code, _, err = run(*command, *layout.groups())
    assert code == 2
    enlarge = re.search(r"\((--enlarge)\) '(before)'", err)
    code, out, err = run(*command, *layout.groups(), *enlarge.groups())
    assert code == 0, err
    assert "100 x 80" in out


def test_memory_that_does_not_suffice_for_the_whole(run, tmp_path, photo):
    model = write(tmp_path / "net.onnx", EVERYWHERE, [1, 3, "h", "w"], TWO)
    command = ["upscale", photo, tmp_path / "large.png", "-m", model, "--max-memory", "400K"]
    code, _, err = run(*command)
    assert code == 2
    option = re.search(r"\((--overlap)\), such as", err)
    code, _, err = run(*command, option.group(1), 2)
    assert code == 0, err


def test_options_that_are_not_accepted(run, tmp_path, photo):
    for option in ("--layout", "--value-range", "--enlarge", "--overlap"):
        code, _, _ = run("upscale", photo, tmp_path / "large.png", option, "-7")
        assert code == 2


def convolution(path, weight, dims=(1, 3, "h", "w")):
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1] * 4),
        helper.make_node("DepthToSpace", ["c"], ["y"], blocksize=2),
    ]
    return write(path, nodes, list(dims), () if weight is None else [("w", weight)])


def expanded(path, kind, side):
    """A few bytes that ask for terabytes."""
    nodes = {
        "Expand": [helper.make_node("Expand", ["x", "s"], ["y"])],
        "ConstantOfShape": [
            helper.make_node("ConstantOfShape", ["s"], ["k"]),
            helper.make_node("Add", ["x", "k"], ["y"]),
        ],
    }[kind]
    return write(path, nodes, [1, 3, "h", "w"], [("s", np.array([1, 3, side, side]))])


BAD = {
    "NaN weights": (
        lambda path: convolution(path, np.full((12, 3, 3, 3), np.nan, np.float32)),
        "makes NaN or infinity of a picture without them",
    ),
    "NaN weights, one size": (
        lambda path: convolution(path, np.full((12, 3, 3, 3), np.nan, np.float32), (1, 3, 16, 16)),
        "makes NaN or infinity of a picture without them",
    ),
    "weights of another shape": (
        lambda path: convolution(path, np.zeros((12, 5, 3, 3), np.float32)),
        "does not run",
    ),
    "missing weights": (lambda path: convolution(path, None), "does not open it"),
    "huge result": (lambda path: expanded(path, "Expand", 1 << 20), "does not run"),
    "huge constant": (lambda path: expanded(path, "ConstantOfShape", 1 << 18), "does not run"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_in_a_line(run, tmp_path, photo, name):
    make, part = BAD[name]
    model = make(tmp_path / "net.onnx")
    memory.forget_peak()
    before = memory.peak_mebibytes()
    with pytest.raises(ModelError, match=part) as caught:
        sr_ops.upscale_image(imaging.read_image(photo), 2, model=model)
    assert "\n" not in str(caught.value)
    code, out, err = run("upscale", photo, tmp_path / "large.png", "-m", model, "-s", 2)
    assert (code, out) == (2, "")
    assert part in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "large.png").exists()
    assert memory.peak_mebibytes() - before < 512
