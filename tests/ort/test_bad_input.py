"""Mistakes of users and of models: a typed error that the process, and the session, survive."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

X = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
GOOD = np.array([1, 1, 2, 2], np.float32)
LOAD_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)


def values(*scales: float) -> np.ndarray:
    return np.array(scales, np.float32)


@pytest.mark.parametrize(
    ("scales", "message"),
    [
        (values(0), "height factor is 0"),
        (values(2, 0), "width factor is 0"),
        (values(1, 1, -3, 3), "height factor is -3"),
        (values(np.nan), "nan, expected a finite number > 0"),
        (values(np.inf), "inf, expected a finite number > 0"),
        (values(), "got 0 elements, expected 1, 2 or 4"),
        (values(1, 2, 2), "got 3 elements, expected 1, 2 or 4"),
        (values(1, 1, 1, 2, 2), "got 5 elements, expected 1, 2 or 4"),
        (values(2, 1, 3, 3), "every scale before them must be 1"),
        (np.ones((2, 2), np.float32), "got a tensor of 2 axes, expected 1"),
        (values(1e-9), "each axis must keep at least one pixel"),
        (values(1e6), "more than 2^40 elements"),
        (values(1e30), "more than 2^40 elements"),
    ],
)
def test_bad_scales(build_model, open_session, scales, message):
    session = open_session(build_model())
    with pytest.raises(ort_errors.InvalidArgument) as raised:
        session.run(None, {"X": X, "scales": scales})
    assert message in str(raised.value)
    assert session.run(None, {"X": X, "scales": GOOD})[0].shape == (2, 3, 8, 10)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ([7], "got 1 elements, expected 2 or 4"),
        ([], "got 0 elements, expected 2 or 4"),
        ([2, 3, 0, 7], "expected a height and a width > 0"),
        ([-4, 7], "expected a height and a width > 0"),
        ([1, 3, 8, 8], "every size before them must be X's own"),
        ([2**62, 2**62], "more than 2^40 elements"),
        ([2**20, 2**20], "more than 2^40 elements"),
    ],
)
def test_bad_sizes(build_model, open_session, sizes, message):
    session = open_session(build_model("DynamicUpscaleToSizes"))
    with pytest.raises(ort_errors.InvalidArgument) as raised:
        session.run(None, {"X": X, "sizes": np.array(sizes, np.int64)})
    assert message in str(raised.value)
    (y,) = session.run(None, {"X": X, "sizes": np.array([8, 10])})
    assert y.shape == (2, 3, 8, 10)


@pytest.mark.parametrize("shape", [(), (5,), (1, 1, 1, 4, 5)])
def test_bad_rank(build_model, open_session, shape):
    model = build_model()
    model.graph.input[0].type.tensor_type.ClearField("shape")
    model.graph.output[0].type.tensor_type.ClearField("shape")
    session = open_session(model)
    with pytest.raises(ort_errors.InvalidArgument) as raised:
        session.run(None, {"X": np.zeros(shape, np.float32), "scales": values(2)})
    assert f"X: got {len(shape)} axes, expected 2 (H, W), 3 (C, H, W) or 4" in str(raised.value)
    assert session.run(None, {"X": X, "scales": GOOD})[0].shape == (2, 3, 8, 10)


@pytest.mark.parametrize("shape", [(1, 1, 0, 5), (1, 1, 4, 0)])
def test_image_without_pixels(build_model, open_session, shape):
    session = open_session(build_model())
    with pytest.raises(ort_errors.InvalidArgument) as raised:
        session.run(None, {"X": np.zeros(shape, np.float32), "scales": values(2)})
    assert "height and width must be > 0" in str(raised.value)


def test_an_output_too_large_for_memory_is_refused(build_model, open_session):
    """2^38 doubles, 2 TiB: below the caps, above any machine's memory."""
    session = open_session(build_model(elem_type=TensorProto.DOUBLE))
    x = np.zeros((1, 1, 2**10, 2**8))
    with pytest.raises((ort_errors.Fail, ort_errors.RuntimeException)):
        session.run(None, {"X": x, "scales": values(2**10)})
    assert session.run(None, {"X": X.astype(np.float64), "scales": GOOD})[0].shape == (2, 3, 8, 10)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"antialias": 2}, "antialias: got 2, expected 0 or 1"),
        ({"antialias": -1}, "antialias: got -1, expected 0 or 1"),
        ({"antialias": 1.0}, "antialias: got an attribute of type float, expected int"),
        ({"exclude_outside": "yes"}, "exclude_outside: got an attribute of type string"),
        ({"exclude_outside": [1, 1]}, "exclude_outside: got an attribute of type ints"),
        ({"exclude_outside": [1.0]}, "exclude_outside: got an attribute of type floats"),
        ({"cubic_coeff_a": -1}, "cubic_coeff_a: got an attribute of type int, expected float"),
        ({"cubic_coeff_a": float("nan")}, "cubic_coeff_a: got nan, expected a finite number"),
        ({"cubic_coeff_a": float("inf")}, "cubic_coeff_a: got inf, expected a finite number"),
        (
            {"cubic_coeff_a": helper.make_tensor("a", TensorProto.FLOAT, [], [-0.5])},
            "cubic_coeff_a: got an attribute of type neither float, int nor string",
        ),
        (
            {"coordinate_transformation_mode": "tf_crop_and_resize"},
            "got 'tf_crop_and_resize', expected one of half_pixel,",
        ),
        ({"coordinate_transformation_mode": ""}, "got '', expected one of half_pixel,"),
        (
            {"coordinate_transformation_mode": 3},
            "coordinate_transformation_mode: got an attribute of type int, expected string",
        ),
        (
            {"coordinate_transformation_mode": ["half_pixel"]},
            "coordinate_transformation_mode: got an attribute of type neither",
        ),
    ],
)
def test_bad_attributes_are_refused_when_the_model_is_loaded(
    build_model, open_session, attributes, message
):
    with pytest.raises(LOAD_ERRORS) as raised:
        open_session(build_model(name="zoom", **attributes))
    assert message in str(raised.value)
    assert "DynamicUpscale node 'zoom'" in str(raised.value)


@pytest.mark.parametrize(
    ("op_type", "constant", "message"),
    [
        ("DynamicUpscale", [1, 1, 0, 2], "height factor is 0"),
        ("DynamicUpscale", [float("nan")], "expected a finite number > 0"),
        ("DynamicUpscale", [2, 1, 3, 3], "every scale before them must be 1"),
        ("DynamicUpscale", [1, 1, 1, 2, 2], "got 5 elements"),
        ("DynamicUpscale", [], "got 0 elements"),
        ("DynamicUpscaleToSizes", [7], "got 1 elements"),
        ("DynamicUpscaleToSizes", [1, 3, 0, 7], "expected a height and a width > 0"),
    ],
)
def test_bad_constants_are_refused_when_the_model_is_loaded(
    build_model, open_session, op_type, constant, message
):
    with pytest.raises(LOAD_ERRORS) as raised:
        open_session(build_model(op_type, constant=constant))
    assert message in str(raised.value)


def test_constant_that_does_not_fit_the_rank_of_x(build_model, open_session):
    session = open_session(build_model(constant=[1, 2, 2]))
    with pytest.raises(ort_errors.InvalidArgument) as raised:
        session.run(None, {"X": X})
    assert "got 3 elements, expected 1, 2 or 4" in str(raised.value)


@pytest.mark.parametrize(
    "elem_type", [TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL, TensorProto.STRING]
)
def test_unsupported_types_are_refused_when_the_model_is_loaded(
    build_model, open_session, elem_type
):
    with pytest.raises(LOAD_ERRORS) as raised:
        open_session(build_model(elem_type=elem_type))
    assert "DynamicUpscale" in str(raised.value)


def _with_request_type(model: onnx.ModelProto, elem_type: int) -> onnx.ModelProto:
    model.graph.input[1].type.tensor_type.elem_type = elem_type
    return model


def _with_inputs(model: onnx.ModelProto, *inputs: str) -> onnx.ModelProto:
    del model.graph.node[0].input[:]
    model.graph.node[0].input.extend(inputs)
    return model


def _with_outputs(model: onnx.ModelProto, *outputs: str) -> onnx.ModelProto:
    del model.graph.node[0].output[:]
    model.graph.node[0].output.extend(outputs)
    return model


@pytest.mark.parametrize(
    "spoil",
    [
        lambda m: _with_request_type(m, TensorProto.INT64),
        lambda m: _with_request_type(m, TensorProto.DOUBLE),
        lambda m: _with_request_type(m, TensorProto.STRING),
        _with_inputs,
        lambda m: _with_inputs(m, "X"),
        lambda m: _with_inputs(m, "X", ""),
        lambda m: _with_inputs(m, "", "scales"),
        lambda m: _with_inputs(m, "X", "scales", "X"),
        lambda m: _with_inputs(m, "X", "nowhere"),
        lambda m: _with_inputs(m, "scales", "X"),
        _with_outputs,
        lambda m: _with_outputs(m, "Y", "Z"),
    ],
    ids=[
        "scales of int64",
        "scales of float64",
        "scales of strings",
        "no inputs",
        "no scales",
        "empty scales",
        "empty X",
        "three inputs",
        "undefined input",
        "inputs swapped",
        "no outputs",
        "two outputs",
    ],
)
def test_malformed_nodes(build_model, open_session, spoil):
    """Refused when the model is loaded or, at the latest, when it is run."""
    with pytest.raises((*LOAD_ERRORS, ValueError)):
        open_session(spoil(build_model())).run(None, {"X": X, "scales": values(2)})
    assert open_session(build_model()).run(None, {"X": X, "scales": values(2)})


def test_wrong_types_at_run_time(build_model, open_session):
    session = open_session(build_model())
    for feed in (
        {"X": X, "scales": np.array([2], np.int64)},
        {"X": X.astype(np.float64), "scales": values(2)},
        {"X": X.astype(np.int32), "scales": values(2)},
    ):
        with pytest.raises(ort_errors.InvalidArgument, match="Unexpected input data type"):
            session.run(None, feed)
    assert session.run(None, {"X": X, "scales": values(2)})[0].shape == (2, 3, 8, 10)
