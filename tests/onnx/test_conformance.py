"""The ONNX package's own tests of cubic Resize, and random comparisons with others."""

from __future__ import annotations

import functools
import itertools
import warnings

import numpy as np
import pytest
from onnx import TensorProto, helper
from provider_sessions import run as run_by_provider
from runtime import run, run_profiled

import sr_ops
from sr_ops import reference

#: In one process: making onnx's list of tests takes seconds.
pytestmark = pytest.mark.xdist_group("node tests")

#: The 11 cubic node tests of onnx 1.23.
NODE_TESTS = [
    "test_resize_downsample_scales_cubic",
    "test_resize_downsample_scales_cubic_A_n0p5_exclude_outside",
    "test_resize_downsample_scales_cubic_antialias",
    "test_resize_downsample_sizes_cubic",
    "test_resize_downsample_sizes_cubic_antialias",
    "test_resize_upsample_scales_cubic",
    "test_resize_upsample_scales_cubic_A_n0p5_exclude_outside",
    "test_resize_upsample_scales_cubic_align_corners",
    "test_resize_upsample_scales_cubic_asymmetric",
    "test_resize_upsample_sizes_cubic",
]
#: Expects values that neither the specification nor ONNX Runtime gives.
CONTRADICTORY = "test_resize_downsample_scales_cubic_align_corners"


@functools.cache
def node_tests():
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other operators' tests
        return {case.name: case for case in collect_testcases("Resize") if "cubic" in case.name}


def read_case(name):
    case = node_tests()[name]
    ((inputs, outputs),) = case.data_sets
    names = [value.name for value in case.model.graph.input]
    return case.model, dict(zip(names, inputs, strict=True)), outputs[0]


def test_the_lists_are_complete():
    assert sorted([*NODE_TESTS, CONTRADICTORY]) == sorted(node_tests())


@pytest.mark.parametrize("name", NODE_TESTS)
@pytest.mark.parametrize("library", [False, True], ids=["function", "library"])
def test_node_tests_of_the_onnx_package(name, library):
    original, feeds, want = read_case(name)
    model, report = sr_ops.onnx.accelerate(original, return_report=True)
    assert report.converted
    (y,), executed = run_profiled(model, feeds, library=library)
    assert executed & {"DynamicUpscale", "DynamicUpscaleToSizes", "Resize", "MatMul"} == (
        {report.converted[0].became} if library else {"MatMul"}
    )
    np.testing.assert_allclose(y, want, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", NODE_TESTS)
def test_node_tests_of_the_onnx_package_by_the_execution_provider(name):
    """As they are: not converted."""
    original, feeds, want = read_case(name)
    y = run_by_provider(original, feeds)
    np.testing.assert_allclose(y, want, rtol=1e-3, atol=1e-5)


def test_the_one_that_contradicts_the_specification():
    original, feeds, expectation = read_case(CONTRADICTORY)
    model = sr_ops.onnx.accelerate(original)
    ours = run(model, feeds, library=True)[0]
    np.testing.assert_allclose(ours, run(original, feeds)[0], atol=1e-5)
    exact = reference.dynamic_upscale(
        feeds["X"], (0.8, 0.8), coordinate_transformation_mode="align_corners"
    )
    np.testing.assert_allclose(ours, exact, atol=1e-5)
    assert np.abs(ours - expectation).max() > 0.9


def both_models(opset, **attributes):
    """A standard Resize with scales as input, and the same accelerated."""
    graph = helper.make_graph(
        [helper.make_node("Resize", ["x", "", "s"], ["y"], mode="cubic", **attributes)],
        "graph",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [None] * 4),
            helper.make_tensor_value_info("s", TensorProto.FLOAT, [4]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)],
    )
    imports = [helper.make_opsetid("", opset)]
    standard = helper.make_model(graph, opset_imports=imports, ir_version=8)
    return standard, sr_ops.onnx.accelerate(standard)


MODES = [
    "half_pixel",
    "half_pixel_symmetric",
    "pytorch_half_pixel",
    "align_corners",
    "asymmetric",
]


def onnx_runtime_is_right(shape, out_shape, antialias):
    """Where a size stays, ONNX Runtime copies: with antialias an axis, else the whole image."""
    stays = [n == m for n, m in zip(shape[2:], out_shape[2:], strict=True)]
    return not (any(stays) if antialias else all(stays))


@pytest.mark.parametrize(
    ("mode", "antialias", "exclude_outside", "cubic_coeff_a"),
    itertools.product(MODES, [0, 1], [0, 1], [-0.75, -0.5]),
)
def test_random_images_and_scales(mode, antialias, exclude_outside, cubic_coeff_a, rng):
    attributes = {
        "coordinate_transformation_mode": mode,
        "antialias": antialias,
        "exclude_outside": exclude_outside,
        "cubic_coeff_a": cubic_coeff_a,
    }
    standard, ours = both_models(19, **attributes)
    compared = 0
    for _ in range(8):
        shape = (1, 2, *rng.integers(1, 40, 2))
        scale = np.exp(rng.uniform(np.log(0.3), np.log(6), 2)).astype(np.float32)
        if (np.trunc(np.float32(shape[2:]) * scale) < 1).any():
            continue
        x = rng.random(shape, dtype=np.float32)
        feeds = {"x": x, "s": np.array([1, 1, *scale], np.float32)}
        y = run(ours, feeds, library=True)[0]
        exact = reference.dynamic_upscale(x, scale.tolist(), **attributes)
        assert y.shape == exact.shape
        assert np.abs(y - exact).max() <= 5e-7
        theirs = run(standard, feeds)[0]
        assert theirs.shape == y.shape
        if onnx_runtime_is_right(shape, y.shape, antialias):
            compared += 1
            assert np.abs(theirs - y).max() <= 1e-5
    assert compared >= 3
