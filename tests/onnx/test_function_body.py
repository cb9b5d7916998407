"""The function of each operator gives its result in ONNX Runtime without our library."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from sr_ops import reference
from sr_ops.errors import ModelError
from sr_ops.onnx.graphs.ir_version import FUNCTION_IR_VERSION
from sr_ops.onnx.operators import schema
from sr_ops.onnx.operators.function_body import Use, function_proto

F32 = TensorProto.FLOAT
NUMPY = {
    TensorProto.FLOAT: np.dtype(np.float32),
    TensorProto.DOUBLE: np.dtype(np.float64),
    TensorProto.FLOAT16: np.dtype(np.float16),
    TensorProto.BFLOAT16: np.dtype(ml_dtypes.bfloat16),
    TensorProto.UINT8: np.dtype(np.uint8),
    TensorProto.INT8: np.dtype(np.int8),
}
#: Half a unit in the last place of a result near 256, beside ONNX Runtime's own error.
TOLERANCE = {TensorProto.FLOAT16: 0.13, TensorProto.BFLOAT16: 1.01}


def model(op, dtype, rank, elements, uses, *, opset=18, **attributes):
    """One node and its function; bfloat16 images travel as float32, which numpy can feed."""
    extent_type = TensorProto.FLOAT if op == schema.SCALES_OP else TensorProto.INT64
    edge = F32 if dtype == TensorProto.BFLOAT16 else dtype
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["x"], ["X"], to=dtype),
            helper.make_node(op, ["X", "extent"], ["Y"], domain=schema.DOMAIN, **attributes),
            helper.make_node("Cast", ["Y"], ["y"], to=edge),
        ],
        "test",
        [
            helper.make_tensor_value_info("x", edge, [None] * rank),
            helper.make_tensor_value_info("extent", extent_type, [elements]),
        ],
        [helper.make_tensor_value_info("y", edge, [None] * rank)],
    )
    result = helper.make_model(
        graph,
        functions=[function_proto(op, uses, opset)],
        opset_imports=[
            helper.make_opsetid("", opset),
            helper.make_opsetid(schema.DOMAIN, schema.VERSION),
        ],
        ir_version=FUNCTION_IR_VERSION,
    )
    onnx.checker.check_model(result, full_check=True)
    return result


def run(proto, x, extent):
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": x, "extent": extent})[0]


def image(rng, shape, dtype):
    if dtype in schema.INTEGER_RANGES:
        low, high = schema.INTEGER_RANGES[dtype]
        return rng.integers(low, high + 1, shape).astype(NUMPY[dtype])
    x = rng.uniform(0, 255, shape).astype(NUMPY[dtype])
    return x.astype(np.float32) if dtype == TensorProto.BFLOAT16 else x


def expected(x, dtype, **keywords):
    y = reference.dynamic_upscale(x, **keywords)
    if dtype in schema.INTEGER_RANGES:
        y = np.clip(np.round(y), *schema.INTEGER_RANGES[dtype])
    return y


def check(y, want, dtype):
    assert y.shape == want.shape
    if not want.size:
        return
    error = np.abs(y.astype(np.float64) - want)
    if dtype in schema.INTEGER_RANGES:
        # A level off only where the exact value is next to a half.
        assert error.max() <= 1
        assert np.mean(error > 0) <= 0.001
    else:
        assert error.max() <= TOLERANCE.get(dtype, 0.02)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.mark.parametrize("dtype", list(NUMPY), ids=TensorProto.DataType.Name)
@pytest.mark.parametrize("folded", [False, True])
def test_dtypes(rng, dtype, folded):
    x = image(rng, (2, 3, 11, 13), dtype)
    proto = model(schema.SCALES_OP, dtype, 4, 4, [Use(dtype, folded)])
    y = run(proto, x, np.array([1, 1, 2.7, 1.4], np.float32))
    check(y, expected(x, dtype, scale=(2.7, 1.4)), dtype)


@pytest.mark.parametrize("dtype", list(NUMPY), ids=TensorProto.DataType.Name)
def test_sizes(rng, dtype):
    x = image(rng, (1, 2, 11, 13), dtype)
    proto = model(schema.SIZES_OP, dtype, 4, 4, [Use(dtype)])
    y = run(proto, x, np.array([1, 2, 30, 17], np.int64))
    check(y, expected(x, dtype, size=(30, 17)), dtype)


@pytest.mark.parametrize("shape", [(5, 7), (3, 5, 7), (2, 3, 5, 7), (0, 3, 5, 7), (2, 0, 5, 7)])
@pytest.mark.parametrize("form", ["one", "two", "rank"])
def test_every_rank_and_form_of_scales(rng, shape, form):
    x = image(rng, shape, F32)
    scales = {"one": [3], "two": [3, 2], "rank": [1] * (len(shape) - 2) + [3, 2]}[form]
    uses = [Use(F32, folded=True)]
    proto = model(schema.SCALES_OP, F32, len(shape), len(scales), uses)
    y = run(proto, x, np.array(scales, np.float32))
    check(y, expected(x, F32, scale=3 if form == "one" else (3, 2)), F32)


@pytest.mark.parametrize("shape", [(5, 7), (3, 5, 7), (2, 3, 5, 7), (0, 3, 5, 7), (2, 0, 5, 7)])
@pytest.mark.parametrize("full", [False, True])
def test_every_rank_and_form_of_sizes(rng, shape, full):
    x = image(rng, shape, F32)
    sizes = [*(shape[:-2] if full else ()), 15, 14]
    proto = model(schema.SIZES_OP, F32, len(shape), len(sizes), [Use(F32, folded=True)])
    y = run(proto, x, np.array(sizes, np.int64))
    check(y, expected(x, F32, size=(15, 14)), F32)


@pytest.mark.parametrize("opset", range(11, 25))
@pytest.mark.parametrize("op", schema.OPERATORS)
@pytest.mark.parametrize("folded", [False, True])
def test_every_opset(rng, opset, op, folded):
    x = image(rng, (1, 3, 6, 5), F32)
    extent = (
        np.array([1, 1, 2, 3], np.float32)
        if op == schema.SCALES_OP
        else np.array([1, 3, 12, 15], np.int64)
    )
    y = run(model(op, F32, 4, 4, [Use(F32, folded)], opset=opset), x, extent)
    check(y, expected(x, F32, scale=(2, 3)), F32)


@pytest.mark.parametrize(
    "attributes",
    [
        {"coordinate_transformation_mode": "align_corners"},
        {"coordinate_transformation_mode": "asymmetric", "cubic_coeff_a": -0.5},
        {"coordinate_transformation_mode": "pytorch_half_pixel", "exclude_outside": 1},
        {"antialias": 1, "cubic_coeff_a": -0.5, "exclude_outside": 1},
    ],
    ids=str,
)
def test_attributes_reach_the_body(rng, attributes):
    x = image(rng, (1, 1, 9, 12), F32)
    scale = (0.6, 0.4) if "antialias" in attributes else (1.7, 2.3)
    proto = model(schema.SCALES_OP, F32, 4, 4, [Use(F32)], **attributes)
    y = run(proto, x, np.array([1, 1, *scale], np.float32))
    check(y, expected(x, F32, scale=scale, **attributes), F32)


def test_one_function_for_all_floating_point_types(rng):
    uses = [Use(TensorProto.FLOAT), Use(TensorProto.FLOAT16), Use(TensorProto.DOUBLE)]
    for dtype in (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE):
        x = image(rng, (1, 1, 9, 12), dtype)
        y = run(model(schema.SCALES_OP, dtype, 4, 4, uses), x, np.array([1, 1, 2, 2], np.float32))
        assert y.dtype == x.dtype
        check(y, expected(x, dtype, scale=2), dtype)


@pytest.mark.parametrize(
    ("dtypes", "opset"),
    [
        ([TensorProto.FLOAT, TensorProto.UINT8], 18),
        ([TensorProto.INT8, TensorProto.UINT8], 18),
        ([TensorProto.FLOAT, TensorProto.FLOAT16], 13),
    ],
)
def test_types_that_no_function_serves_are_refused(dtypes, opset):
    with pytest.raises(ModelError, match="one function cannot serve"):
        function_proto(schema.SCALES_OP, [Use(dtype) for dtype in dtypes], opset)


def test_half_is_rounded_to_even():
    attributes = {"coordinate_transformation_mode": "asymmetric"}
    dtype = TensorProto.UINT8
    proto = model(schema.SCALES_OP, dtype, 4, 4, [Use(dtype)], **attributes)
    # Half-way between two equal pairs: exactly 1.5 and 2.5.
    for pair, middle in (([1, 2], 2), ([2, 3], 2)):
        x = np.array([[[pair, pair]]], np.uint8)
        y = run(proto, x, np.array([1, 1, 1, 2], np.float32))
        assert y[0, 0, 0].tolist() == [pair[0], middle, pair[1], pair[1]]
