"""Models that were exported for one scale and one size, opened."""

from __future__ import annotations

import warnings

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from runtime import run, run_profiled
from torch.nn import functional

import sr_ops
from sr_ops.errors import FileError, InvalidArgumentError, ModelError
from sr_ops.models import SRCNN


def dims(value):
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


def open_and_compare(original, *, factor=3.0, height=8, width=9, mode="cubic", opset=18):
    """The opened model gives the old result by default, and the right one at other scales."""
    rng = np.random.default_rng(1)
    model = sr_ops.onnx.make_dynamic(original)
    onnx.checker.check_model(model, full_check=True)
    x = rng.random((1, 3, height, width), dtype=np.float32)
    np.testing.assert_allclose(run(model, {"x": x})[0], run(original, {"x": x})[0], atol=1e-6)

    x = rng.random((2, 3, 11, 13), dtype=np.float32)
    scale = np.array([2.7, 1.4], np.float32)
    y = run(model, {"x": x, "scale": scale})[0]
    resize = helper.make_node("Resize", ["x", "", "s"], ["y"], mode=mode)
    graph = helper.make_graph(
        [resize],
        "expected",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [None] * 4),
            helper.make_tensor_value_info("s", TensorProto.FLOAT, [4]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)],
    )
    expected = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    want = run(expected, {"x": x, "s": np.array([1, 1, *scale], np.float32)})[0]
    np.testing.assert_allclose(y, want, atol=1e-6)
    return model


def fixed(body, *, shape="1,3,8,9", output="1,3,24,27", opset=18, constants=""):
    return onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["": {opset}]> graph (float[{shape}] x) => '
        f"(float[{output}] y) <{constants}> {{ {body} }}"
    )


@pytest.mark.parametrize(
    ("body", "constants"),
    [
        ('y = Resize<mode="cubic">(x, , s)', "float[4] s = {1, 1, 3, 3}"),
        ('s = Constant<value = float[4] {1, 1, 3, 3}>() y = Resize<mode="cubic">(x, , s)', ""),
        (
            "a = Constant<value = float[2] {1, 1}>() b = Constant<value_floats = [3.0, 3.0]>()"
            's = Concat<axis=0>(a, b) y = Resize<mode="cubic">(x, , s)',
            "",
        ),
        ('y = Resize<mode="cubic", axes=[2, 3]>(x, , s)', "float[2] s = {3, 3}"),
        ('y = Resize<mode="cubic">(x, , , n)', "int64[4] n = {1, 3, 24, 27}"),
        ('y = Resize<mode="cubic", axes=[-2, -1]>(x, , , n)', "int64[2] n = {24, 27}"),
        (
            "shape = Shape(x) outer = Slice(shape, zero, two, zero)"
            'n = Concat<axis=0>(outer, size) y = Resize<mode="cubic">(x, , , n)',
            "int64[1] zero = {0}, int64[1] two = {2}, int64[2] size = {24, 27}",
        ),
        (
            "shape = Shape(x) h = Gather<axis=0>(shape, i) w = Gather<axis=0>(shape, j)"
            "fh = Cast<to=1>(h) fw = Cast<to=1>(w) gh = Mul(fh, three) gw = Mul(fw, three)"
            "ih = Floor(gh) iw = Floor(gw) nh = Cast<to=7>(ih) nw = Cast<to=7>(iw)"
            "outer = Slice(shape, zero, two, zero) n = Concat<axis=0>(outer, nh, nw)"
            'y = Resize<mode="cubic">(x, , , n)',
            "int64[1] i = {2}, int64[1] j = {3}, float three = {3}, int64[1] zero = {0}, "
            "int64[1] two = {2}",
        ),
        (
            'big = Expand(x, b) n = Shape(big) y = Resize<mode="cubic">(x, , s)',
            "float[4] s = {1, 1, 3, 3}, int64[4] b = {1, 1, 1, 1}",
        ),
    ],
    ids=[
        "initializer",
        "Constant",
        "computed from constants",
        "axes",
        "constant sizes",
        "constant sizes, axes",
        "Shape-Slice-Concat",
        "sizes computed from the image",
        "bystanders",
    ],
)  # fmt: skip
def test_every_form_of_a_fixed_scale(body, constants):
    if body.startswith("n = Shape(big)"):
        body = body.replace(
            "n = Shape(big) big = Expand(x, b)", "big = Expand(x, b) n = Shape(big)"
        )
    model = open_and_compare(fixed(body, constants=constants))
    assert dims(model.graph.input[0]) == ["batch", 3, "height", "width"]
    assert dims(model.graph.input[1]) == [2]
    default = {t.name: t for t in model.graph.initializer}["scale"]
    assert numpy_helper.to_array(default).tolist() == [3, 3]
    assert dims(model.graph.output[0]) == ["batch", 3, "upscaled_height", "upscaled_width"]


@pytest.mark.parametrize("opset", [9, 10])
def test_old_upsampling_nodes(opset):
    op = "Upsample" if opset == 9 else "Resize"
    original = fixed(
        f'y = {op}<mode="nearest">(x, s)', constants="float[4] s = {1, 1, 3, 3}", opset=opset
    )
    model = sr_ops.onnx.make_dynamic(original)
    onnx.checker.check_model(model, full_check=True)
    x = np.random.default_rng(1).random((1, 3, 5, 6), dtype=np.float32)
    y = run(model, {"x": x, "scale": np.array([2, 4], np.float32)})[0]
    np.testing.assert_array_equal(y, x.repeat(2, 2).repeat(4, 3))
    np.testing.assert_array_equal(run(model, {"x": x})[0], x.repeat(3, 2).repeat(3, 3))


def test_every_initializer_an_input():
    """As all models were before IR version 4."""
    original = fixed(
        'y = Upsample<mode="nearest">(x, s)', constants="float[4] s = {1, 1, 3, 3}", opset=9
    )
    original.ir_version = 3
    original.graph.input.append(helper.make_tensor_value_info("s", TensorProto.FLOAT, [4]))
    model = sr_ops.onnx.make_dynamic(original)
    assert [value.name for value in model.graph.input] == ["x", "scale"]
    x = np.ones((1, 3, 5, 6), np.float32)
    feeds = {"x": x, "scale": np.array([2, 4], np.float32)}
    assert run(model, feeds)[0].shape == (1, 3, 10, 24)


@pytest.mark.parametrize("opset", [11, 13])
@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("factor", [3.0, 2.5])
def test_what_torchs_own_exporter_writes_for_interpolate(opset, dynamic, factor, tmp_path):
    class Fixed(torch.nn.Module):
        def forward(self, x):
            return functional.interpolate(x, scale_factor=factor, mode="bicubic")

    path = tmp_path / "fixed.onnx"
    axes = {"x": {0: "n", 2: "h", 3: "w"}} if dynamic else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Fixed(),
            (torch.rand(1, 3, 8, 10),),
            str(path),
            input_names=["x"],
            output_names=["y"],
            dynamic_axes=axes,
            opset_version=opset,
            dynamo=False,
        )
    open_and_compare(onnx.load(path), factor=factor, width=10)


def test_srcnn_with_a_fixed_factor_runs_at_another(rng):
    torch.manual_seed(0)
    srcnn = SRCNN(features=(8, 4)).eval()

    class Fixed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.srcnn = srcnn

        def forward(self, x):
            return self.srcnn(x, 3.0)

    frozen = sr_ops.onnx.export(Fixed(), (torch.rand(1, 3, 16, 12),), dynamic_axes={})
    assert dims(frozen.graph.output[0]) == [1, 3, 48, 36]
    model = sr_ops.onnx.make_dynamic(frozen)
    x = rng.random((2, 3, 9, 14), dtype=np.float32)
    feeds = {"x": x, "scale": np.array([2.7, 2.7], np.float32)}
    with torch.no_grad():
        want = srcnn(torch.from_numpy(x), 2.7).numpy()
    for library in (False, True):
        (y,), executed = run_profiled(model, feeds, library=library)
        np.testing.assert_allclose(y, want, rtol=1e-3, atol=1e-5)
        assert ("DynamicUpscale" in executed) == library


def test_our_sizes_op_becomes_the_scales_op(rng):
    class Doubled(torch.nn.Module):
        def forward(self, x):
            return sr_ops.dynamic_upscale(x, size=(x.shape[2] * 2, x.shape[3] * 2))

    frozen = sr_ops.onnx.export(Doubled(), (torch.rand(1, 3, 16, 12),))
    assert [f.name for f in frozen.functions] == ["DynamicUpscaleToSizes"]
    model = sr_ops.onnx.make_dynamic(frozen)
    assert [f.name for f in model.functions] == ["DynamicUpscale"]
    x = rng.random((2, 3, 9, 14), dtype=np.float32)
    for library in (False, True):
        y = run(model, {"x": x, "scale": np.array([1.5, 2], np.float32)}, library=library)[0]
        want = sr_ops.dynamic_upscale(torch.from_numpy(x), (1.5, 2)).numpy()
        np.testing.assert_allclose(y, want, atol=1e-5)


TWO = 'a = Resize<mode="cubic">(x, , s) b = Relu(a) y = Resize<mode="linear">(b, , {second})'


def test_nodes_that_share_a_constant_share_the_input():
    model = sr_ops.onnx.make_dynamic(
        fixed(TWO.format(second="s"), constants="float[4] s = {1, 1, 2, 2}", output="1,3,32,36")
    )
    assert [value.name for value in model.graph.input] == ["x", "scale"]


def test_others_get_inputs_of_their_own():
    constants = "float[4] s = {1, 1, 2, 2}, float[4] t = {1, 1, 3, 3}"
    original = fixed(TWO.format(second="t"), constants=constants, output="1,3,48,54")
    model = sr_ops.onnx.make_dynamic(original, scale_name="factor")
    assert [value.name for value in model.graph.input] == ["x", "factor", "factor_2"]
    x = np.ones((1, 3, 5, 6), np.float32)
    feeds = {"x": x, "factor_2": np.array([1, 2], np.float32)}
    assert run(model, feeds)[0].shape == (1, 3, 10, 24)


def test_chosen_nodes_only():
    constants = "float[4] s = {1, 1, 2, 2}, float[4] t = {1, 1, 3, 3}"
    original = fixed(TWO.format(second="t"), constants=constants, output="1,3,48,54")
    original.graph.node[0].name = "first"
    original.graph.node[2].name = "second"
    model, report = sr_ops.onnx.make_dynamic(original, nodes=["second"], return_report=True)
    assert [item.node for item in report.converted] == ["second"]
    x = np.ones((1, 3, 5, 6), np.float32)
    feeds = {"x": x, "scale": np.array([1, 2], np.float32)}
    assert run(model, feeds)[0].shape == (1, 3, 10, 24)
    with pytest.raises(InvalidArgumentError, match=r"nodes: no resampling node .* \['third'\]"):
        sr_ops.onnx.make_dynamic(original, nodes=["third"])


def test_plain_matrices():
    original = onnx.parser.parse_model(
        """<ir_version: 8, opset_import: ["": 18]> graph (float[4,5] x) => (float[8,15] y)
        <float[2] s = {2, 3}> { y = Resize<mode="cubic">(x, , s) }"""
    )
    model = sr_ops.onnx.make_dynamic(original)
    assert not any(isinstance(d, int) and d for d in dims(model.graph.output[0]))
    x = np.ones((4, 5), np.float32)
    assert run(model, {"x": x})[0].shape == (8, 15)
    assert run(model, {"x": x, "scale": np.array([4, 1], np.float32)})[0].shape == (16, 5)


def test_inside_if():
    original = onnx.parser.parse_model(
        """<ir_version: 8, opset_import: ["": 18]>
        graph (float[1,3,4,5] x, bool big) => (float[1,3,h,w] y) {
            y = If (big) <
                then_branch = one () => (float[1,3,12,15] p) {
                    s = Constant<value = float[4] {1, 1, 3, 3}> ()
                    p = Resize<mode="cubic"> (x, , s)
                },
                else_branch = two () => (float[1,3,4,5] q) { q = Identity (x) }
            >
        }"""
    )
    model = sr_ops.onnx.make_dynamic(original)
    onnx.checker.check_model(model, full_check=True)
    x = np.ones((2, 3, 6, 7), np.float32)
    feeds = {"x": x, "big": np.array(True), "scale": np.array([2, 1], np.float32)}
    assert run(model, feeds)[0].shape == (2, 3, 12, 7)
    del feeds["scale"]
    assert run(model, feeds)[0].shape == (2, 3, 18, 21)


@pytest.mark.parametrize(
    ("body", "constants", "reason"),
    [
        ("y = Relu(x)", "", "no resampling node has one"),
        (
            'y = Resize<mode="cubic">(x, , s)',
            "float[4] s = {1, 2, 3, 3}",
            "resamples other axes than the last two",
        ),
        (
            'y = Resize<mode="linear", coordinate_transformation_mode="tf_crop_and_resize">'
            "(x, r, s)",
            "float[4] s = {1, 1, 3, 3}, float[8] r = {0, 0, 0, 0, 1, 1, 1, 1}",
            "it crops",
        ),
        (
            'y = Resize<mode="linear", keep_aspect_ratio_policy="not_larger">(x, , , n)',
            "int64[4] n = {1, 3, 20, 20}",
            "keep_aspect_ratio_policy",
        ),
    ],
    ids=["nothing", "other axes", "crops", "policy"],
)  # fmt: skip
def test_what_cannot_be_opened(body, constants, reason):
    with pytest.raises(ModelError, match=reason):
        sr_ops.onnx.make_dynamic(
            fixed(body, constants=constants, shape="n,3,h,w", output="n,3,u,v")
        )


def test_a_fixed_output_size_has_no_factor():
    original = fixed(
        'y = Resize<mode="cubic">(x, , , n)',
        constants="int64[4] n = {1, 3, 24, 27}",
        shape="1,3,h,w",
    )
    with pytest.raises(ModelError, match="images of any size the same size"):
        sr_ops.onnx.make_dynamic(original)


def test_dynamic_already():
    model = sr_ops.onnx.make_dynamic(
        fixed('y = Resize<mode="cubic">(x, , s)', constants="float[4] s = {1, 1, 3, 3}")
    )
    with pytest.raises(ModelError, match="dynamic already"):
        sr_ops.onnx.make_dynamic(model)


def test_bad_arguments(tmp_path):
    original = fixed('y = Resize<mode="cubic">(x, , s)', constants="float[4] s = {1, 1, 3, 3}")
    with pytest.raises(InvalidArgumentError, match="scale_name: the model has a value called 'x'"):
        sr_ops.onnx.make_dynamic(original, scale_name="x")
    with pytest.raises(FileError, match="cannot read"):
        sr_ops.onnx.make_dynamic(tmp_path / "none.onnx")
