"""``rounding="pillow"`` in files: the library, the function on stock runtimes, the exporters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

import sr_ops
from sr_ops.errors import ModelError

Picture = np.ndarray[Any, Any]


def picture(rng: np.random.Generator, *shape: int) -> Picture:
    if rng.random() < 0.5:
        return (rng.integers(0, 2, shape) * 255).astype(np.uint8)
    return rng.integers(0, 256, shape, np.uint8)


def expected(x: Picture, **target: Any) -> Picture:
    return sr_ops.numpy.dynamic_upscale(x, **target, rounding="pillow")


def model_of(op: str, dtype: int = TensorProto.UINT8, **attributes: Any) -> onnx.ModelProto:
    extent, kind = (
        ("scales", TensorProto.FLOAT) if op == "DynamicUpscale" else ("sizes", TensorProto.INT64)
    )
    attributes = {"rounding": "pillow", **attributes}
    node = helper.make_node(op, ["X", extent], ["Y"], domain="sr_ops", **attributes)
    graph = helper.make_graph(
        [node],
        "upscale",
        [
            helper.make_tensor_value_info("X", dtype, ["N", "C", "H", "W"]),
            helper.make_tensor_value_info(extent, kind, [4]),
        ],
        [helper.make_tensor_value_info("Y", dtype, ["N", "C", "h", "w"])],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("sr_ops", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def session(model: onnx.ModelProto, with_library: bool) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if with_library:
        options.register_custom_ops_library(sr_ops.get_library_path())
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def feeds(rng: np.random.Generator, op: str) -> tuple[dict[str, Any], Picture]:
    """Inputs, and what shall come out."""
    height, width, out_h, out_w = (int(v) for v in np.exp(rng.uniform(0, np.log(90), 4)))
    x = picture(rng, 1, 3, height, width)
    if op == "DynamicUpscaleToSizes":
        sizes = np.array([1, 3, out_h, out_w], np.int64)
        return {"X": x, "sizes": sizes}, expected(x, size=(out_h, out_w))
    scales = np.array([1, 1, (out_h + 0.3) / height, (out_w + 0.3) / width], np.float32)
    return {"X": x, "scales": scales}, expected(x, scale=scales.tolist())


@pytest.mark.parametrize("op", ["DynamicUpscale", "DynamicUpscaleToSizes"])
def test_every_way_to_run_a_file_gives_the_same_bytes(op: str) -> None:
    model = sr_ops.onnx.add_functions(model_of(op))
    onnx.checker.check_model(model, full_check=True)
    standard = sr_ops.onnx.standardize(model, op="MatMul")
    library, function = session(model, True), session(model, False)
    products = session(standard, False)
    evaluator = ReferenceEvaluator(model_of(op), new_ops=sr_ops.onnx.reference_ops())
    rng = np.random.default_rng(40)
    for _ in range(40):
        fed, y = feeds(rng, op)
        for way in (library, function, products, evaluator):
            np.testing.assert_array_equal(way.run(None, fed)[0], y, err_msg=str(fed["X"].shape))


def test_the_products_are_known_again() -> None:
    standard = sr_ops.onnx.standardize(model_of("DynamicUpscale"), op="MatMul")
    (node,) = [n for n in sr_ops.onnx.accelerate(standard).graph.node if n.domain == "sr_ops"]
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    assert attributes["rounding"] == b"pillow"


def test_files_without_the_attribute_are_as_before() -> None:
    model = model_of("DynamicUpscale")
    del model.graph.node[0].attribute[:]
    model = sr_ops.onnx.add_functions(model)
    names = [a.name for a in model.graph.node[0].attribute]
    assert "rounding" not in names and "rounding" not in model.functions[0].attribute
    x = picture(np.random.default_rng(41), 1, 3, 20, 21)
    scales = np.array([1, 1, 0.7, 2], np.float32)
    (y,) = session(model, True).run(None, {"X": x, "scales": scales})
    np.testing.assert_array_equal(y, sr_ops.numpy.dynamic_upscale(x, (0.7, 2)))


def test_it_may_stand_beside_another_rounding() -> None:
    """One function cannot serve both: the one with Pillow's becomes matrix products."""
    model = model_of("DynamicUpscaleToSizes")
    model.graph.node.append(
        helper.make_node("DynamicUpscaleToSizes", ["X", "sizes"], ["Z"], domain="sr_ops")
    )
    model.graph.output.append(
        helper.make_tensor_value_info("Z", TensorProto.UINT8, ["N", "C", "h2", "w2"])
    )
    model = sr_ops.onnx.add_functions(model)
    rng = np.random.default_rng(42)
    fed, y = feeds(rng, "DynamicUpscaleToSizes")
    for with_library in (True, False):
        results = session(model, with_library).run(None, fed)
        np.testing.assert_array_equal(results[0], y)
    exact = sr_ops.numpy.dynamic_upscale(fed["X"], size=fed["sizes"][2:].tolist())
    assert np.abs(results[1].astype(int) - exact).max() <= 1


class Shrink(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return sr_ops.dynamic_upscale(x, size=(24, 20), rounding="pillow")


@pytest.mark.parametrize("exporter", ["dynamo", "torchscript"])
@pytest.mark.parametrize("module", [Shrink(), sr_ops.DynamicUpscale(0.6, rounding="pillow")])
def test_exporters_write_it(exporter: str, module: torch.nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    rng = np.random.default_rng(43)
    x = picture(rng, 1, 3, 40, 50)
    sr_ops.onnx.export(module, (torch.from_numpy(x),), path, exporter=exporter, input_names=["x"])
    model = onnx.load(path)
    for shape in ((1, 3, 40, 50), (2, 3, 61, 33)):
        x = picture(rng, *shape)
        y = module(torch.from_numpy(x)).numpy()
        for with_library in (True, False):
            name = model.graph.input[0].name
            (got,) = session(model, with_library).run(None, {name: x})
            np.testing.assert_array_equal(got, y)


def test_resize_cannot_say_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="rounding: got 'pillow', which Resize cannot express"):
        sr_ops.onnx.standardize(model_of("DynamicUpscale"))
    x = torch.zeros(1, 3, 40, 50, dtype=torch.uint8)
    with pytest.raises(Exception, match="which Resize cannot express"):
        sr_ops.onnx.export(Shrink(), (x,), tmp_path / "model.onnx", op="Resize")


def test_tensorrt_is_refused() -> None:
    with pytest.raises(ModelError, match="Pillow's rounding"):
        sr_ops.onnx.for_tensorrt(model_of("DynamicUpscaleToSizes"))


@pytest.mark.parametrize(
    ("attributes", "dtype", "message"),
    [
        ({"rounding": "up"}, TensorProto.UINT8, "rounding: got 'up'"),
        ({"rounding": 1}, TensorProto.UINT8, "rounding: got an attribute of type int"),
        ({}, TensorProto.FLOAT, "takes uint8"),
        ({"cubic_coeff_a": -1.0}, TensorProto.UINT8, "cubic_coeff_a"),
        ({"coordinate_transformation_mode": "asymmetric"}, TensorProto.UINT8, "half_pixel"),
    ],
)
def test_a_bad_node_is_refused_when_it_is_loaded(
    attributes: dict[str, Any], dtype: int, message: str
) -> None:
    with pytest.raises(Exception, match=message):
        session(model_of("DynamicUpscale", dtype, **attributes), with_library=True)
