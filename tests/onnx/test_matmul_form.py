"""The operator from banded matrix products: right in every mode, fast, and read back."""

from __future__ import annotations

import itertools
import time

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

import sr_ops
from sr_ops import _arguments, reference
from sr_ops.errors import InvalidArgumentError
from sr_ops.onnx.graphs.node_writer import NodeWriter
from sr_ops.onnx.operators import standard_form
from sr_ops.onnx.operators.function_body import Use, form_of

MODES = _arguments.COORDINATE_TRANSFORMATION_MODES
CASES = [
    ((1, 2, 9, 13), (2.7, 1.3)),
    ((2, 1, 40, 30), (0.37, 0.9)),
    ((1, 1, 1, 1), (3.0, 1.0)),
    ((1, 1, 5, 7), (0.3, 8.1)),
    ((1, 1, 33, 17), (1.0, 1.0)),
    ((1, 1, 70, 3), (0.02, 40.0)),
]


def written(opset=18, *, dtype=TensorProto.FLOAT, sizes=False, rank=4, elements=4, **attributes):
    """A model that is the form and nothing else."""
    writer = NodeWriter(opset, "form")
    extent = "sizes" if sizes else "scales"
    standard_form.upscale(
        writer, "x", **{extent: "extent"}, dtype=dtype, attributes=attributes, form="MatMul"
    )
    writer.nodes[-1].output[0] = "y"
    info = helper.make_tensor_value_info
    extent_type = TensorProto.INT64 if sizes else TensorProto.FLOAT
    graph = helper.make_graph(
        writer.nodes,
        "form",
        [info("x", dtype, [None] * rank), info("extent", extent_type, [elements])],
        [info("y", dtype, [None] * rank)],
    )
    imports = [helper.make_opsetid("", opset)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=6)
    onnx.checker.check_model(model)
    return model


def session(model, threads=1):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("exclude_outside", [False, True])
def test_every_mode(mode, antialias, exclude_outside, rng):
    keywords = {
        "coordinate_transformation_mode": mode,
        "antialias": antialias,
        "exclude_outside": exclude_outside,
        "cubic_coeff_a": -0.6,
    }
    form = session(written(**keywords))
    for shape, scale in CASES:
        x = rng.uniform(-1, 1, shape).astype(np.float32)
        y = form.run(None, {"x": x, "extent": np.array([1, 1, *scale], np.float32)})[0]
        want = reference.dynamic_upscale(x, scale, **keywords)
        assert y.shape == want.shape
        assert np.abs(y - want).max() <= 2e-6, (shape, scale)


@pytest.mark.parametrize("mode", MODES)
def test_sizes(mode, rng):
    form = session(written(sizes=True, coordinate_transformation_mode=mode))
    for shape, size in [((1, 2, 9, 13), (24, 7)), ((1, 1, 5, 5), (1, 1)), ((1, 1, 1, 4), (3, 9))]:
        x = rng.random(shape, dtype=np.float32)
        y = form.run(None, {"x": x, "extent": np.array([*shape[:2], *size], np.int64)})[0]
        want = reference.dynamic_upscale(x, size=size, coordinate_transformation_mode=mode)
        assert np.abs(y - want).max() <= 2e-6, (shape, size)


def test_coordinates_are_exact_where_float32_ones_are_not(rng):
    """At 1920 pixels and a factor of 1.5 the runtime's own Resize is off by 5e-5."""
    x = rng.random((1, 1, 4, 1920), dtype=np.float32)
    scales = np.array([1, 1, 1.1, 1.7], np.float32)
    y = session(written()).run(None, {"x": x, "extent": scales})[0]
    want = reference.dynamic_upscale(x, tuple(scales[2:]))
    assert np.abs(y - want).max() <= 1e-6


@pytest.mark.parametrize("opset", [11, 12, 13, 14, 17, 18, 21])
def test_opsets(opset, rng):
    keywords = {"antialias": True, "exclude_outside": True}
    x = rng.random((1, 2, 20, 21), dtype=np.float32)
    feeds = {"x": x, "extent": np.array([1, 1, 0.4, 2.2], np.float32)}
    want = reference.dynamic_upscale(x, (0.4, 2.2), **keywords)
    y = session(written(opset, **keywords)).run(None, feeds)[0]
    assert np.abs(y - want).max() <= 2e-6
    evaluated = ReferenceEvaluator(written(opset, **keywords)).run(None, feeds)[0]
    assert np.abs(evaluated - want).max() <= 2e-6


def test_float64_is_computed_in_float64(rng):
    x = rng.random((1, 1, 30, 31))
    feeds = {"x": x, "extent": np.array([1, 1, 1.7, 0.6], np.float32)}
    y = session(written(dtype=TensorProto.DOUBLE)).run(None, feeds)[0]
    assert np.abs(y - reference.dynamic_upscale(x, (1.7, 0.6))).max() <= 1e-14


@pytest.mark.parametrize("shape", [(5, 7), (3, 5, 7), (0, 3, 5, 7), (2, 0, 5, 7)])
@pytest.mark.parametrize("elements", [1, 2, "rank"])
def test_ranks_and_forms_of_scales(shape, elements, rng):
    scales = {1: [3], 2: [3, 3], "rank": [1] * (len(shape) - 2) + [3, 3]}[elements]
    x = rng.random(shape, dtype=np.float32)
    form = session(written(rank=len(shape), elements=len(scales)))
    y = form.run(None, {"x": x, "extent": np.array(scales, np.float32)})[0]
    want = reference.dynamic_upscale(x, 3)
    assert y.shape == want.shape
    assert not want.size or np.abs(y - want).max() <= 2e-6


@pytest.mark.parametrize(
    "scale", [(40.0, 8.0), (2.7, 1.5), (1.0, 1.1), (0.93, 0.7), (0.5, 0.3), (0.06, 0.01)]
)
def test_memory_is_bounded_by_the_picture_and_its_result(scale, rng):
    """However a pass enlarges or shrinks, its windows are few times what it reads and gives."""
    model = written(antialias=True)
    windows = [n.output[0] for n in model.graph.node if n.op_type == "Gather"]
    assert len(windows) == 2
    shown = session(sr_ops.onnx.expose(model, windows))
    x = rng.random((1, 2, 200, 300), dtype=np.float32)
    y, *passes = shown.run(None, {"x": x, "extent": np.array([1, 1, *scale], np.float32)})
    between = x.shape[2] * y.shape[3] * 2
    for read, gathered, given in zip((x.size, between), passes, (between, y.size), strict=True):
        assert gathered.size <= 6 * read + given


def test_faster_than_resize(rng):
    """Side by side, in the time of the one thread that computes, whatever else the machine does."""
    x = rng.random((1, 3, 128, 128), dtype=np.float32)
    scales = np.array([1, 1, 3, 3], np.float32)
    stock = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 18]> graph (float[N,C,H,W] x, float[4] extent) => '
        '(float[N,C,h,w] y) { y = Resize<mode = "cubic">(x, , extent) }'
    )
    times = {}
    for name, model in (("stock", stock), ("form", written())):
        run = session(model)
        seconds = []
        for _ in range(4):
            start = time.thread_time()
            run.run(None, {"x": x, "extent": scales})
            seconds.append(time.thread_time() - start)
        times[name] = min(seconds)
    assert times["stock"] > 5 * times["form"], times


def _model(nodes):
    text = (
        '<ir_version: 8, opset_import: ["": 18, "sr_ops": 1]> graph '
        "(float[N,3,H,W] x, float[2] s) => (float[N,3,h,w] y) "
    )
    return sr_ops.onnx.add_functions(onnx.parser.parse_model(text + nodes))


def test_nodes_with_the_same_attributes_share_the_fast_function():
    same = _model("{ a = sr_ops.DynamicUpscale(x, s) y = sr_ops.DynamicUpscale(a, s) }")
    assert any(node.op_type == "MatMul" for node in same.functions[0].node)
    other = _model(
        "{ a = sr_ops.DynamicUpscale(x, s) y = sr_ops.DynamicUpscale<antialias = 1>(a, s) }"
    )
    assert any(node.op_type == "Resize" for node in other.functions[0].node)
    assert form_of([Use(TensorProto.FLOAT)]) == "Resize"


def test_functions_with_other_attributes_are_right(rng):
    """The function knows the attributes of the nodes that it was written for."""
    x, s = rng.random((1, 3, 30, 28), dtype=np.float32), np.array([0.4, 0.7], np.float32)
    for text, keywords in [
        ("antialias = 1, exclude_outside = 1", {"antialias": True, "exclude_outside": True}),
        ("cubic_coeff_a = -0.5", {"cubic_coeff_a": -0.5}),
        (
            'coordinate_transformation_mode = "align_corners"',
            {"coordinate_transformation_mode": "align_corners"},
        ),
    ]:
        model = _model(f"{{ y = sr_ops.DynamicUpscale<{text}>(x, s) }}")
        y = session(model).run(None, {"x": x, "s": s})[0]
        want = reference.dynamic_upscale(x, tuple(s), **keywords)
        assert np.abs(y - want).max() <= 2e-6


@pytest.mark.parametrize(
    ("op", "attributes"),
    itertools.product(
        ["DynamicUpscale", "DynamicUpscaleToSizes"],
        ["", "<antialias = 1, cubic_coeff_a = -0.5, exclude_outside = 1>"],
    ),
)
def test_standardize_writes_it_and_accelerate_reads_it(op, attributes, rng):
    kind = "float" if op == "DynamicUpscale" else "int64"
    original = sr_ops.onnx.add_functions(
        onnx.parser.parse_model(
            f'<ir_version: 8, opset_import: ["": 18, "sr_ops": 1]> graph '
            f"(float[N,3,H,W] x, {kind}[2] e) => (float[N,3,h,w] y) "
            f"{{ a = Relu(x) b = sr_ops.{op}{attributes}(a, e) y = Relu(b) }}"
        )
    )
    standard, report = sr_ops.onnx.standardize(original, op="MatMul", return_report=True)
    assert [item.became for item in report.converted] == ["MatMul"]
    assert not standard.functions
    assert {item.domain for item in standard.opset_import} == {""}
    onnx.checker.check_model(standard, full_check=True)
    back = sr_ops.onnx.accelerate(standard)
    assert [node.op_type for node in back.graph.node] == ["Relu", op, "Relu"]
    assert back.graph.node[1].input == original.graph.node[1].input
    assert [f.SerializeToString() for f in back.functions] == [
        f.SerializeToString() for f in original.functions
    ]
    x = rng.random((2, 3, 9, 11), dtype=np.float32)
    extent = np.array([2.5, 0.5], np.float32) if kind == "float" else np.array([20, 6])
    want = sr_ops.onnx.make_session(back).run(None, {"x": x, "e": extent})[0]
    y = session(standard).run(None, {"x": x, "e": extent})[0]
    assert np.abs(y - want).max() <= 2e-6


def test_two_of_them_and_renamed(rng):
    """Tools that put a prefix before every name leave the products readable."""
    original = _model("{ a = sr_ops.DynamicUpscale(x, s) y = sr_ops.DynamicUpscale(a, s) }")
    standard = onnx.compose.add_prefix(sr_ops.onnx.standardize(original, op="MatMul"), "first/")
    back, report = sr_ops.onnx.accelerate(standard, return_report=True)
    assert len(report.converted) == 2
    assert [node.op_type for node in back.graph.node] == ["DynamicUpscale"] * 2


def test_changed_products_stay_as_they_are():
    standard = sr_ops.onnx.standardize(_model("{ y = sr_ops.DynamicUpscale(x, s) }"), op="MatMul")
    standard.graph.node[-1].doc_string = "sr_ops:{}"
    model, report = sr_ops.onnx.accelerate(standard, return_report=True)
    assert "does not say" in report.left[0].reason
    assert len(model.graph.node) == len(standard.graph.node)


def test_make_dynamic_reads_it(rng):
    original = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 18]> graph (float[1,3,8,9] x) => '
        "(float[1,3,24,27] y) <float[4] three = {1, 1, 3, 3}> "
        '{ y = Resize<mode = "cubic">(x, , three) }'
    )
    fixed = sr_ops.onnx.standardize(sr_ops.onnx.accelerate(original), op="MatMul")
    dynamic, report = sr_ops.onnx.make_dynamic(fixed, return_report=True)
    assert len(report.converted) == 1
    assert not dynamic.functions
    x, scale = rng.random((2, 3, 10, 12), dtype=np.float32), np.array([1.5, 2.5], np.float32)
    y = session(dynamic).run(None, {"x": x, "scale": scale})[0]
    assert np.abs(y - reference.dynamic_upscale(x, (1.5, 2.5))).max() <= 2e-6


def test_another_op_is_refused():
    with pytest.raises(InvalidArgumentError, match="op: got 'Conv', expected one of Resize, MatM"):
        sr_ops.onnx.standardize(_model("{ y = sr_ops.DynamicUpscale(x, s) }"), op="Conv")


@pytest.mark.parametrize(("exporter", "opset"), [("torchscript", 11), ("dynamo", 18)])
def test_export_writes_it(exporter, opset, rng):
    """Standard operators alone, an input for the scale, and antialias from opset 11 on."""
    import torch

    network = sr_ops.DynamicUpscale(antialias=True, cubic_coeff_a=-0.5, exclude_outside=True)
    model = sr_ops.onnx.export(
        network, (torch.rand(1, 2, 9, 9), 2.0), op="MatMul", exporter=exporter, opset_version=opset
    )
    assert {node.domain for node in model.graph.node} == {""}
    assert not model.functions
    x = rng.random((2, 2, 31, 40), dtype=np.float32)
    y = session(model).run(None, {"x": x, "scale": np.array(0.4, np.float32)})[0]
    want = reference.dynamic_upscale(
        x, 0.4, antialias=True, cubic_coeff_a=-0.5, exclude_outside=True
    )
    assert np.abs(y - want).max() <= 2e-6
