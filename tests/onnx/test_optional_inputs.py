"""Inputs with a default value are inputs; weights that are written down as inputs are not."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

import sr_ops
from sr_ops import models


class _Thrice(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.network = models.load("srcnn")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network(x, 3.0)


def test_a_file_that_was_made_dynamic_obeys_the_scale(tmp_path, rng):
    """Its scale has a default value, and is an input nevertheless."""
    fixed = sr_ops.onnx.export(_Thrice(), (torch.rand(1, 1, 16, 16),), dynamic_axes={})
    path = tmp_path / "dynamic.onnx"
    onnx.save(sr_ops.onnx.make_dynamic(fixed), path)
    gray = (rng.random((40, 50)) * 255).astype(np.uint8)
    ours = sr_ops.upscale_image(gray, 2.0, model=path)
    bundled = sr_ops.upscale_image(gray, 2.0, model="srcnn")
    assert np.abs(ours.astype(int) - bundled).max() <= 1


def _old_file(ir_version: int, weights: int = 6) -> onnx.ModelProto:
    """Every initializer is an input, as exporters wrote until 2019."""
    info = helper.make_tensor_value_info
    arrays = {f"w{i}": np.ones((2, 2, 1, 1), np.float32) / 2 for i in range(weights)}
    arrays["scales"] = np.array([1, 1, 2, 2], np.float32)
    nodes = [
        helper.make_node("Conv", [f"v{i}" if i else "x", f"w{i}"], [f"v{i + 1}"])
        for i in range(weights)
    ]
    nodes.append(helper.make_node("Resize", [f"v{weights}", "roi", "scales"], ["y"], mode="cubic"))
    arrays["roi"] = np.zeros(0, np.float32)
    inputs = [info("x", TensorProto.FLOAT, [1, 2, "h", "w"])]
    inputs += [info(name, TensorProto.FLOAT, array.shape) for name, array in arrays.items()]
    graph = helper.make_graph(
        nodes, "old", inputs, [info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )  # fmt: skip
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=ir_version
    )


@pytest.mark.parametrize(("ir_version", "names"), [(3, ["x"]), (6, ["x", "scales"])])
def test_inspect_prints_no_weights(ir_version, names):
    inspection = sr_ops.onnx.inspect(_old_file(ir_version))
    assert [value.name for value in inspection.inputs] == names
    assert "w0" not in str(inspection).partition("outputs:")[0]


@pytest.mark.parametrize("ir_version", [3, 6])
def test_no_flood_of_warnings(ir_version, capfd, rng):
    session = sr_ops.onnx.make_session(sr_ops.onnx.accelerate(_old_file(ir_version)))
    session.run(None, {"x": rng.random((1, 2, 5, 6), dtype=np.float32)})
    printed = capfd.readouterr()
    assert "appears in graph inputs" not in printed.err + printed.out


def test_explain_names_the_scale():
    assert sr_ops.onnx.explain(_old_file(6)).scale_inputs == ("scales",)
    assert sr_ops.onnx.explain(sr_ops.onnx.make_dynamic(_old_file(3))).scale_inputs == ("scale",)


def test_inspect_shortens_long_constants():
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("Add", ["x", "d"], ["y"])], "g",
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, [64]) for n in "xd"],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [64])],
            [numpy_helper.from_array(np.arange(64, dtype=np.float32), "d")],
        ),
        opset_imports=[helper.make_opsetid("", 18)], ir_version=8,
    )  # fmt: skip
    text = str(sr_ops.onnx.inspect(model))
    assert "d: float32 (64)" in text
    assert "63" not in text
