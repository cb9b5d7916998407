"""Files for one runtime: what it runs right is written, what it does not is refused."""

from __future__ import annotations

import pytest
import torch

import sr_ops
from sr_ops.errors import ExportError, InvalidArgumentError

# One process makes what the tests of exporters share.
pytestmark = pytest.mark.xdist_group("export")


@pytest.mark.parametrize(
    ("target", "op", "written"),
    [
        ("onnxruntime", None, "DynamicUpscale"),
        ("onnxruntime-web", "Resize", "Resize"),
        ("openvino", None, "MatMul"),
        ("tract", None, "MatMul"),
    ],
)
def test_a_file_for_one_runtime(target, op, written):
    model = sr_ops.onnx.export(
        sr_ops.DynamicUpscale(scale=2.0),
        (torch.rand(1, 3, 8, 9),),
        op=op,
        target=target,
        exporter="torchscript",
        verify=False,
    )
    found = {node.op_type for node in model.graph.node}
    assert found & {"DynamicUpscale", "Resize", "MatMul"} == {written}
    # tract, told a shape, stumbles over the names of its dimensions.
    assert bool(model.graph.value_info) == (target != "tract")


@pytest.mark.parametrize("exporter", ["dynamo", "torchscript"])
@pytest.mark.parametrize("op", [None, "Resize"])
def test_tract_takes_no_scale_as_an_input(op, exporter, monkeypatch):
    """Refused as soon as the graph is there: neither run nor captured again."""
    monkeypatch.setattr("sr_ops.onnx.exporting.ways.finished", None)
    with pytest.raises(ExportError, match=r"'tract', which refuses .* 'factor'; export a module"):
        sr_ops.onnx.export(
            sr_ops.DynamicUpscale(),
            (torch.rand(1, 3, 8, 9), 2.0),
            op=op,
            target="tract",
            exporter=exporter,
            input_names=["x", "factor"],
        )


@pytest.mark.parametrize(
    ("target", "op", "message"),
    [
        ("openvino", "DynamicUpscale", "OpenVINO does not use the functions .* use 'MatMul'"),
        ("openvino", "Resize", "OpenVINO ignores antialias"),
        ("tract", "DynamicUpscale", "tract does not use the functions"),
        ("tensorflow", None, "target: got 'tensorflow', expected None or one of onnxruntime"),
        (None, "Conv", "op: got 'Conv', expected one of DynamicUpscale, Resize, MatMul"),
    ],
)
def test_what_a_runtime_gets_wrong_is_refused(target, op, message):
    with pytest.raises(InvalidArgumentError, match=message):
        sr_ops.onnx.export(
            sr_ops.DynamicUpscale(), (torch.rand(1, 3, 8, 9), 2.0), op=op, target=target
        )
