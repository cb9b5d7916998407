"""The provider gives an untouched model the bits that the custom operator gives a converted one."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from cases import assert_same_bits, multiplied, random_case
from onnx import TensorProto, helper
from provider_sessions import provider_session, quiet_options, run, stock_session, taken
from resize_forms import FORMS, OURS_ONLY, build, expected, feeds_of, tolerance
from runtime import run as run_plainly

import sr_ops

ONNX_TYPES = {
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "float16": TensorProto.FLOAT16,
    "bfloat16": TensorProto.BFLOAT16,
    "uint8": TensorProto.UINT8,
    "int8": TensorProto.INT8,
}


@pytest.mark.parametrize("form", [*FORMS, *OURS_ONLY], ids=str)
def test_every_form_has_the_bits_of_the_converted_model(form, rng):
    model = build(form)
    feeds = feeds_of(form, rng)
    y = run(model, feeds)
    converted, report = sr_ops.onnx.accelerate(model, return_report=True)
    assert report.converted
    assert_same_bits(y, run_plainly(converted, feeds, library=True)[0], form)
    np.testing.assert_allclose(y, expected(form, feeds["x"]), rtol=0, atol=tolerance(form))


def resize_of(case, rng):
    """A Resize node in one of the versions that express the case, and what to feed."""
    least = 18 if case.antialias else 11
    if case.coordinate_transformation_mode == "half_pixel_symmetric":
        least = 19
    if case.dtype == "bfloat16":
        least = max(least, 13)
    opset = int(
        rng.choice([version for version in (11, 12, 13, 17, 18, 19, 21) if version >= least])
    )
    name, values = "scales", np.array([1, 1, *(case.scale or ())], np.float32)
    if case.size is not None:
        name, values = "sizes", np.array([*case.shape[:2], *case.size])
    array = case.array()
    feeds = {"x": array}
    elem_type = ONNX_TYPES[case.dtype]
    nodes, x, y = [], "x", "y"
    if case.dtype == "bfloat16":  # which numpy cannot hand over
        feeds["x"] = array.astype(np.float32)
        x, y = "narrow", "resized"
        nodes.append(helper.make_node("Cast", ["x"], [x], to=elem_type))
    attributes = {k: int(v) if isinstance(v, bool) else v for k, v in case.attributes.items()}
    if least < 18:
        del attributes["antialias"]
    roi, initializers = "", []
    if opset < 13:
        roi = "roi"
        initializers.append(helper.make_tensor("roi", TensorProto.FLOAT, [0], []))
    names = [x, roi, name] if name == "scales" else [x, roi, roi, name]
    nodes.append(helper.make_node("Resize", names, [y], mode="cubic", **attributes))
    if case.dtype == "bfloat16":
        nodes.append(helper.make_node("Cast", [y], ["y"], to=TensorProto.FLOAT))
    outside = TensorProto.FLOAT if case.dtype == "bfloat16" else elem_type
    dims = case.shape if rng.random() < 0.5 else [None] * 4
    inputs = [helper.make_tensor_value_info("x", outside, dims)]
    request_type = helper.np_dtype_to_tensor_dtype(values.dtype)
    if rng.random() < 0.5:
        initializers.append(helper.make_tensor(name, request_type, values.shape, values))
    else:
        inputs.append(helper.make_tensor_value_info(name, request_type, [4]))
        feeds[name] = values
    graph = helper.make_graph(
        nodes, "graph", inputs, [helper.make_tensor_value_info("y", outside, [None] * 4)],
        initializers,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)
    return model, feeds


def test_random_models_have_the_bits_of_numpy():
    rng = np.random.default_rng(19)
    for _ in range(multiplied(150)):
        case = random_case(rng)
        model, feeds = resize_of(case, rng)
        want = sr_ops.numpy.dynamic_upscale(case.array(), **case.keywords)
        got = run(model, feeds)
        assert_same_bits(got, want.astype(got.dtype), case)


def channels_last(opset, dtype, **attributes):
    graph = helper.make_graph(
        [helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="cubic", **attributes)],
        "graph",
        [
            helper.make_tensor_value_info("x", dtype, [None] * 4),
            helper.make_tensor_value_info("scales", TensorProto.FLOAT, [4]),
        ],
        [helper.make_tensor_value_info("y", dtype, [None] * 4)],
    )
    imports = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


@pytest.mark.parametrize("channels", [1, 3, 17])
def test_channels_last(channels, rng):
    """As models from TensorFlow have it: the runtime's own Resize takes that, too."""
    model = channels_last(19, TensorProto.FLOAT)
    x = rng.random((2, 20, 31, channels), dtype=np.float32)
    feeds = {"x": x, "scales": np.array([1, 2, 1.5, 1], np.float32)}
    y = run(model, feeds)
    want = sr_ops.numpy.dynamic_upscale(x, (2, 1.5), layout="NHWC")
    assert_same_bits(y, want, feeds["scales"])
    np.testing.assert_allclose(y, stock_session(model).run(None, feeds)[0], atol=1e-5)


def test_channels_last_by_sizes_and_axes(rng):
    x = rng.random((2, 20, 31, 3), dtype=np.float32)
    for inputs, values, attributes in (
        (["x", "", "", "r"], np.array([2, 33, 44, 3]), {}),
        (["x", "", "", "r"], np.array([44, 33]), {"axes": [2, 1]}),
    ):
        graph = helper.make_graph(
            [helper.make_node("Resize", inputs, ["y"], mode="cubic", **attributes)],
            "graph",
            [
                helper.make_tensor_value_info("x", TensorProto.FLOAT, [None] * 4),
                helper.make_tensor_value_info("r", TensorProto.INT64, [len(values)]),
            ],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)],
        )
        imports = [helper.make_opsetid("", 18)]
        model = helper.make_model(graph, opset_imports=imports, ir_version=8)
        want = sr_ops.numpy.dynamic_upscale(x, size=(33, 44), layout="NHWC")
        assert_same_bits(run(model, {"x": x, "r": values}), want, attributes)


def test_an_axis_that_keeps_its_size_is_still_filtered(rng):
    """26 x 1.035 -> 26: ONNX Runtime's antialiased Resize copies such an axis; ours does not."""
    model = channels_last(19, TensorProto.FLOAT, antialias=1)
    x = rng.random((1, 1, 26, 40), dtype=np.float32)
    scales = np.array([1, 1, 1.035, 0.5], np.float32)
    y = run(model, {"x": x, "scales": scales})
    exact = sr_ops.reference.dynamic_upscale(x, scales[2:].tolist(), antialias=True)
    np.testing.assert_allclose(y, exact, atol=5e-7)


def test_our_operators_come_with_the_provider(rng):
    """One registration brings both: a model with nodes of either kind."""
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 18, "sr_ops": 1]> '
        "graph (float[1,3,H,W] x) => (float[a,b,c,d] y) <float[4] s = {1, 1, 2, 2}> "
        '{ a = sr_ops.DynamicUpscale(x, s) y = Resize<mode = "cubic">(a, , s) }'
    )
    x = rng.random((1, 3, 7, 9), dtype=np.float32)
    session = provider_session(model, by="device")
    assert taken(session) == ["Resize"]
    twice = sr_ops.numpy.dynamic_upscale(sr_ops.numpy.dynamic_upscale(x, 2), 2)
    assert_same_bits(session.run(None, {"x": x})[0], twice, "")
    options = quiet_options()  # and where they are registered already
    options.register_custom_ops_library(sr_ops.get_library_path())
    session = provider_session(model, options, by="device")
    assert taken(session) == ["Resize"]
    assert_same_bits(session.run(None, {"x": x})[0], twice, "")
