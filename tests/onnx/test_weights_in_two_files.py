"""A model above protobuf's 2 GiB: its weights go into a file beside it. Here the limit is moved."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import sr_ops
from sr_ops.errors import ModelError
from sr_ops.onnx.graphs import model_files


def network():
    """A convolution of 36 kB, a bias below what is moved, a name, a property, an input."""
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((100, 10, 3, 3)).astype(np.float32)
    bias = rng.standard_normal(100).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["x", "weight", "bias"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("DynamicUpscale", ["a", "scale"], ["y"], domain="sr_ops"),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "network",
        [value("x", 1, [1, 10, "h", "w"]), value("scale", 1, [2])],
        [value("y", 1, [1, 100, None, None])],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("sr_ops", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    helper.set_model_props(model, {"made by": "a test"})
    return model


def test_the_model_read_back_is_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(model_files, "_ONE_FILE", 10_000)
    model = network()
    before = model.SerializeToString()
    model_files.save_model(model, tmp_path / "model.onnx")
    assert model.SerializeToString() == before  # what is written keeps its weights
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.onnx", "model.onnx.data"]
    head = onnx.load(tmp_path / "model.onnx", load_external_data=False)
    moved = {tensor.name: tensor.data_location for tensor in head.graph.initializer}
    assert moved == {"weight": onnx.TensorProto.EXTERNAL, "bias": onnx.TensorProto.DEFAULT}
    read = model_files.load_model(tmp_path / "model.onnx")
    assert len(read.graph.initializer) == 2
    for tensor, original in zip(read.graph.initializer, model.graph.initializer, strict=True):
        np.testing.assert_array_equal(
            numpy_helper.to_array(tensor), numpy_helper.to_array(original)
        )
    for tensor in (*read.graph.initializer, *model.graph.initializer):
        tensor.ClearField("raw_data")
        tensor.ClearField("data_location")
    assert read.SerializeToString() == model.SerializeToString()


def test_sessions_find_the_second_file(tmp_path, monkeypatch):
    monkeypatch.setattr(model_files, "_ONE_FILE", 10_000)
    model_files.save_model(network(), tmp_path / "model.onnx")
    feeds = {
        "x": np.random.default_rng(1).random((1, 10, 5, 6), np.float32),
        "scale": np.array([2, 1.5], np.float32),
    }
    want = sr_ops.onnx.make_session(network()).run(None, feeds)[0]
    got = sr_ops.onnx.make_session(tmp_path / "model.onnx").run(None, feeds)[0]
    np.testing.assert_array_equal(got, want)


def test_a_second_file_that_is_cut_short_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(model_files, "_ONE_FILE", 10_000)
    model_files.save_model(network(), tmp_path / "model.onnx")
    data = tmp_path / "model.onnx.data"
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(ModelError, match=r"'weight'.*model\.onnx\.data"):
        model_files.load_model(tmp_path / "model.onnx")
