"""Whatever is passed to a front end: a result of the promised shape, or one of our errors."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import onnxruntime
import pytest
import torch
from cases import MODES, multiplied
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

import sr_ops
from sr_ops import _arguments
from sr_ops.errors import InvalidArgumentError, InvalidTypeError

#: Beyond this, what is asked for is valid and only takes memory.
MOST_ELEMENTS = 2**16

anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.just(object()),
    st.just(int),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    st.sets(st.integers(), max_size=2),
    st.lists(st.one_of(st.integers(-3, 9), st.floats(), st.none(), st.text()), max_size=5),
    st.tuples(st.floats(), st.floats()),
    st.sampled_from(
        [
            np.float32(2),
            np.array([1, 1, 2, 3]),
            np.array("2"),
            np.array([[2.0]]),
            np.array([None, 2], object),
            np.datetime64("2026-01-01"),
            ml_dtypes.bfloat16(1.5),
            torch.tensor([2.0, 3.0]),
            torch.tensor(2),
            torch.tensor([], dtype=torch.float64),
            torch.tensor([1 + 2j, 3]),
            torch.empty(2, device="meta"),
        ]
    ),
)
good_scale = st.floats(0.25, 4, width=32)
good_size = st.tuples(st.integers(1, 20), st.integers(1, 20))


def _mostly(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(good, good, anything)


keywords = st.fixed_dictionaries(
    {},
    optional={
        "scale": st.one_of(_mostly(good_scale), st.tuples(good_scale, anything)),
        "size": st.one_of(_mostly(good_size), st.tuples(st.integers(-2, 20), anything)),
        "coordinate_transformation_mode": _mostly(st.sampled_from(MODES)),
        "cubic_coeff_a": _mostly(st.floats(-2, 2)),
        "antialias": _mostly(st.booleans()),
        "exclude_outside": _mostly(st.booleans()),
    },
)
extents = st.integers(0, 7)
DTYPES = ("float32", "float64", "float16", "uint8", "int8", "int32", "bool", "complex64")


def _is_modest(shape: tuple[int, ...], arguments: dict[str, Any]) -> bool:
    """False for what is valid and asks for an output that takes memory."""
    try:
        size = _arguments.resolve(
            max(shape[-2], 1), max(shape[-1], 1), arguments.get("scale"), arguments.get("size")
        )[:2]
    except Exception:
        return True  # for the front end to refuse
    return math.prod(shape[:-2]) * math.prod(size) <= MOST_ELEMENTS


@settings(max_examples=multiplied(300), deadline=None)
@given(
    st.lists(extents, max_size=5).map(tuple), st.sampled_from(DTYPES), keywords,
    _mostly(st.sampled_from(("NCHW", "NHWC", "HWC", "HW"))),
)  # fmt: skip
def test_numpy(shape: tuple[int, ...], dtype: str, arguments: dict[str, Any], layout: Any) -> None:
    x = np.ones(shape, dtype)
    if len(shape) >= 2 and not all(
        _is_modest((*shape[:-2], *pair), arguments)
        for pair in (shape[-2:], shape[:2], shape[1:3])
        if len(pair) == 2
    ):
        return
    try:
        y = sr_ops.numpy.dynamic_upscale(x, layout=layout, **arguments)
    except (InvalidArgumentError, InvalidTypeError) as error:
        assert str(error)
        return
    assert y.dtype == x.dtype and y.ndim == x.ndim


@settings(max_examples=multiplied(150), deadline=None)
@given(anything, keywords)
def test_numpy_of_no_array(x: Any, arguments: dict[str, Any]) -> None:
    if isinstance(x, (np.ndarray, torch.Tensor)):
        return
    with pytest.raises((InvalidArgumentError, InvalidTypeError)):
        sr_ops.numpy.dynamic_upscale(x, **arguments)


@settings(max_examples=multiplied(300), deadline=None)
@given(st.lists(extents, max_size=5).map(tuple), st.sampled_from(DTYPES), keywords, st.booleans())
def test_torch(
    shape: tuple[int, ...], dtype: str, arguments: dict[str, Any], gradient: bool
) -> None:
    x = torch.ones(shape, dtype=getattr(torch, dtype))
    if len(shape) >= 2 and not _is_modest(shape, arguments):
        return
    if gradient and x.is_floating_point():
        x.requires_grad_()
    try:
        y = sr_ops.dynamic_upscale(x, **arguments)
    except (InvalidArgumentError, InvalidTypeError) as error:
        assert str(error)
        return
    assert y.dtype == x.dtype and y.ndim == 4
    if y.requires_grad:
        y.sum().backward()
        assert x.grad is not None and x.grad.shape == x.shape


@settings(max_examples=multiplied(150), deadline=None)
@given(anything, keywords)
def test_torch_of_no_tensor(x: Any, arguments: dict[str, Any]) -> None:
    if isinstance(x, torch.Tensor):
        return
    with pytest.raises((InvalidArgumentError, InvalidTypeError)):
        sr_ops.dynamic_upscale(x, **arguments)


def _session(op: str, request: str, request_type: int) -> onnxruntime.InferenceSession:
    node = helper.make_node(op, ["X", request], ["Y"], domain="sr_ops")
    graph = helper.make_graph(
        [node],
        "graph",
        [
            helper.make_tensor_value_info("X", TensorProto.FLOAT, None),
            helper.make_tensor_value_info(request, request_type, None),
        ],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, None)],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("sr_ops", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.register_custom_ops_library(sr_ops.get_library_path())
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


@pytest.mark.parametrize(
    ("op", "request_name", "request_type"),
    [
        ("DynamicUpscale", "scales", TensorProto.FLOAT),
        ("DynamicUpscaleToSizes", "sizes", TensorProto.INT64),
    ],
)
def test_onnxruntime(op: str, request_name: str, request_type: int) -> None:
    session = _session(op, request_name, request_type)
    dtype = np.float32 if request_type == TensorProto.FLOAT else np.int64
    numbers: st.SearchStrategy[Any] = (
        st.floats(width=32) if dtype is np.float32 else st.integers(-(2**63), 2**63 - 1)
    )

    @settings(max_examples=multiplied(300), deadline=None)
    @given(
        st.lists(extents, max_size=5).map(tuple),
        st.lists(st.one_of(st.just(1), st.integers(1, 9), numbers), max_size=5),
        st.booleans(),
    )
    def check(shape: tuple[int, ...], request: list[Any], column: bool) -> None:
        values = np.array(request, dtype).reshape(-1, 1) if column else np.array(request, dtype)
        if any(2**10 < abs(number) < 2**41 for number in values.ravel().tolist()):
            return  # valid perhaps, and only takes memory
        try:
            (y,) = session.run(None, {"X": np.ones(shape, np.float32), request_name: values})
        except Exception as error:
            assert type(error).__module__.startswith("onnxruntime"), error
            assert op in str(error), error
        else:
            assert y.ndim == len(shape)

    check()
