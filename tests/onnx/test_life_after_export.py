"""Exported files through the tools that people run next, each once.

What a tool gives must run with the library and without, and give what the file gave.
"""

from __future__ import annotations

import logging

import numpy as np
import onnx
import onnxruntime
import onnxsim
import onnxslim
import pytest
import torch
from onnx import TensorProto
from onnxconverter_common import float16 as common_float16
from onnxruntime import quantization
from onnxruntime.transformers import float16 as runtime_float16

import sr_ops
from sr_ops.models import SRCNN

HALVES = [common_float16, runtime_float16]
X = np.random.default_rng(0).random((1, 3, 20, 24), np.float32)
#: Exact in float16, so that both precisions ask for one size.
FEEDS = {"x": X, "scale": np.array(2.75, np.float32)}


@pytest.fixture(scope="module")
def exported():
    torch.manual_seed(0)
    network = SRCNN(features=(8, 4))
    return sr_ops.onnx.export(network, (torch.rand(1, 3, 16, 16), 2.0), verify=False)


@pytest.fixture(scope="module")
def expected(exported):
    return sr_ops.onnx.make_session(exported).run(None, FEEDS)[0]


@pytest.fixture
def model(exported):
    """A copy: some tools change what they are given."""
    copy = onnx.ModelProto()
    copy.CopyFrom(exported)
    return copy


@pytest.fixture
def path(exported, tmp_path):
    onnx.save(exported, tmp_path / "model.onnx")
    return str(tmp_path / "model.onnx")


def quietly(session_or_options):
    session_or_options.log_severity_level = 4
    return session_or_options


def check(model, expected, *, atol, feeds=FEEDS, library=(True, False)):
    """It computes the same with the library and without."""
    for registered in library:
        options = quietly(onnxruntime.SessionOptions())
        if registered:
            options.register_custom_ops_library(sr_ops.get_library_path())
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        names = {value.name: value.type for value in session.get_inputs()}
        fed = {
            name: feeds[name].astype(np.float16) if kind == "tensor(float16)" else feeds[name]
            for name, kind in names.items()
        }
        (y,) = session.run(None, fed)
        assert y.shape == expected.shape
        np.testing.assert_allclose(y.astype(np.float32), expected, rtol=0, atol=atol)


@pytest.mark.parametrize("converter", HALVES, ids=lambda module: module.__name__)
@pytest.mark.parametrize("keep_io_types", [False, True])
def test_float16(converter, keep_io_types, model, expected):
    """Scales become float16, which the operator takes, and so does its function."""
    half = converter.convert_float_to_float16(model, keep_io_types=keep_io_types)
    assert [node.op_type for node in half.graph.node if node.domain] == ["DynamicUpscale"]
    check(half, expected, atol=2e-3)
    again = sr_ops.onnx.standardize(half, op="MatMul")
    assert not again.functions
    check(again, expected, atol=2e-3, library=[False])


def test_bfloat16(model, expected):
    """The one tool that writes it: for operators that are not to become float16."""
    half = runtime_float16.convert_float_to_float16(
        model,
        keep_io_types=True,
        op_block_list=["DynamicUpscale"],
        use_bfloat16_as_blocked_nodes_dtype=True,
    )
    (upscale,) = (node for node in half.graph.node if node.op_type == "DynamicUpscale")
    made = {node.output[0]: node for node in half.graph.node}
    casts = [made[name].attribute[0].i for name in upscale.input]
    assert casts == [TensorProto.BFLOAT16] * 2
    check(half, expected, atol=2e-3)


def test_float16_with_an_exact_scale(model):
    """2.7 is not a float16: 20 rows become 53. The names keep the scale's path in float32."""
    feeds = {**FEEDS, "scale": np.array(2.7, np.float32)}
    expected = sr_ops.onnx.make_session(model).run(None, feeds)[0]
    assert expected.shape[2] == 54
    names = sr_ops.onnx.scale_nodes(model)
    half = common_float16.convert_float_to_float16(model, keep_io_types=True, node_block_list=names)
    assert TensorProto.FLOAT16 in {tensor.data_type for tensor in half.graph.initializer}
    check(half, expected, atol=2e-3, feeds=feeds)


def test_scales_of_half_precision():
    """A scale in float16 or bfloat16 is the float32 of that value, for every image."""
    for image, scale in [
        (TensorProto.UINT8, TensorProto.FLOAT16),
        (TensorProto.FLOAT, TensorProto.BFLOAT16),
        (TensorProto.DOUBLE, TensorProto.FLOAT16),
    ]:
        nodes = [
            onnx.helper.make_node("Cast", ["scale"], ["s"], to=scale),
            onnx.helper.make_node("DynamicUpscale", ["x", "s"], ["y"], domain="sr_ops"),
        ]
        graph = onnx.helper.make_graph(
            nodes,
            "g",
            [
                onnx.helper.make_tensor_value_info("x", image, [5, 6]),
                onnx.helper.make_tensor_value_info("scale", TensorProto.FLOAT, [2]),
            ],
            [onnx.helper.make_tensor_value_info("y", image, ["h", "w"])],
        )
        model = onnx.helper.make_model(
            graph,
            ir_version=8,
            opset_imports=[onnx.helper.make_opsetid("", 18), onnx.helper.make_opsetid("sr_ops", 1)],
        )
        sr_ops.onnx.add_functions(model)
        x = np.arange(30).reshape(5, 6).astype(onnx.helper.tensor_dtype_to_np_dtype(image))
        scales = np.array([1.5, 2.25], np.float32)
        expected = sr_ops.numpy.dynamic_upscale(x, tuple(scales.tolist()), layout="HW")
        check(model, expected, atol=1e-4, feeds={"x": x, "scale": scales})
        with_names = sr_ops.onnx.standardize(model)
        check(with_names, expected, atol=1e-3, feeds={"x": x, "scale": scales}, library=[False])


def test_onnxslim(model, expected):
    slim = onnxslim.slim(model)
    assert slim.functions
    check(slim, expected, atol=1e-6)


def test_onnxsim(model, expected):
    simple, checked = onnxsim.simplify(model)
    assert checked and simple.functions
    check(simple, expected, atol=1e-6)


def test_quantize_dynamic(path, expected, tmp_path):
    logging.getLogger().setLevel(logging.ERROR)
    quantization.quantize_dynamic(path, tmp_path / "dynamic.onnx")
    result = onnx.load(tmp_path / "dynamic.onnx")
    assert "ConvInteger" in [node.op_type for node in result.graph.node]
    check(result, expected, atol=0.02)


class Calibration(quantization.CalibrationDataReader):
    """Three times the same picture."""

    def __init__(self):
        self.data = iter([FEEDS] * 3)

    def get_next(self):
        return next(self.data, None)


@pytest.mark.parametrize("form", list(quantization.QuantFormat), ids=str)
def test_quantize_static(form, path, expected, tmp_path):
    """The scale's path stays as it is, by its names; otherwise scales of 1 become 0.995."""
    target = tmp_path / "static.onnx"
    quantization.quantize_static(
        path,
        target,
        Calibration(),
        quant_format=form,
        nodes_to_exclude=sr_ops.onnx.scale_nodes(path),
    )
    result = onnx.load(target)
    kinds = [node.op_type for node in result.graph.node]
    assert "QuantizeLinear" in kinds
    check(result, expected, atol=0.02)
    # Another scale than the calibrated one.
    feeds = {**FEEDS, "scale": np.array(3.5, np.float32)}
    expected = sr_ops.onnx.make_session(path).run(None, feeds)[0]
    check(result, expected, atol=0.05, feeds=feeds)


def test_merge_models(model, expected):
    before = onnx.parser.parse_model(
        f'<ir_version: {model.ir_version}, opset_import: ["": 18]> graph '
        "(float[N,3,H,W] raw) => (float[N,3,H,W] pixels) { pixels = Identity(raw) }"
    )
    merged = onnx.compose.merge_models(before, model, [("pixels", "x")])
    check(merged, expected, atol=1e-6, feeds={**FEEDS, "raw": X})


def test_version_converter(model, expected):
    """It drops functions: the library runs the file, and add_functions writes them anew."""
    newer = onnx.version_converter.convert_version(model, 21)
    assert not newer.functions
    check(newer, expected, atol=1e-6, library=[True])
    (y,) = sr_ops.onnx.make_session(newer).run(None, FEEDS)
    np.testing.assert_array_equal(y, expected)
    check(sr_ops.onnx.add_functions(newer), expected, atol=1e-6)


def test_inliner(model, expected):
    """Standard nodes remain, which the library does not know again."""
    inlined = onnx.inliner.inline_local_functions(model)
    assert not inlined.functions
    check(inlined, expected, atol=1e-6)


def test_names_of_the_scale(model):
    names = sr_ops.onnx.scale_nodes(model)
    by_name = {node.name: node.op_type for node in model.graph.node}
    assert [by_name[name] for name in names][-1] == "DynamicUpscale"
    assert "Conv" not in [by_name[name] for name in names]
    for node in model.graph.node:
        node.name = ""
    with pytest.raises(sr_ops.errors.ModelError, match="has no name"):
        sr_ops.onnx.scale_nodes(model)
