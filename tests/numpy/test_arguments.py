"""What the numpy front end refuses, and what it says then."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from cases import assert_same_bits

import sr_ops
from sr_ops.errors import InvalidArgumentError, InvalidTypeError, SrOpsError

upscale = sr_ops.numpy.dynamic_upscale
X = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"scale": 0}, "scale: got 0, expected finite numbers > 0"),
        ({"scale": 10**400}, "scale: got 1000"),
        ({"size": (10**400, 2)}, "more than 2**40 elements"),
        ({"scale": 2, "cubic_coeff_a": 10**400}, "cubic_coeff_a: got 1000"),
        # Python refuses to write these.
        ({"scale": 10**5000}, "scale: got int too long to be shown"),
        ({"size": (10**5000, 2)}, "size: got tuple too long to be shown"),
        ({"scale": 2, "window": (0, 0, 10**5000, 1)}, "window: got tuple too long"),
        ({"scale": 2, "crop": (10**5000, 1), "source_size": (9, 9)}, "crop: got tuple too long"),
        ({"scale": -2.0}, "scale: got -2.0"),
        ({"scale": float("nan")}, "scale: got nan"),
        ({"scale": float("inf")}, "scale: got inf"),
        ({"scale": 1e300}, "scale: got 1e+300"),  # infinite as a float32
        ({"scale": 1e-300}, "scale: got 1e-300"),  # zero as a float32
        ({"scale": (2, 0)}, "scale: got (2, 0)"),
        ({"scale": (1, 2, 3)}, "scale: got 3 elements, expected 1, 2"),
        ({"scale": []}, "scale: got 0 elements"),
        ({"scale": [2, 1, 3, 3]}, "the first two of four elements must be 1"),
        ({"scale": 0.1}, "each axis must keep at least one pixel"),
        ({"scale": 1e7}, "more than 2**40 elements"),
        ({"scale": 3e38}, "more than 2**40 elements"),
        ({"size": (2**21, 2**21)}, "more than 2**40 elements"),
        ({"size": (0, 4)}, "size: got (0, 4), expected integers >= 1"),
        ({"size": (3, -4)}, "size: got (3, -4)"),
        ({"size": (3,)}, "size: got 1 elements"),
        ({}, "scale, size: got neither"),
        ({"scale": 2, "size": (6, 8)}, "scale, size: got both"),
        ({"scale": 2, "layout": "CHW"}, "layout: got 'CHW', expected one of NCHW, NHWC, HWC, HW"),
        ({"scale": 2, "layout": ["NCHW"]}, "layout: got ['NCHW']"),
        ({"scale": 2, "layout": np.array(["NCHW", "HW"])}, "layout: got array(['NCHW', 'HW']"),
        ({"scale": 2, "layout": "HW"}, "array: got shape [1, 2, 3, 4], expected 2 axes"),
        ({"scale": 2, "coordinate_transformation_mode": "tf_crop_and_resize"}, "half_pixel"),
        ({"scale": 2, "coordinate_transformation_mode": None}, "half_pixel"),
        ({"scale": 2, "cubic_coeff_a": float("nan")}, "cubic_coeff_a: got nan"),
        ({"scale": 2, "cubic_coeff_a": 1e39}, "cubic_coeff_a: got 1e+39"),
    ],
)
def test_values_that_are_refused(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=re.escape(message)) as caught:
        upscale(X, **keywords)
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, SrOpsError)


def test_integers_that_python_refuses_to_write() -> None:
    huge = 10**5000
    for call in (
        lambda: sr_ops.numpy.set_num_threads(huge),
        lambda: sr_ops.numpy.set_limits(work=huge),
        lambda: sr_ops.numpy.source_rectangle((9, 9), 2, window=(0, 0, huge, 1)),
    ):
        with pytest.raises(InvalidArgumentError, match="too long to be shown"):
            call()


def test_lists_that_are_no_arrays() -> None:
    inside: list[Any] = []
    inside.append(inside)
    for value in ([[[[1.0, 2.0], [3.0]]]], inside):
        for function in (upscale, sr_ops.reference.dynamic_upscale):
            with pytest.raises(InvalidArgumentError, match="got a list that is no array"):
                function(value, 2)
    with pytest.raises(InvalidArgumentError, match=r"x: got shape \[3\], expected"):
        sr_ops.reference.dynamic_upscale([1, 2, 3], 2)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"scale": "2"}, "scale: got str"),
        ({"scale": True}, "scale: got True, expected numbers"),
        ({"scale": [2, None]}, "scale: got [2, None], expected numbers"),
        ({"scale": 2j}, "scale: got complex"),
        ({"scale": np.ones((2, 2))}, "expected numbers"),
        ({"size": 7}, "size: got 7, expected a pair"),
        ({"size": (6.0, 8.0)}, "size: got (6.0, 8.0), expected a pair of integers"),
        ({"scale": 2, "cubic_coeff_a": "keys"}, "cubic_coeff_a: got 'keys'"),
        ({"scale": 2, "antialias": 1}, "antialias: got 1, expected True or False"),
        ({"scale": 2, "exclude_outside": "no"}, "exclude_outside: got 'no', expected True"),
        ({"scale": 2, "out": [[0.0]]}, "out: got list, expected a numpy array"),
        ({"scale": 2, "out": np.empty((1, 2, 6, 8))}, "out: got dtype float64"),
    ],
)
def test_types_that_are_refused(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidTypeError, match=re.escape(message)) as caught:
        upscale(X, **keywords)
    assert isinstance(caught.value, TypeError) and isinstance(caught.value, SrOpsError)


@pytest.mark.parametrize("dtype", ["int16", "int64", "bool", "complex64", "object", "str", "O,f4"])
def test_dtypes_that_are_refused(dtype: str) -> None:
    with pytest.raises(InvalidTypeError, match=r"array: got dtype .*float32, float64"):
        upscale(np.zeros((1, 1, 2, 2), dtype), 2)


@pytest.mark.parametrize("shape", [(1, 1, 0, 4), (1, 1, 4, 0)])
def test_an_image_without_pixels(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidArgumentError, match="height and width must be at least 1"):
        upscale(np.zeros(shape, np.float32), 2)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 2, 3), (1, 1, 1, 2, 2)])
def test_a_wrong_number_of_axes(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidArgumentError, match="expected 4 axes"):
        upscale(np.zeros(shape, np.float32), 2)


def test_a_result_beyond_memory() -> None:
    with pytest.raises(MemoryError):
        upscale(np.zeros((1, 1, 2**10, 2**10), np.float64), 2**9)  # 2 TiB, below the 2**40 cap


def test_out_is_filled_and_returned() -> None:
    for layout, shape in (("NCHW", (1, 2, 6, 8)), ("NHWC", (1, 4, 6, 4))):
        out = np.full(shape, np.nan, np.float32)
        assert upscale(X, 2, layout=layout, out=out) is out
        assert_same_bits(out, upscale(X, 2, layout=layout), layout)


def test_out_may_lie_as_nhwc_while_its_axes_are_nchw() -> None:
    out = np.empty((1, 6, 8, 2), np.float32).transpose(0, 3, 1, 2)
    assert_same_bits(upscale(X, 2, out=out).copy(), upscale(X, 2), "channels last")


def test_out_may_be_a_crop_beside_the_input() -> None:
    """Interleaved with the input in one buffer, but sharing no element with it."""
    buffer = np.zeros((1, 2, 6, 12), np.float32)
    buffer[:, :, :3, :4] = X
    upscale(buffer[:, :, :3, :4], 2, out=buffer[..., 4:])
    assert_same_bits(buffer[..., 4:].copy(), upscale(X, 2), "crop")
    assert (buffer[:, :, :3, :4] == X).all() and (buffer[:, :, 3:, :4] == 0).all()


def _read_only() -> np.ndarray:
    out = np.empty((1, 2, 6, 8), np.float32)
    out.flags.writeable = False
    return out


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (np.empty((1, 2, 6, 9), np.float32), "got shape [1, 2, 6, 9], expected the result's shape"),
        (np.empty((2, 6, 8), np.float32), "got shape [2, 6, 8]"),
        (np.empty((1, 2, 6, 16), np.float32)[..., ::2], "its rows must be contiguous"),
        (np.empty((1, 2, 6, 8), np.float32)[..., ::-1], "its rows must be contiguous"),
        (np.asfortranarray(np.empty((1, 2, 6, 8), np.float32)), "its rows must be contiguous"),
        (_read_only(), "read-only"),
        (
            np.lib.stride_tricks.as_strided(
                np.empty(200, np.float32), (1, 2, 6, 8), (400, 200, 16, 4)
            ),
            "some of its elements share memory",
        ),
        (np.empty(385, np.uint8)[1:].view(np.float32).reshape(1, 2, 6, 8), "not aligned"),
    ],
)
def test_out_that_is_refused(out: np.ndarray, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=re.escape(message)) as caught:
        upscale(X, 2, out=out)
    assert str(caught.value).startswith("out: ")


def test_out_that_overlaps_the_input() -> None:
    buffer = np.zeros(200, np.float32)
    x, out = buffer[:24].reshape(1, 2, 3, 4), buffer[20:116].reshape(1, 2, 6, 8)
    for array, target, scale in ((x, out, 2), (x, x, 1), (x[..., ::-1], x, 1)):
        before = buffer.copy()
        with pytest.raises(InvalidArgumentError, match="out: shares memory with array"):
            upscale(array, scale, out=target)
        assert (buffer == before).all()


@pytest.mark.parametrize("mask", [np.ma.nomask, True, np.eye(3, 4, dtype=bool)])
@pytest.mark.parametrize("in_a_list", [False, True])
def test_masked_arrays_are_refused(mask: Any, in_a_list: bool) -> None:
    image = np.ma.masked_array(X[0, 0], mask=mask)  # type: ignore[no-untyped-call]
    array = [[image]] if in_a_list else image
    keywords: dict[str, Any] = {"layout": "NCHW" if in_a_list else "HW"}
    with pytest.raises(InvalidTypeError, match=r"array: got a masked array.*array.filled"):
        upscale(array, 2, **keywords)
    with pytest.raises(InvalidTypeError, match=r"x: got a masked array"):
        sr_ops.reference.dynamic_upscale(array, 2)


@pytest.mark.parametrize("name", ["out", "scale", "size", "window"])
def test_masked_arrays_are_refused_in_every_argument(name: str) -> None:
    masked = np.ma.masked_array([[2.0]], mask=[[True]])  # type: ignore[no-untyped-call]
    keywords = {"scale": 2, name: masked}
    if name == "size":
        del keywords["scale"]
    with pytest.raises(InvalidTypeError, match=rf"{name}.*: got a masked array"):
        upscale(X[0, 0], layout="HW", **keywords)
