"""onnx's ReferenceEvaluator with our operators, and with their functions."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from runtime import run

import sr_ops
from sr_ops import reference
from sr_ops.errors import InvalidArgumentError
from sr_ops.onnx.operators.schema import INTEGER_RANGES

ATTRIBUTES = {
    "coordinate_transformation_mode": "align_corners",
    "cubic_coeff_a": -0.5,
    "exclude_outside": 1,
}


def model(op, dtype=TensorProto.FLOAT, elements=4, rank=4, **attributes):
    extent = TensorProto.FLOAT if op == "DynamicUpscale" else TensorProto.INT64
    graph = helper.make_graph(
        [helper.make_node(op, ["X", "extent"], ["Y"], domain="sr_ops", **attributes)],
        "graph",
        [
            helper.make_tensor_value_info("X", dtype, [None] * rank),
            helper.make_tensor_value_info("extent", extent, [elements]),
        ],
        [helper.make_tensor_value_info("Y", dtype, [None] * rank)],
    )
    imports = [helper.make_opsetid("", 18), helper.make_opsetid("sr_ops", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


@pytest.mark.parametrize("functions", [False, True], ids=["bare", "with functions"])
@pytest.mark.parametrize("attributes", [{}, ATTRIBUTES], ids=["defaults", "attributes"])
def test_exact_values(functions, attributes, rng):
    proto = model("DynamicUpscale", **attributes)
    if functions:
        sr_ops.onnx.add_functions(proto)
    x = rng.random((2, 3, 7, 8)).astype(np.float32)
    feeds = {"X": x, "extent": np.array([1, 1, 2.7, 0.6], np.float32)}
    evaluator = ReferenceEvaluator(proto, new_ops=sr_ops.onnx.reference_ops())
    (y,) = evaluator.run(None, feeds)
    want = reference.dynamic_upscale(x, (2.7, 0.6), **attributes).astype(np.float32)
    np.testing.assert_array_equal(y, want)
    np.testing.assert_allclose(run(proto, feeds, library=True)[0], y, atol=5e-7)


@pytest.mark.parametrize("elements", [1, 2, 3])
def test_forms_of_scales(elements, rng):
    x = rng.random((3, 7, 8)).astype(np.float32)
    scales = np.array([[2], [2, 3], [1, 2, 3]][elements - 1], np.float32)
    proto = model("DynamicUpscale", elements=elements, rank=3)
    evaluator = ReferenceEvaluator(proto, new_ops=sr_ops.onnx.reference_ops())
    (y,) = evaluator.run(None, {"X": x, "extent": scales})
    np.testing.assert_allclose(
        y, run(proto, {"X": x, "extent": scales}, library=True)[0], atol=5e-7
    )


def test_sizes_and_integers(rng):
    x = rng.integers(0, 256, (1, 1, 9, 9)).astype(np.uint8)
    proto = model("DynamicUpscaleToSizes", TensorProto.UINT8)
    feeds = {"X": x, "extent": np.array([1, 1, 20, 31])}
    (y,) = ReferenceEvaluator(proto, new_ops=sr_ops.onnx.reference_ops()).run(None, feeds)
    np.testing.assert_array_equal(y, run(proto, feeds, library=True)[0])


def test_other_axes_are_refused():
    x = np.ones((2, 3, 4, 5), np.float32)
    scales = ReferenceEvaluator(model("DynamicUpscale"), new_ops=sr_ops.onnx.reference_ops())
    with pytest.raises(InvalidArgumentError, match="only the last two axes"):
        scales.run(None, {"X": x, "extent": np.array([1, 2, 2, 2], np.float32)})
    sizes = ReferenceEvaluator(model("DynamicUpscaleToSizes"), new_ops=sr_ops.onnx.reference_ops())
    with pytest.raises(InvalidArgumentError, match="only the last two axes"):
        sizes.run(None, {"X": x, "extent": np.array([1, 3, 8, 8])})


@pytest.mark.parametrize(
    ("dtype", "step"),
    [
        (TensorProto.FLOAT, 1e-4),
        (TensorProto.DOUBLE, 1e-4),
        (TensorProto.FLOAT16, 0.04),
        (TensorProto.BFLOAT16, 0.3),
        (TensorProto.UINT8, 0.501),
        (TensorProto.INT8, 0.501),
    ],
    ids=lambda value: TensorProto.DataType.Name(value) if isinstance(value, int) else "",
)
@pytest.mark.parametrize(("rank", "elements"), [(4, 4), (4, 2), (3, 3), (2, 2)])
def test_the_function_alone(dtype, step, rank, elements, rng):
    """Without our ops the evaluator runs the function, in every type and number of axes."""
    proto = sr_ops.onnx.add_functions(model("DynamicUpscale", dtype, elements, rank))
    values = np.round(rng.random((1, 2, 5, 6)[4 - rank :]) * 100)
    x = values.astype(helper.tensor_dtype_to_np_dtype(dtype))
    scales = np.array([1] * (elements - 2) + [2, 3], np.float32)
    (y,) = ReferenceEvaluator(proto).run(None, {"X": x, "extent": scales})
    bounds = INTEGER_RANGES.get(dtype, (-np.inf, np.inf))
    want = reference.dynamic_upscale(values, (2, 3)).clip(*bounds)
    assert y.dtype == x.dtype
    assert np.abs(y.astype(np.float64) - want).max() <= step


def test_schemas_on_request(monkeypatch):
    bare = model("DynamicUpscale")
    sr_ops.onnx.register_schemas()
    sr_ops.onnx.register_schemas()
    onnx.checker.check_model(bare, full_check=True)
    bare.graph.node[0].input.append("third")
    with pytest.raises(onnx.checker.ValidationError, match="DynamicUpscale"):
        onnx.checker.check_model(bare, full_check=True)
    for op in ("DynamicUpscale", "DynamicUpscaleToSizes"):
        onnx.defs.deregister_schema(op, 1, "sr_ops")


@pytest.mark.parametrize(
    ("op", "extent", "dims", "expected"),
    [
        ("DynamicUpscale", [1, 1, 1.4, 2], ["n", 3, 45, "w"], ["n", 3, 63, None]),
        ("DynamicUpscale", [2.0], [1, 3, 45, 7], [1, 3, 90, 14]),
        ("DynamicUpscaleToSizes", [1, 3, 20, 30], ["n", 3, "h", "w"], ["n", 3, 20, 30]),
    ],
)
def test_shape_inference(op, extent, dims, expected):
    from sr_ops.onnx.graphs.scopes import infer, tensor_dims

    proto = model(op, elements=len(extent))
    source = proto.graph.input[0]
    source.CopyFrom(helper.make_tensor_value_info("X", TensorProto.FLOAT, dims))
    dtype = TensorProto.FLOAT if op == "DynamicUpscale" else TensorProto.INT64
    proto.graph.initializer.append(helper.make_tensor("extent", dtype, [len(extent)], extent))
    del proto.graph.input[1:]
    got = tensor_dims({v.name: v.type for v in infer(proto).graph.output}, "Y")
    assert [dim if dim in expected else None for dim in got] == expected
