"""torch, ONNX Runtime and numpy give the same bits and the same sizes."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from cases import (
    DTYPES,
    MODES,
    Case,
    assert_same_bits,
    multiplied,
    random_array,
    random_cases,
)
from front_ends import NOT_IN_TORCH, by_numpy, by_onnxruntime, by_torch, from_torch, to_torch
from hypothesis import given, settings
from hypothesis import strategies as st
from native import resample
from onnx import TensorProto, helper

import sr_ops
from sr_ops import _arguments


def _check(case: Case, layout: str = "NCHW") -> None:
    x = case.array()
    expected = by_numpy(case, x, layout)
    assert_same_bits(by_onnxruntime(case, x), expected, ("ONNX Runtime", case))
    if case.dtype not in NOT_IN_TORCH:
        assert_same_bits(by_torch(case, x, layout), expected, ("torch", layout, case))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_random_problems(layout: str, dtype: str) -> None:
    for case in random_cases(40, seed=31, dtypes=(dtype,)):
        _check(case, layout)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_values_that_are_not_finite(dtype: str) -> None:
    for case in random_cases(40, seed=32, dtypes=(dtype,), values=("special",)):
        _check(case)


extents = st.integers(1, 40)


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    height, width = draw(extents), draw(extents)
    size = draw(st.none() | st.tuples(extents, extents))
    # No factor so small that an axis would vanish.
    scale = None if size else tuple(
        draw(st.floats(float(np.nextafter(np.float32(1 / n), np.float32(2))), 9, width=32))
        for n in (height, width)
    )  # fmt: skip
    return Case(
        shape=(draw(st.integers(0, 3)), draw(st.integers(0, 5)), height, width),
        scale=scale,
        size=size,
        dtype=draw(st.sampled_from(DTYPES)),
        coordinate_transformation_mode=draw(st.sampled_from(MODES)),
        cubic_coeff_a=draw(st.sampled_from((-0.75, -0.5, 0.0, 1.0))),
        antialias=draw(st.booleans()),
        exclude_outside=draw(st.booleans()),
        values=draw(st.sampled_from(("natural", "signs", "special"))),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


@settings(max_examples=multiplied(150), deadline=None)
@given(_cases(), st.sampled_from(("NCHW", "NHWC")))
def test_whatever_hypothesis_thinks_of(case: Case, layout: str) -> None:
    _check(case, layout)


def test_ranks_below_four() -> None:
    for case in random_cases(20, seed=33):
        x = case.array()
        expected = by_numpy(case, x)
        assert_same_bits(by_onnxruntime(case, x[0]), expected[0], ("C, H, W", case))
        plane = sr_ops.numpy.dynamic_upscale(x[0, 0], layout="HW", **case.keywords)
        assert_same_bits(by_onnxruntime(case, x[0, 0]), plane, ("H, W", case))
        assert_same_bits(plane, expected[0, 0], ("H, W", case))


def test_any_number_of_threads_in_each_front_end() -> None:
    before = torch.get_num_threads(), sr_ops.numpy.get_num_threads()
    x = random_array(np.random.default_rng(0), (1, 3, 150, 170), "float32")
    case = Case(x.shape, (2.7, 1.9), None, "float32", "half_pixel", -0.75, False, False, "", 0)
    expected = by_numpy(case, x)
    try:
        for threads in (1, 2, 3, 5):
            torch.set_num_threads(threads)
            sr_ops.numpy.set_num_threads(threads)
            for y in (by_torch(case, x), by_numpy(case, x), by_onnxruntime(case, x, threads)):
                assert_same_bits(y, expected, threads)
    finally:
        torch.set_num_threads(before[0])
        sr_ops.numpy.set_num_threads(before[1])


def test_memory_that_is_not_contiguous() -> None:
    for case in random_cases(20, seed=34, dtypes=("float32", "uint8")):
        x = case.array()
        expected = by_onnxruntime(case, x)
        tensor = to_torch(x).transpose(2, 3).contiguous().transpose(2, 3)
        actual = from_torch(sr_ops.dynamic_upscale(tensor, **case.keywords))
        assert_same_bits(actual, expected, case)
        swapped = np.ascontiguousarray(x.swapaxes(2, 3)).swapaxes(2, 3)
        assert_same_bits(by_numpy(case, swapped), expected, case)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_the_gradient_is_the_core_s_adjoint(layout: str, dtype: str) -> None:
    memory = torch.channels_last if layout == "NHWC" else torch.contiguous_format
    for case in random_cases(20, seed=35, dtypes=(dtype,)):
        gradient = random_array(np.random.default_rng(case.seed), case.out_shape, dtype)
        x = to_torch(case.array()).contiguous(memory_format=memory).requires_grad_()
        y = sr_ops.dynamic_upscale(x, **case.keywords)
        y.backward(to_torch(gradient).contiguous(memory_format=memory))
        assert x.grad is not None
        assert_same_bits(from_torch(x.grad), resample(case, gradient, adjoint=True), case)


def _stock_resize() -> onnxruntime.InferenceSession:
    node = helper.make_node("Resize", ["X", "", "scales"], ["Y"], mode="cubic")
    graph = helper.make_graph(
        [node],
        "resize",
        [
            helper.make_tensor_value_info("X", TensorProto.FLOAT, [None] * 4),
            helper.make_tensor_value_info("scales", TensorProto.FLOAT, [4]),
        ],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, [None] * 4)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


@pytest.mark.parametrize("problems", [600, pytest.param(2000, marks=pytest.mark.long)])
def test_output_sizes(problems: int) -> None:
    """trunc(fl32(fl32(n) * s)) in every front end, and in ONNX Runtime's own Resize."""
    rng = np.random.default_rng(36)
    stock = _stock_resize()
    for _ in range(multiplied(problems)):
        n = int(rng.integers(1, 700))
        tenths = float(rng.integers(3, 80)) / 10  # where the rules of others go astray
        scale = tenths if rng.random() < 0.5 else float(rng.uniform(0.3, 8))
        expected = int(np.float32(n) * np.float32(scale))
        if expected < 1:
            continue
        assert _arguments.output_size(n, scale) == expected
        x = np.zeros((1, 1, 1, n), np.float32)
        case = Case(
            x.shape, (1.0, scale), None, "float32", "half_pixel", -0.75, False, False, "", 0
        )
        scales = np.array([1, 1, 1, scale], np.float32)
        for y in (
            by_numpy(case, x),
            by_torch(case, x),
            by_onnxruntime(case, x),
            stock.run(None, {"X": x, "scales": scales})[0],
        ):
            assert y.shape == (1, 1, 1, expected), (n, scale)


def test_a_size_that_torch_rounds_the_other_way() -> None:
    x = np.zeros((1, 1, 1, 45), np.float32)
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(x), scale_factor=(1.0, 1.4), mode="bicubic"
    )
    assert theirs.shape[-1] == 62
    case = Case(x.shape, (1.0, 1.4), None, "float32", "half_pixel", -0.75, False, False, "", 0)
    for front_end in (by_numpy, by_torch, by_onnxruntime):
        assert front_end(case, x).shape[-1] == 63
