"""The numpy front end against the float64 oracle."""

from __future__ import annotations

import itertools
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from cases import (
    ARRAY_DTYPES,
    COMMON_SCALES,
    MODES,
    QUICK_KINDS,
    Case,
    assert_same_bits,
    numpy_dtype,
    random_array,
    random_cases,
)
from hypothesis import given
from hypothesis import strategies as st

import sr_ops
from sr_ops import reference

upscale = sr_ops.numpy.dynamic_upscale

#: Largest distance from the float64 result, in units of max |x|.
FLOAT32_ERROR = 5e-7


def _assert_accurate(case: Case) -> None:
    x = case.array()
    actual = upscale(x, **case.keywords)
    assert actual.dtype == x.dtype and actual.flags.c_contiguous
    expected = case.expected()
    assert actual.shape == expected.shape, case
    limit = FLOAT32_ERROR * float(np.abs(x.astype(np.float64)).max())
    if case.dtype == "float64":
        limit *= 1e-7  # the oracle's own rounding errors are of this order
    elif x.dtype.kind in "iu":
        limits = np.iinfo(x.dtype)
        expected = expected.clip(limits.min, limits.max)
        limit = 0.5 + limit
    elif case.dtype != "float32":
        # One rounding at the end: half a unit in the last place of the exact result.
        limits = ml_dtypes.finfo(x.dtype)
        half_ulp = np.maximum(np.abs(expected) * float(limits.eps), limits.smallest_subnormal) / 2
        limit = limit + half_ulp
    assert (np.abs(actual.astype(np.float64) - expected) <= limit).all(), case


@pytest.mark.parametrize("dtype", ARRAY_DTYPES)
@pytest.mark.parametrize("kind", QUICK_KINDS)
def test_random_problems(kind: str, dtype: str) -> None:
    for case in random_cases(12, seed=21, kinds=(kind,), dtypes=(dtype,)):
        _assert_accurate(case)


@pytest.mark.parametrize("mode", MODES)
def test_every_combination_of_attributes(mode: str) -> None:
    flags = (False, True)
    for seed, (a, antialias, exclude_outside, scale) in enumerate(
        itertools.product((-0.75, -0.5, 0.25), flags, flags, (0.3, 0.5, 1.0, 1.4, 2.7))
    ):
        x = random_array(np.random.default_rng(seed), (1, 2, 13, 17), "float32")
        keywords = {
            "coordinate_transformation_mode": mode,
            "cubic_coeff_a": a,
            "antialias": antialias,
            "exclude_outside": exclude_outside,
        }
        actual = upscale(x, (scale, 1 / scale), **keywords)
        expected = reference.dynamic_upscale(x, (scale, 1 / scale), **keywords)
        assert np.abs(actual - expected).max() <= FLOAT32_ERROR * np.abs(x).max(), keywords


def test_every_common_scale_over_a_photograph_sized_axis() -> None:
    """Where float32 coordinates drift: torch is off by 5e-5 here."""
    x = random_array(np.random.default_rng(0), (1, 1, 2, 1024), "float32", "signs")
    for scale in COMMON_SCALES:
        actual = upscale(x, (1, scale))
        expected = reference.dynamic_upscale(x, (1, scale))
        assert np.abs(actual - expected).max() <= FLOAT32_ERROR, scale


def test_levels_of_a_picture_are_the_rounded_ones() -> None:
    """All but exact ties, which any rounding error decides: 0.8 % of the levels of noise at x3."""
    picture = random_array(np.random.default_rng(1), (97, 131, 3), "uint8")
    for scale in (1.5, 2, 2.7, 3, 0.5):
        exact = reference.dynamic_upscale(picture.transpose(2, 0, 1), scale).transpose(1, 2, 0)
        actual = upscale(picture, scale, layout="HWC")
        decided = np.abs(exact % 1 - 0.5) > 255 * FLOAT32_ERROR
        assert decided.mean() > 0.99, scale
        assert (actual == np.rint(exact).clip(0, 255))[decided].all(), scale


def test_layouts_differ_in_the_order_of_axes_alone() -> None:
    for case in random_cases(40, seed=22):
        x = case.array()
        expected = upscale(x, **case.keywords)
        images = upscale(x.transpose(0, 2, 3, 1), **case.keywords, layout="NHWC")
        assert images.flags.c_contiguous
        assert_same_bits(images.transpose(0, 3, 1, 2), expected, case)
        for image, result in zip(x, expected, strict=True):
            pixels = upscale(image.transpose(1, 2, 0), **case.keywords, layout="HWC")
            assert_same_bits(pixels.transpose(2, 0, 1), result, case)
            plane = upscale(image[0], **case.keywords, layout="HW")
            assert_same_bits(plane, result[0], case)


def test_any_memory_order() -> None:
    for case in random_cases(40, seed=23):
        x = case.array()
        expected = upscale(x, **case.keywords)
        read_only = x.copy()
        read_only.flags.writeable = False
        reversed_twice = x[..., ::-1, ::-1].copy()[..., ::-1, ::-1]
        swapped = x.astype(x.dtype.newbyteorder(">")) if case.dtype != "bfloat16" else x
        record = np.zeros(x.shape, np.dtype([("flag", "u1"), ("value", x.dtype)]))
        record["value"] = x  # off alignment, and strides that are no multiple of the item size
        for other in (read_only, reversed_twice, np.asfortranarray(x), swapped, record["value"]):
            assert_same_bits(upscale(other, **case.keywords), expected, (other.strides, case))


@pytest.mark.parametrize("shape", [(0, 3, 4, 5), (2, 0, 4, 5), (0, 0, 1, 1)])
@pytest.mark.parametrize("dtype", ARRAY_DTYPES)
def test_nothing_in_nothing_out(shape: tuple[int, ...], dtype: str) -> None:
    x = np.zeros(shape, numpy_dtype(dtype))
    y = upscale(x, 2)
    assert y.shape == (*shape[:2], 2 * shape[2], 2 * shape[3]) and y.dtype == x.dtype


@pytest.mark.parametrize(
    "scale",
    [
        2.5,
        np.float32(2.5),
        np.float64(2.5),
        np.array(2.5),
        [2.5],
        (2.5, 2.5),
        np.array([2.5, 2.5], np.float32),
        [1, 1, 2.5, 2.5],
        np.array([1, 1, 2.5, 2.5]),
    ],
)
def test_scale_forms(scale: object) -> None:
    x = random_array(np.random.default_rng(2), (1, 2, 5, 6), "float32")
    assert_same_bits(upscale(x, scale), upscale(x, 2.5), scale)


def test_integer_scales_and_sizes() -> None:
    x = random_array(np.random.default_rng(3), (1, 1, 5, 6), "float32")
    expected = upscale(x, 3.0)
    for scale in (3, np.int64(3), np.uint8(3), np.array([3, 3])):
        assert_same_bits(upscale(x, scale), expected, scale)
    for size in ((15, 18), [15, 18], np.array([15, 18]), (np.int32(15), np.int64(18))):
        assert_same_bits(upscale(x, size=size), expected, size)


def test_a_scale_is_a_float32() -> None:
    x = random_array(np.random.default_rng(4), (1, 1, 30, 45), "float64")
    assert upscale(x, 1.4).shape == (1, 1, 42, 63)  # 45 * 1.4 is 62.99999999999999 in float64
    assert_same_bits(upscale(x, 1.4), upscale(x, float(np.float32(1.4))), "rounded by the caller")


def test_lists_are_arrays() -> None:
    assert upscale([[0.0, 1.0]], (1, 2), layout="HW").dtype == np.float64


@st.composite
def attributes(draw: st.DrawFn) -> dict[str, object]:
    return {
        "coordinate_transformation_mode": draw(st.sampled_from(MODES)),
        "antialias": draw(st.booleans()),
        "exclude_outside": draw(st.booleans()),
    }


extents = st.integers(1, 60)


@given(st.tuples(extents, extents), st.tuples(extents, extents), attributes(), st.floats(-1e3, 1e3))
def test_constants_stay_constant(
    shape: tuple[int, int], size: tuple[int, int], keywords: dict[str, Any], level: float
) -> None:
    x = np.full(shape, level, np.float32)
    y = upscale(x, size=size, layout="HW", **keywords)
    stretch = 4 if keywords["antialias"] else 0
    taps = sum(max(4, stretch * n / m) for n, m in zip(shape, size, strict=True))
    limit = FLOAT32_ERROR * max(1, taps / 16) ** 0.5  # docs/semantics.md
    np.testing.assert_allclose(y, x[0, 0], rtol=limit, atol=1e-44)


@pytest.mark.parametrize(("n", "m"), [(47, 1), (100, 2), (1000, 7), (20_000, 3)])
def test_the_error_grows_as_the_root_of_the_taps(n: int, m: int) -> None:
    """Of one axis; the other one is as it was."""
    random = np.random.default_rng(n)
    for x in (random.random((2, n)), np.full((2, n), random.uniform(0.5, 1))):
        narrow = x.astype(np.float32)
        y = upscale(narrow, size=(2, m), layout="HW", antialias=True)
        exact = upscale(narrow.astype(np.float64), size=(2, m), layout="HW", antialias=True)
        limit = FLOAT32_ERROR * ((4 * n / m + 4) / 16) ** 0.5
        assert np.abs(y - exact).max() <= limit * narrow.max()


@given(st.tuples(extents, extents), st.tuples(extents, extents), attributes())
def test_swapping_the_axes_swaps_the_result(
    shape: tuple[int, int], size: tuple[int, int], keywords: dict[str, Any]
) -> None:
    """Up to rounding: the order of the two passes is not symmetric."""
    x = random_array(np.random.default_rng(shape[0] * 61 + shape[1]), shape, "float64")
    y = upscale(x, size=size, layout="HW", **keywords)
    swapped = upscale(x.T, size=size[::-1], layout="HW", **keywords).T
    np.testing.assert_allclose(swapped, y, rtol=0, atol=1e-13 * np.abs(x).max())
