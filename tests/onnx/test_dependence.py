"""``sr_ops.onnx.dependence``: an output pixel is NaN exactly where one of its inputs is."""

import numpy as np
import onnx
import pytest

import sr_ops

ORT = pytest.importorskip("onnxruntime")


def model(body, opset=18, kind="float"):
    return onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["": {opset}]> '
        f"graph ({kind}[1,2,H,W] x) => ({kind}[1,C,h,w] y) {{ {body} }}"
    )


def dependent(proto):
    """Which pixels of the output depend on the pixel (4, 5) of the first channel."""
    shown = sr_ops.onnx.dependence(proto).model
    onnx.checker.check_model(shown)
    session = ORT.InferenceSession(shown.SerializeToString(), providers=["CPUExecutionProvider"])
    x = np.random.default_rng(0).random((1, 2, 9, 11), np.float32)
    x[0, 0, 4, 5] = np.nan
    return np.isnan(session.run(None, {"x": x})[0][0])


def only(*at, shape):
    expected = np.zeros(shape, bool)
    expected[at] = True
    return expected


@pytest.mark.parametrize(
    "body",
    [
        "y = Relu(x)",
        "y = Clip(x)",
        "z = Constant<value = float[1] {0.5}>() y = Max(x, z)",
        "z = Constant<value = float[1] {0.5}>() y = Min(z, x)",
    ],
)
def test_what_would_swallow_a_nan_lets_it_through(body):
    np.testing.assert_array_equal(dependent(model(body)), only(0, 4, 5, shape=(2, 9, 11)))


def test_a_maximum_depends_on_all_of_its_window():
    for more in ("", ", storage_order = 0"):
        found = dependent(model(f"y = MaxPool<kernel_shape = [3, 3], strides = [1, 1]{more}>(x)"))
        window = only(0, slice(2, 5), slice(3, 6), shape=(2, 7, 9))
        np.testing.assert_array_equal(found, window)


@pytest.mark.parametrize("opset", [13, 18])
@pytest.mark.parametrize("axis", [1, 3, -2])
def test_a_softmax_depends_on_all_of_its_row(opset, axis):
    found = dependent(model(f"y = Softmax<axis = {axis}>(x)", opset))
    row = [0, 4, 5]
    row[axis - 1 if axis > 0 else axis] = slice(None)
    np.testing.assert_array_equal(found, only(*row, shape=(2, 9, 11)))


def test_bytes_are_floats_in_it():
    body = "f = Cast<to = 1>(x) g = Round(f) y = Cast<to = 2>(g)"
    found = dependent(model(body, kind="uint8"))
    np.testing.assert_array_equal(found, only(0, 4, 5, shape=(2, 9, 11)))


def test_branches_are_opened_too():
    body = (
        "c = Constant<value = bool {1}>() "
        "y = If(c) <then_branch = t () => (float[a,b,d,e] r) { r = Relu(x) }, "
        "else_branch = f () => (float[a,b,d,e] r) { r = Tanh(x) }>"
    )
    np.testing.assert_array_equal(dependent(model(body)), only(0, 4, 5, shape=(2, 9, 11)))
