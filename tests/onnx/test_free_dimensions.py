"""Batch, height and width of any model become dynamic where nothing fixes them."""

from __future__ import annotations

import io
import warnings

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

import sr_ops
from sr_ops.errors import ModelError


def run(model, feeds):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, feeds)[0]


def input_dims(model):
    return [
        [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in model.graph.input
    ]


def fixed(nodes, height=8, width=8, channels=4, out=None, **arrays):
    """A model of one size; weights come as keywords."""
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "fixed",
        [info("x", TensorProto.FLOAT, [1, channels, height, width])],
        [info("y", TensorProto.FLOAT, out)],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)


def test_convolutions_alone(rng):
    weight = rng.random((4, 4, 3, 3), dtype=np.float32)
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])
    model, report = sr_ops.onnx.make_dynamic(
        fixed([node], out=[1, 4, 8, 8], w=weight), return_report=True
    )
    assert input_dims(model) == [["batch", 4, "height", "width"]]
    assert not report.left
    x = rng.random((2, 4, 11, 13), dtype=np.float32)
    assert run(model, {"x": x}).shape == (2, 4, 11, 13)


def test_pixel_shuffle_of_constants(rng):
    nodes = [
        helper.make_node("Reshape", ["x", "inner"], ["a"]),
        helper.make_node("Transpose", ["a"], ["b"], perm=[0, 1, 4, 2, 5, 3]),
        helper.make_node("Reshape", ["b", "outer"], ["y"]),
    ]
    original = fixed(
        nodes,
        inner=np.array([1, 1, 2, 2, 8, 8]), outer=np.array([1, 1, 16, 16]),
    )  # fmt: skip
    model = sr_ops.onnx.make_dynamic(original)
    assert [node.op_type for node in model.graph.node] == ["DepthToSpace"]
    assert not model.graph.initializer
    x = rng.random((1, 4, 8, 8), dtype=np.float32)
    np.testing.assert_array_equal(run(model, {"x": x}), run(original, {"x": x}))
    x = rng.random((3, 4, 5, 7), dtype=np.float32)
    want = nn.functional.pixel_shuffle(torch.from_numpy(x), 2).numpy()
    np.testing.assert_array_equal(run(model, {"x": x}), want)


def test_a_reshape_that_copies_extents(rng):
    """(n, c, h, w) -> (n, c, h w), as attention and norms write it."""
    nodes = [
        helper.make_node("Reshape", ["x", "s"], ["a"]),
        helper.make_node("Softmax", ["a"], ["y"], axis=2),
    ]
    model = sr_ops.onnx.make_dynamic(fixed(nodes, s=np.array([1, 4, 64])))
    x = rng.random((2, 4, 5, 6), dtype=np.float32)
    assert run(model, {"x": x}).shape == (2, 4, 30)


def test_what_stands_in_the_way_is_named():
    """A constant of the picture's size fixes it; the batch is free."""
    node = helper.make_node("Add", ["x", "position"], ["y"], name="embed")
    position = np.zeros((1, 4, 8, 8), np.float32)
    model, report = sr_ops.onnx.make_dynamic(fixed([node], position=position), return_report=True)
    assert input_dims(model) == [["batch", 4, 8, 8]]
    assert len(report.left) == 1
    assert report.left[0].op_type == "Add"
    assert "height and width" in report.left[0].reason


def test_a_reshape_that_cannot_be_opened():
    nodes = [
        helper.make_node("Reshape", ["x", "flat"], ["a"]),
        helper.make_node("Reshape", ["a", "square"], ["y"], name="square"),
    ]
    original = fixed(nodes, flat=np.array([256]), square=np.array([2, 2, 8, 8]))
    with pytest.raises(ModelError, match=r"Reshape 'square'.*\[2, 2, 8, 8\] fixes"):
        sr_ops.onnx.make_dynamic(original)


def test_a_crop_of_the_traced_size_is_found():
    node = helper.make_node("Slice", ["x", "zero", "end", "axis"], ["y"], name="crop")
    original = fixed([node], zero=np.array([0]), end=np.array([8]), axis=np.array([2]))
    model, report = sr_ops.onnx.make_dynamic(original, return_report=True)
    assert input_dims(model) == [["batch", 4, 8, 8]]
    assert "'crop'" in str(report)


@pytest.mark.parametrize("elements", [1, 2, 4])
def test_the_deployment_tutorials_file(elements, tmp_path, rng):
    """Opset 11, a factor of 1, 2 or 4 values, Resize with pytorch_half_pixel, one size."""
    info, node = helper.make_tensor_value_info, helper.make_node
    weight = rng.random((1, 1, 3, 3), dtype=np.float32) / 9
    ones = np.ones({1: 2, 2: 2, 4: 0}[elements], np.float32)
    factors = {1: ["ones", "factor", "factor"], 2: ["ones", "factor"], 4: ["factor"]}[elements]
    nodes = [
        node("Concat", factors, ["scales"], axis=0),
        node(
            "Resize", ["x", "roi", "scales"], ["up"], mode="cubic",
            coordinate_transformation_mode="pytorch_half_pixel",
        ),
        node("Conv", ["up", "w"], ["y"], pads=[1, 1, 1, 1]),
    ]  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "tutorial",
        [
            info("x", TensorProto.FLOAT, [1, 1, 64, 64]),
            info("factor", TensorProto.FLOAT, [elements]),
        ],
        [info("y", TensorProto.FLOAT, [1, 1, 192, 192])],
        [
            numpy_helper.from_array(array, name)
            for name, array in {"w": weight, "ones": ones, "roi": np.zeros(0, np.float32)}.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    opened = sr_ops.onnx.make_dynamic(model)
    assert input_dims(opened)[0] == ["batch", 1, "height", "width"]
    gray = (rng.random((40, 50)) * 255).astype(np.uint8)
    onnx.save(opened, tmp_path / "opened.onnx")
    upscaled = sr_ops.upscale_image(gray, 2.7, model=tmp_path / "opened.onnx")
    assert upscaled.shape == (108, 135)


def test_a_real_export_of_a_sub_pixel_network(rng):
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.PixelShuffle(2)).eval()
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        example = (torch.rand(1, 1, 16, 16),)
        torch.onnx.export(network, example, file, dynamo=False, opset_version=11)
    model = sr_ops.onnx.make_dynamic(onnx.load_from_string(file.getvalue()))
    x = rng.random((2, 1, 9, 13), dtype=np.float32)
    y = run(model, {model.graph.input[0].name: x})
    np.testing.assert_allclose(y, network(torch.from_numpy(x)).detach().numpy(), atol=1e-5)
