"""sr-ops accelerate, standardize, make-dynamic and inspect."""

from __future__ import annotations

import json
import os
from xml.etree import ElementTree

import numpy as np
import onnx
import pytest

import sr_ops

TEXT = """<ir_version: 8, opset_import: ["": 18]>
graph (float[1,3,8,9] x) => (float[1,3,16,18] y) <float[4] two = {1, 1, 2, 2}> {
    [up] y = Resize<mode = "cubic"> (x, , two)
}"""


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.onnx"
    onnx.save(onnx.parser.parse_model(TEXT), path)
    return path


def operators(path):
    onnx.checker.check_model(str(path), full_check=True)
    return [node.op_type for node in onnx.load(path).graph.node]


def test_there_and_back(run, model, tmp_path):
    fast, back = tmp_path / "fast.onnx", tmp_path / "back.onnx"
    code, out, err = run("accelerate", model, fast, "--verify")
    assert (code, err) == (0, "")
    assert "converted Resize 'up' in graph to DynamicUpscale" in out
    assert "1 converted, 0 left" in out
    assert operators(fast) == ["DynamicUpscale"]
    assert run("standardize", fast, back)[0] == 0
    assert operators(back) == ["Resize"]


def test_make_dynamic(run, model, tmp_path):
    opened = tmp_path / "opened.onnx"
    arguments = ("--scale-name", "factor", "--node", "up")
    code, out, err = run("make-dynamic", model, opened, *arguments)
    assert (code, err) == (0, "")
    assert "to input 'factor'" in out
    assert [value.name for value in onnx.load(opened).graph.input] == ["x", "factor"]


def test_inspect(run, model, tmp_path):
    picture = tmp_path / "graph.svg"
    code, out, err = run("inspect", model, "--svg", picture)
    assert (code, err) == (0, "")
    assert "x: float32 (1, 3, 8, 9)" in out
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")
    code, out, err = run("inspect", model, "--json")
    assert json.loads(out)["resize_nodes"][0]["extent"] == "scales [1, 1, 2, 2]"


def test_the_input_is_overwritten_only_when_told(run, model):
    before = model.read_bytes()
    code, out, err = run("accelerate", model, model)
    assert (code, out) == (2, "")
    assert "is the input itself" in err
    assert model.read_bytes() == before
    assert run("accelerate", model, model, "--overwrite")[0] == 0
    assert operators(model) == ["DynamicUpscale"]


@pytest.mark.parametrize(
    ("command", "content", "part"),
    [
        ("accelerate", b"nothing of the kind", "is not an ONNX model"),
        ("accelerate", TEXT.replace("cubic", "linear"), "no Resize with mode 'cubic'"),
        ("standardize", TEXT, "no node of the domain 'sr_ops'"),
        ("accelerate", TEXT.replace('["": 18]', '["": 999]'), "opset 999 is newer than onnx"),
    ],
    ids=["bytes", "linear", "not ours", "unknown opset"],
)  # fmt: skip
def test_bad_models_leave_nothing_behind(run, tmp_path, command, content, part):
    source = tmp_path / "bad.onnx"
    if isinstance(content, str):
        content = onnx.parser.parse_model(content).SerializeToString()
    source.write_bytes(content)
    code, out, err = run(command, source, tmp_path / "out.onnx")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert part in err
    assert os.listdir(tmp_path) == ["bad.onnx"]


def test_bad_paths(run, model, tmp_path):
    assert "cannot read" in run("accelerate", tmp_path / "none.onnx", tmp_path / "out.onnx")[2]
    assert "does not exist" in run("accelerate", model, tmp_path / "none" / "out.onnx")[2]
    assert (
        "no resampling node is called ['down']"
        in (run("make-dynamic", model, tmp_path / "out.onnx", "--node", "down")[2])
    )
    assert os.listdir(tmp_path) == ["model.onnx"]


def test_weights_in_another_file(run, model, tmp_path):
    proto = onnx.load(model)
    path = tmp_path / "split" / "model.onnx"
    path.parent.mkdir()
    onnx.save(proto, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    out = tmp_path / "fast.onnx"
    assert run("accelerate", path, out, "--verify")[0] == 0
    assert operators(out) == ["DynamicUpscale"]


@pytest.mark.long
def test_more_than_two_gibibytes_of_weights(run, tmp_path):
    """Protocol buffers end there: such weights only come, and only go, beside their model."""
    rows, columns, count = 128, 2**20, 18  # 2.25 GiB
    path, out = tmp_path / "large.onnx", tmp_path / "fast.onnx"
    proto = onnx.parser.parse_model(
        """<ir_version: 8, opset_import: ["": 18]>
        graph (float[1, 1, h, w] x, int64[1] row) => (float[1, 1, a, b] y, uint8[1, c] last)
        <float[4] s = {1, 1, 2, 3}>
        { y = Resize<mode = "cubic">(x, , s) last = Gather(w17, row) }"""
    )
    size = rows * columns
    for i in range(count):
        weight = proto.graph.initializer.add(
            name=f"w{i}", data_type=onnx.TensorProto.UINT8, dims=[rows, columns]
        )
        weight.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", "large.bin"), ("offset", i * size), ("length", size)):
            weight.external_data.add(key=key, value=str(value))
    path.write_bytes(proto.SerializeToString())
    with open(tmp_path / "large.bin", "wb") as file:  # holes but for the last row
        file.seek(count * size - columns)
        file.write(bytes(range(256)) * (columns // 256))
    assert run("accelerate", path, out)[0] == 0
    assert operators(out) == ["DynamicUpscale", "Gather"]
    (tmp_path / "large.bin").unlink()
    session = sr_ops.onnx.make_session(out)
    x = np.ones((1, 1, 4, 5), np.float32)
    y, last = session.run(None, {"x": x, "row": np.array([rows - 1])})
    assert y.shape == (1, 1, 8, 15)
    np.testing.assert_array_equal(last[0, -256:], np.arange(256))
