"""Looking into models: text, JSON, picture, parts, inner values."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import memory
import numpy as np
import onnx
import pytest
from runtime import run, run_profiled

import sr_ops
from sr_ops.errors import (
    FileError,
    InvalidArgumentError,
    InvalidTypeError,
    MissingDependencyError,
    ModelError,
)

TEXT = """<ir_version: 8, opset_import: ["": 18, "custom": 1]>
graph (float[n,3,h,w] x, float[2] scale = {3, 3}, bool big) => (float[n,3,a,b] y)
<float[2] ones = {1, 1}, float[4] half = {1, 1, 0.5, 0.5}> {
    s = Concat<axis = 0> (ones, scale)
    [up] u = Resize<mode = "cubic", cubic_coeff_a = -0.5> (x, , s)
    r = Relu (u)
    y = If (big) <
        then_branch = one () => (float[n,3,c,d] p) { p = Resize<mode = "linear"> (r, , half) },
        else_branch = two () => (float[n,3,e,f] q) { q = custom.Block (r) }
    >
}
<domain: "custom", opset_import: ["": 18]>
Block (v) => (t) { t = Neg (v) }
"""


@pytest.fixture
def model():
    result = onnx.parser.parse_model(TEXT.replace("float[2] scale = {3, 3}", "float[2] scale"))
    result.graph.initializer.append(onnx.helper.make_tensor("scale", 1, [2], [3, 3]))
    onnx.checker.check_model(result, full_check=True)
    return result


def test_what_it_tells(model):
    inspection = sr_ops.onnx.inspect(model)
    assert [str(value) for value in inspection.inputs] == [
        "x: float32 (n, 3, h, w)",
        "scale: float32 (2) = [3.0, 3.0]",
        "big: bool ()",
    ]
    assert inspection.dynamic_dimensions == ["n", "h", "w", "a", "b"]
    assert inspection.domains == {"custom": 1}
    assert inspection.functions == ["custom::Block"]
    assert inspection.operators["Resize"] == 2
    first, second = inspection.resize_nodes
    assert (first.node, first.dtype, first.extent, first.path) == (
        "up",
        "float32",
        "scales from input 'scale'",
        "runtime",
    )
    assert first.attributes["cubic_coeff_a"] == -0.5
    assert second.graph == "graph/If:then_branch"
    assert second.extent == "scales [1, 1, 0.5, 0.5]"
    assert second.attributes["mode"] == "linear"


def test_our_nodes_run_in_the_library(model):
    node, *_ = sr_ops.onnx.inspect(sr_ops.onnx.accelerate(model)).resize_nodes
    assert (node.op_type, node.path) == ("DynamicUpscale", "library")


def test_text_and_json(model):
    inspection = sr_ops.onnx.inspect(model)
    text = str(inspection)
    for part in ("x: float32 (n, 3, h, w)", "Resize 'up' in graph", "custom::Block"):
        assert part in text
    content = json.loads(json.dumps(inspection.as_dict()))
    assert content["resize_nodes"][0]["extent"] == "scales from input 'scale'"
    assert content["inputs"][0]["dims"] == ["n", 3, "h", "w"]


def test_picture(model):
    model.graph.node[-1].name = '<"If" & such>'  # text, whatever it contains
    document = ElementTree.fromstring(sr_ops.onnx.inspect(sr_ops.onnx.accelerate(model)).svg())
    namespace = "{http://www.w3.org/2000/svg}"
    by_class = {}
    for group in document.iter(f"{namespace}g"):
        texts = [text.text for text in group.findall(f".//{namespace}text")]
        by_class.setdefault(group.get("class"), []).append(texts)
    assert by_class["node ours"] == [["DynamicUpscale"]]
    assert ["Relu"] in by_class["node"] and ["If"] in by_class["node"]
    assert ["x"] in by_class["node value"] and ["y"] in by_class["node value"]
    assert ["n x 3 x h x w"] in by_class["edge"]
    assert ["Resize"] in by_class["node resize"]  # in the branch of If
    assert "then_branch" in by_class["cluster"][0]
    titles = [link.get("{http://www.w3.org/1999/xlink}title") for link in document.iter()]
    assert '<"If" & such>' in titles


def test_picture_without_graphviz(model, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDependencyError, match=r"Graphviz.*apt-get install graphviz"):
        sr_ops.onnx.inspect(model).svg()


def test_weights_in_other_files_are_not_needed(model, tmp_path):
    path = tmp_path / "model.onnx"
    model.graph.initializer.append(
        onnx.numpy_helper.from_array(np.zeros((100, 100), np.float32), "w")
    )
    onnx.save(model, path, save_as_external_data=True, location="w.bin", size_threshold=1000)
    (tmp_path / "w.bin").unlink()
    assert sr_ops.onnx.inspect(path).operators["Relu"] == 1


def test_bad_models(tmp_path):
    with pytest.raises(FileError, match="cannot read"):
        sr_ops.onnx.inspect(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ModelError, match="not an ONNX model"):
        sr_ops.onnx.inspect(tmp_path / "text.onnx")
    unknown = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 999]> graph (float[n] x) => (float[n] y) '
        "{ y = Relu(x) }"
    )
    with pytest.raises(ModelError, match="opset 999 is newer than onnx"):
        sr_ops.onnx.inspect(unknown)


class TestParts:
    def test_extract(self, model, rng):
        part = sr_ops.onnx.extract(sr_ops.onnx.accelerate(model), ["x", "s"], ["r"])
        onnx.checker.check_model(part, full_check=True)
        assert [node.op_type for node in part.graph.node] == ["DynamicUpscale", "Relu"]
        assert [f.name for f in part.functions] == ["DynamicUpscale"]
        x = rng.standard_normal((1, 3, 5, 6), dtype=np.float32)
        feeds = {"x": x, "s": np.array([1, 1, 2, 3], np.float32)}
        (y,), executed = run_profiled(part, feeds, library=True)
        assert y.shape == (1, 3, 10, 18)
        assert "DynamicUpscale" in executed

    def test_extract_what_inner_graphs_read(self, model, rng):
        part = sr_ops.onnx.extract(model, ["u", "big"], ["y"])
        onnx.checker.check_model(part, full_check=True)
        assert [node.op_type for node in part.graph.node] == ["Relu", "If"]
        assert [f.name for f in part.functions] == ["Block"]
        u = rng.standard_normal((1, 3, 4, 6), dtype=np.float32)
        y = run(part, {"u": u, "big": np.array(False)})[0]
        np.testing.assert_array_equal(y, -np.maximum(u, 0))

    def test_expose(self, model, rng):
        shown = sr_ops.onnx.expose(model, ["u", "r"])
        onnx.checker.check_model(shown, full_check=True)
        assert [value.name for value in shown.graph.output] == ["y", "u", "r"]
        x = rng.standard_normal((1, 3, 5, 6), dtype=np.float32)
        _, u, r = run(shown, {"x": x, "big": np.array(False)})
        np.testing.assert_array_equal(np.maximum(u, 0), r)
        assert [value.name for value in model.graph.output] == ["y"]

    def test_bad_names(self, model):
        with pytest.raises(InvalidArgumentError, match=r"outputs: .* no value called"):
            sr_ops.onnx.extract(model, ["x"], ["z"])
        with pytest.raises(InvalidArgumentError, match="inputs: the outputs also need 'big'"):
            sr_ops.onnx.extract(model, ["x"], ["y"])
        with pytest.raises(InvalidArgumentError, match="names: the model has no value called 'z'"):
            sr_ops.onnx.expose(model, ["z"])
        with pytest.raises(InvalidTypeError, match="inputs: got 'x', expected a list"):
            sr_ops.onnx.extract(model, "x", ["r"])


def test_long_vectors_cost_nothing():
    # Shape inference would follow ten million elements one by one: minutes and gigabytes.
    model = onnx.parser.parse_model(
        """<ir_version: 8, opset_import: ["": 18]>
        graph (int64[1] i) => (uint8[1] y) { y = Gather(w, i) }"""
    )
    vector = np.zeros(10**7, np.uint8)
    model.graph.initializer.append(onnx.numpy_helper.from_array(vector, "w"))
    memory.forget_peak()
    before = memory.peak_mebibytes()
    assert sr_ops.onnx.inspect(model).operators["Gather"] == 1
    assert memory.peak_mebibytes() - before < 200
