"""The operators inside ONNX Runtime against the float64 reference and stock Resize."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from sr_ops import reference

SCALES = [1.0, 1.1, 1.4, 2.0, 2.7, 1 / 3, 0.3, 8.0]
MODES = [
    "half_pixel",
    "half_pixel_symmetric",
    "pytorch_half_pixel",
    "align_corners",
    "asymmetric",
]
FLOAT32_TOLERANCE = 5e-7  # of max|x|


def bfloat16_value(array: np.ndarray) -> onnxruntime.OrtValue:
    """numpy cannot hand bfloat16 to a session; an OrtValue over its bits can."""
    return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(
        array.view(np.uint16), TensorProto.BFLOAT16
    )


def test_random_problems_match_the_reference(build_model, open_session):
    session = open_session(build_model())
    rng = np.random.default_rng(1)
    for _ in range(200):
        batch, channels, height, width = (
            int(v) for v in rng.integers((1, 1, 1, 1), (3, 4, 71, 71))
        )
        scale = rng.choice(SCALES, 2) if rng.random() < 0.5 else rng.uniform(0.3, 8, 2)
        scale = np.maximum(scale, [1.0 / height, 1.0 / width]).astype(np.float32) + np.float32(1e-6)
        x = rng.standard_normal((batch, channels, height, width)).astype(np.float32)
        (y,) = session.run(None, {"X": x, "scales": np.array([1, 1, *scale], np.float32)})
        expected = reference.dynamic_upscale(x, tuple(float(s) for s in scale))
        assert y.shape == expected.shape
        np.testing.assert_allclose(y, expected, rtol=0, atol=FLOAT32_TOLERANCE * np.abs(x).max())


@pytest.mark.parametrize(
    "scales", [[2.7], [1.4, 2.7], [1, 1, 1.4, 2.7], 2.7], ids=["one", "two", "rank", "0-d"]
)
def test_every_form_of_scales(build_model, open_session, scales):
    x = np.random.default_rng(2).standard_normal((2, 3, 9, 11)).astype(np.float32)
    (y,) = open_session(build_model()).run(None, {"X": x, "scales": np.array(scales, np.float32)})
    pair = np.broadcast_to(np.atleast_1d(scales)[-2:], 2)
    np.testing.assert_allclose(
        y, reference.dynamic_upscale(x, tuple(pair)), atol=FLOAT32_TOLERANCE * np.abs(x).max()
    )


@pytest.mark.parametrize("sizes", [[13, 40], [2, 3, 13, 40]], ids=["two", "rank"])
def test_every_form_of_sizes(build_model, open_session, sizes):
    x = np.random.default_rng(3).standard_normal((2, 3, 9, 11)).astype(np.float32)
    session = open_session(build_model("DynamicUpscaleToSizes"))
    (y,) = session.run(None, {"X": x, "sizes": np.array(sizes, np.int64)})
    assert y.shape == (2, 3, 13, 40)
    np.testing.assert_allclose(
        y, reference.dynamic_upscale(x, size=(13, 40)), atol=FLOAT32_TOLERANCE * np.abs(x).max()
    )


@pytest.mark.parametrize("shape", [(9, 11), (3, 9, 11), (2, 3, 9, 11)], ids=["HW", "CHW", "NCHW"])
@pytest.mark.parametrize("op_type", ["DynamicUpscale", "DynamicUpscaleToSizes"])
def test_ranks(build_model, open_session, op_type, shape):
    x = np.random.default_rng(4).standard_normal(shape).astype(np.float32)
    session = open_session(build_model(op_type, rank=len(shape)))
    if op_type == "DynamicUpscale":
        request = {"scales": np.array([1, 1, 1.4, 2.7][-len(shape) :], np.float32)}
        expected = reference.dynamic_upscale(x, (1.4, 2.7))
    else:
        request = {"sizes": np.array([*shape[:-2], 12, 29], np.int64)}
        expected = reference.dynamic_upscale(x, size=(12, 29))
    (y,) = session.run(None, {"X": x, **request})
    assert y.shape == expected.shape
    np.testing.assert_allclose(y, expected, atol=FLOAT32_TOLERANCE * np.abs(x).max())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("antialias", [0, 1])
@pytest.mark.parametrize("exclude_outside", [0, 1])
def test_attributes(build_model, open_session, mode, antialias, exclude_outside):
    attributes = {
        "coordinate_transformation_mode": mode,
        "antialias": antialias,
        "exclude_outside": exclude_outside,
        "cubic_coeff_a": -0.5,
    }
    session = open_session(build_model(**attributes))
    x = np.random.default_rng(5).standard_normal((1, 2, 17, 12)).astype(np.float32)
    for scale in (0.3, 1.4, 3.0):
        (y,) = session.run(None, {"X": x, "scales": np.array([1, 1, scale, 1.1], np.float32)})
        expected = reference.dynamic_upscale(x, (scale, 1.1), **attributes)
        np.testing.assert_allclose(y, expected, atol=4 * FLOAT32_TOLERANCE * np.abs(x).max())


def test_float64(build_model, open_session):
    x = np.random.default_rng(6).standard_normal((2, 3, 9, 11))
    session = open_session(build_model(elem_type=TensorProto.DOUBLE))
    (y,) = session.run(None, {"X": x, "scales": np.array([2.7], np.float32)})
    assert y.dtype == np.float64
    np.testing.assert_allclose(y, reference.dynamic_upscale(x, 2.7), rtol=0, atol=1e-14)


def test_float16_is_rounded_once(build_model, open_session):
    x = np.random.default_rng(7).standard_normal((2, 3, 19, 11)).astype(np.float16)
    session = open_session(build_model(elem_type=TensorProto.FLOAT16))
    (y,) = session.run(None, {"X": x, "scales": np.array([2.7], np.float32)})
    expected = reference.dynamic_upscale(x, 2.7)
    half_step = np.spacing(np.abs(expected).astype(np.float16)).astype(np.float64) / 2
    assert y.dtype == np.float16
    assert (np.abs(y - expected) <= half_step + FLOAT32_TOLERANCE * np.abs(x).max()).all()


@pytest.mark.parametrize("op_type", ["DynamicUpscale", "DynamicUpscaleToSizes"])
def test_bfloat16_is_rounded_once(build_model, open_session, op_type):
    x = np.random.default_rng(8).standard_normal((2, 3, 10, 10)).astype(ml_dtypes.bfloat16)
    session = open_session(build_model(op_type, elem_type=TensorProto.BFLOAT16))
    y = np.zeros((2, 3, 27, 27), ml_dtypes.bfloat16)
    binding = session.io_binding()
    binding.bind_ortvalue_input("X", bfloat16_value(x))
    if op_type == "DynamicUpscale":
        binding.bind_cpu_input("scales", np.array([2.7], np.float32))
    else:
        binding.bind_cpu_input("sizes", np.array([27, 27]))
    binding.bind_ortvalue_output("Y", bfloat16_value(y))
    session.run_with_iobinding(binding)
    exact = x.astype(np.float64)
    expected = (
        reference.dynamic_upscale(exact, 2.7)
        if op_type == "DynamicUpscale"
        else reference.dynamic_upscale(exact, size=(27, 27))
    )
    half_step = np.abs(expected) * 2.0**-8
    assert (np.abs(y.astype(np.float64) - expected) <= half_step + 2e-6).all()


@pytest.mark.parametrize(
    ("elem_type", "dtype"), [(TensorProto.UINT8, np.uint8), (TensorProto.INT8, np.int8)]
)
def test_integers_are_rounded_and_clamped(build_model, open_session, elem_type, dtype):
    limits = np.iinfo(dtype)
    rng = np.random.default_rng(9)
    x = rng.integers(limits.min, limits.max, (1, 3, 30, 31), dtype, endpoint=True)
    (y,) = open_session(build_model(elem_type=elem_type)).run(
        None, {"X": x, "scales": np.array([2.7], np.float32)}
    )
    expected = np.clip(np.rint(reference.dynamic_upscale(x, 2.7)), limits.min, limits.max)
    difference = np.abs(y - expected)
    assert y.dtype == dtype
    assert difference.max() <= 1
    assert (difference == 0).mean() >= 0.999


@pytest.mark.parametrize("shape", [[1, 3, 20, 30], [None] * 4], ids=["fixed", "dynamic"])
@pytest.mark.parametrize("op_type", ["DynamicUpscale", "DynamicUpscaleToSizes"])
def test_constant_request_gives_the_same_bits_as_a_fed_one(
    build_model, open_session, op_type, shape
):
    x = np.random.default_rng(10).standard_normal((1, 3, 20, 30)).astype(np.float32)
    name, dtype, request = (
        ("scales", np.float32, [1, 1, 1.4, 2.7])
        if op_type == "DynamicUpscale"
        else ("sizes", np.int64, [1, 3, 28, 81])
    )
    constant = open_session(build_model(op_type, shape=shape, constant=request))
    fed = open_session(build_model(op_type, shape=shape))
    (expected,) = fed.run(None, {"X": x, name: np.array(request, dtype)})
    for _ in range(2):
        np.testing.assert_array_equal(constant.run(None, {"X": x})[0], expected)


def test_constant_scale_serves_every_size_of_image(build_model, open_session):
    session = open_session(build_model(constant=[1, 1, 1.4, 2.7]))
    for height, width in [(5, 7), (20, 30), (5, 7), (1, 1)]:
        x = np.random.default_rng(height).standard_normal((1, 2, height, width)).astype(np.float32)
        np.testing.assert_allclose(
            session.run(None, {"X": x})[0], reference.dynamic_upscale(x, (1.4, 2.7)), atol=3e-6
        )


@pytest.mark.parametrize("shape", [(0, 3, 5, 6), (2, 0, 5, 6)])
def test_empty_batch_or_channels_gives_an_empty_result(build_model, open_session, shape):
    (y,) = open_session(build_model()).run(
        None, {"X": np.zeros(shape, np.float32), "scales": np.array([2], np.float32)}
    )
    assert y.shape == (*shape[:2], 10, 12)


def test_output_sizes_are_those_of_stock_resize(build_model, open_session):
    """2000 random (n, s): both axes of 1000 images."""
    resize = helper.make_node(
        "Resize", ["X", "", "scales"], ["Y"], mode="nearest", nearest_mode="floor"
    )
    model = build_model()
    stock = build_model()
    stock.graph.node[0].CopyFrom(resize)
    ours, theirs = open_session(model), open_session(stock)
    rng = np.random.default_rng(11)
    for _ in range(1000):
        height, width = (int(v) for v in rng.integers(2, 200, 2))
        scales = rng.uniform(0.5, 4, 2).round(int(rng.integers(1, 6)))
        feed = {
            "X": np.zeros((1, 1, height, width), np.float32),
            "scales": np.array([1, 1, *scales], np.float32),
        }
        assert ours.run(None, feed)[0].shape == theirs.run(None, feed)[0].shape, (feed, scales)


def test_nan_and_infinity_reach_only_their_neighbours(build_model, open_session):
    x = np.zeros((1, 1, 16, 16), np.float32)
    x[0, 0, 8, 8] = np.nan
    (y,) = open_session(build_model()).run(None, {"X": x, "scales": np.array([2], np.float32)})
    touched = np.argwhere(np.isnan(y[0, 0]))
    assert touched.min() >= 2 * (8 - 2)
    assert touched.max() <= 2 * (8 + 2) + 1
    assert not y[~np.isnan(y)].any()
