"""sr_ops.onnx.for_tensorrt: what TensorRT's plugins need to find in a model."""

from __future__ import annotations

import onnx
import pytest
import torch
from onnx import helper

import sr_ops
from sr_ops.errors import ModelError


class _Enlarger(torch.nn.Module):
    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return sr_ops.dynamic_upscale(x, self.scale)


class _Fitter(torch.nn.Module):
    def forward(self, x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        return sr_ops.dynamic_upscale(x, size=like.shape[2:])


def _attributes(model: onnx.ModelProto) -> dict[str, object]:
    (node,) = [node for node in model.graph.node if node.domain == "sr_ops"]
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


@pytest.mark.parametrize("exporter", ["dynamo", "torchscript"])
def test_exported_scales_become_an_attribute(exporter: str) -> None:
    x = torch.rand(1, 3, 8, 9)
    model = sr_ops.onnx.export(_Enlarger(2.7), (x,), None, exporter=exporter)
    before = model.SerializeToString()
    made = sr_ops.onnx.for_tensorrt(model)
    assert model.SerializeToString() == before
    assert _attributes(made)["scales"] == pytest.approx([1, 1, 2.7, 2.7], abs=1e-7)
    assert not made.functions


def test_exported_sizes_are_a_shape_tensor() -> None:
    inputs = (torch.rand(1, 3, 8, 9), torch.rand(1, 3, 20, 21))
    made = sr_ops.onnx.for_tensorrt(sr_ops.onnx.export(_Fitter(), inputs, None))
    assert _attributes(made)["tensorrt_plugin_shape_input_indices"] == [1]
    assert not made.functions


def test_a_scale_that_is_an_input_is_refused() -> None:
    text = """
    <ir_version: 8, opset_import: ["": 18, "sr_ops": 1]>
    graph (float[N,3,H,W] X, float[4] scales) => (float[N,3,h,w] Y)
    { Y = sr_ops.DynamicUpscale(X, scales) }
    """
    with pytest.raises(ModelError, match=r"'scales', are no constant.*size="):
        sr_ops.onnx.for_tensorrt(onnx.parser.parse_model(text))


def test_a_model_without_the_operators_is_refused() -> None:
    text = """
    <ir_version: 8, opset_import: ["": 18]>
    graph (float[N] X) => (float[N] Y) { Y = Relu(X) }
    """
    with pytest.raises(ModelError, match="has no node of the domain 'sr_ops'"):
        sr_ops.onnx.for_tensorrt(onnx.parser.parse_model(text))
