"""Which cubic Resize nodes become ours, that they then run in our kernel, and the way back."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from resize_forms import (
    FORMS,
    OURS,
    OURS_ONLY,
    Form,
    build,
    expected,
    feeds_of,
    text_model,
    tolerance,
)
from runtime import run, run_profiled

import sr_ops


def resize_nodes(model):
    return [node for node in model.graph.node if node.op_type == "Resize"]


@pytest.mark.parametrize("form", [*FORMS, *OURS_ONLY], ids=str)
def test_form_converts_and_runs_in_our_kernel(form, rng):
    original = build(form)
    before = original.SerializeToString()
    model, report = sr_ops.onnx.accelerate(original, return_report=True)
    assert original.SerializeToString() == before
    onnx.checker.check_model(model, full_check=True)
    assert not resize_nodes(model)
    op = "DynamicUpscaleToSizes" if form.sizes else "DynamicUpscale"
    assert [c.became for c in report.converted] == [op]
    assert not report.left

    feeds = feeds_of(form, rng)
    (y,), executed = run_profiled(model, feeds, library=True)
    assert executed & {*OURS, "Resize"} == {op}
    want = expected(form, feeds["x"])
    assert np.abs(y - want).max() <= tolerance(form)

    (fallback,), executed = run_profiled(model, feeds, library=False)
    assert executed & {*OURS, "Resize", "MatMul"} == {"MatMul"}
    assert fallback.shape == y.shape
    assert np.abs(fallback - want).max() <= 2 * tolerance(form)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_same_results_as_the_original(form, rng):
    original = build(form)
    feeds = feeds_of(form, rng)
    want = run(original, feeds)[0]
    y = run(sr_ops.onnx.accelerate(original), feeds, library=True)[0]
    step = 0.07 if form.dtype == TensorProto.FLOAT16 else 1e-5 * 100
    np.testing.assert_allclose(y, want, rtol=0, atol=step)


@pytest.mark.parametrize("form", [*FORMS, *OURS_ONLY], ids=str)
def test_standardize_is_the_way_back(form, rng):
    feeds = feeds_of(form, rng)
    back, report = sr_ops.onnx.standardize(sr_ops.onnx.accelerate(build(form)), return_report=True)
    onnx.checker.check_model(back, full_check=True)
    assert [item.domain for item in back.opset_import] == [""]
    assert not back.functions
    assert [c.became for c in report.converted] == ["Resize"]
    (y,), executed = run_profiled(back, feeds, library=False)
    assert "Resize" in executed
    want = expected(form, feeds["x"])
    assert np.abs(y - want).max() <= 2 * tolerance(form)


@pytest.mark.parametrize(
    ("body", "keywords", "reason"),
    [
        (
            'y = Resize<mode="cubic", coordinate_transformation_mode="tf_crop_and_resize">'
            "(x, roi, s)",
            {"initializers": ", float[8] roi = {0, 0, 0, 0, 1, 1, 1, 1}"},
            "tf_crop_and_resize",
        ),
        (
            'y = Resize<mode="cubic", keep_aspect_ratio_policy="not_larger", axes=[2, 3]>'
            "(x, , , n)",
            {"initializers": ", int64[2] n = {20, 20}"},
            "keep_aspect_ratio_policy not_larger",
        ),
        (
            'y = Resize<mode="cubic">(x, , n)',
            {"initializers": ", float[4] n = {1, 2, 2, 2}"},
            "axis -3 is resampled, too (2.0)",
        ),
        (
            'y = Resize<mode="cubic">(x, , , n)',
            {"initializers": ", int64[4] n = {1, 6, 18, 22}"},
            "axis -3 is resampled, too (6)",
        ),
        (
            'y = Resize<mode="cubic", axes=[1, 3]>(x, , n)',
            {"initializers": ", float[2] n = {2, 2}"},
            "axis -3 is resampled, too (2.0)",
        ),
        (
            'y = Resize<mode="cubic">(x, , n)',
            {"inputs": "float[1,1,3,9,11] x", "initializers": ", float[5] n = {1, 1, 1, 2, 2}"},
            "X has 5 axes",
        ),
        (
            'c = Cast<to=6>(x) r = Resize<mode="cubic">(c, , s) y = Cast<to=1>(r)',
            {},
            "X is INT32",
        ),
        ('y = Resize<mode="cubic">(x, , s, n)', {"initializers": ", int64[4] n = {1, 3, 18, 22}"},
         "both scales and sizes"),
    ],
    ids=lambda value: value if isinstance(value, str) and "=" not in value else "",
)  # fmt: skip
def test_what_stays_is_listed_with_its_reason(body, keywords, reason):
    original = text_model(body, **keywords)
    model, report = sr_ops.onnx.accelerate(original, return_report=True)
    assert not report.converted
    assert reason in report.left[0].reason
    assert reason in str(report)
    assert report.as_dict()["left"][0]["reason"] == report.left[0].reason
    assert len(resize_nodes(model)) == 1
    assert not model.functions


def test_other_modes_are_left_alone():
    model = sr_ops.onnx.accelerate(
        text_model('a = Resize<mode="linear">(x, , s) y = Resize<mode="cubic">(a, , s)')
    )
    assert [node.op_type for node in model.graph.node] == ["Resize", "DynamicUpscale"]


def test_leftovers_of_the_old_node_go():
    form = Form("roi", 13, roi=True)
    names = {tensor.name for tensor in sr_ops.onnx.accelerate(build(form)).graph.initializer}
    assert names == {"extent"}


@pytest.mark.parametrize(
    ("resize", "keywords"),
    [
        ("(x, , n)", {"initializers": ", float[4] n = {1, 0.5, 1.5, 1}"}),
        ("(x, , , n)", {"initializers": ", int64[4] n = {2, 6, 15, 3}"}),
        (
            "(x, , , n)",
            {"initializers": ", int64[4] n = {2, 6, 15, 3}", "inputs": "float[N,H,W,3] x"},
        ),
        ("<axes=[2, 1]>(x, , n)", {"initializers": ", float[2] n = {1.5, 0.5}"}),
        ("<axes=[-3, -2]>(x, , n)", {"inputs": "float[2,12,10,3] x, float[2] n"}),
    ],
)
@pytest.mark.parametrize("antialias", [0, 1])
def test_channels_last(resize, keywords, antialias, rng):
    """As exporters of TensorFlow write it; stock ONNX Runtime refuses to shrink these."""
    attributes = f'mode="cubic", antialias={antialias}'
    given = resize.startswith("<")
    head, arguments = resize[1:].split(">") if given else ("", resize)
    body = f"y = Resize<{', '.join(filter(None, [attributes, head]))}>{arguments}"
    original = text_model(body, **{"inputs": "float[2,12,10,3] x", **keywords})
    model, report = sr_ops.onnx.accelerate(original, return_report=True)
    assert not report.left
    assert [n.op_type for n in model.graph.node].count("Transpose") == 2
    onnx.checker.check_model(model, full_check=True)
    x = rng.random((2, 12, 10, 3), np.float32)
    feeds = {"x": x}
    if "n" in [value.name for value in model.graph.input]:
        feeds["n"] = np.array([0.5, 1.5], np.float32)
    want = sr_ops.numpy.dynamic_upscale(x, (0.5, 1.5), layout="NHWC", antialias=bool(antialias))
    for library in (True, False):
        (y,) = run(model, feeds, library=library)
        assert y.shape == (2, 6, 15, 3)
        np.testing.assert_allclose(y, want, rtol=0, atol=1e-6)


def test_channels_last_of_three_axes(rng):
    original = text_model(
        'p = Squeeze(x, zero) r = Resize<mode="cubic">(p, , n) y = Unsqueeze(r, zero)',
        inputs="uint8[1,8,6,3] x",
        initializers=", int64[1] zero = {0}, float[3] n = {2, 2, 1}",
    )
    original.graph.output[0].type.tensor_type.elem_type = TensorProto.UINT8
    model = sr_ops.onnx.accelerate(original)
    x = rng.integers(256, size=(1, 8, 6, 3)).astype(np.uint8)
    (y,) = run(model, {"x": x}, library=True)
    np.testing.assert_array_equal(y[0], sr_ops.numpy.dynamic_upscale(x[0], 2, layout="HWC"))


def test_transposes_cancel(rng):
    """Where a model turns its images for the Resize alone, the runtime drops all four."""
    model = sr_ops.onnx.accelerate(
        text_model(
            "t = Transpose<perm=[0, 2, 3, 1]>(x) "
            'r = Resize<mode="cubic">(t, , n) y = Transpose<perm=[0, 3, 1, 2]>(r)',
            initializers=", float[4] n = {1, 2, 2, 1}",
        )
    )
    _, executed = run_profiled(model, {"x": rng.random((1, 3, 9, 11), np.float32)}, library=True)
    assert "DynamicUpscale" in executed
    assert "Transpose" not in executed
