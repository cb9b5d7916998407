"""The short way into native code for the usual calls: the same results, and the same errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import assert_same_bits, random_array

import sr_ops
from sr_ops import _native
from sr_ops.errors import InvalidArgumentError, InvalidTypeError

upscale = sr_ops.numpy.dynamic_upscale
SHAPES = {"NCHW": (2, 3, 9, 7), "NHWC": (2, 9, 7, 3), "HWC": (9, 7, 3), "HW": (9, 7)}


def _takes_the_short_way(
    array: Any, scale: Any, layout: str = "HW", out: Any = None, *, size: Any = None,
    attributes: tuple[Any, ...] = (-0.75, False, False), threads: int = 1,
) -> bool:  # fmt: skip
    index = sr_ops.numpy._LAYOUTS.index(layout)
    found = _native.fast_path(array, scale, size, index, out, *attributes, threads)
    return found is not None


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "uint8", "int8", "uint16"])
@pytest.mark.parametrize("layout", SHAPES)
@pytest.mark.parametrize("scale", [3, 2.7, 0.5])
def test_same_result(layout: str, dtype: str, scale: float) -> None:
    rng = np.random.default_rng(3)
    whole = random_array(rng, tuple(2 * n for n in SHAPES[layout]), dtype)
    x = whole[tuple(slice(n) for n in SHAPES[layout])][::-1]  # strides of every kind
    assert _takes_the_short_way(x, scale, layout)
    expected = upscale(x, (scale, scale), layout=layout)
    assert not _takes_the_short_way(x, (scale, scale), layout)
    new = upscale(x, scale, layout=layout)
    assert new.flags.c_contiguous and new.flags.writeable and new.dtype == x.dtype
    assert_same_bits(new, expected, "new array")
    out = np.zeros_like(expected)
    assert _takes_the_short_way(x, scale, layout, out)
    assert upscale(x, scale, layout=layout, out=out) is out
    assert_same_bits(out, expected, "given array")


@pytest.mark.parametrize(
    ("array", "scale"),
    [
        (np.zeros((4, 5), np.int32), 2),
        (np.zeros((4, 5), np.dtype(">f4")), 2),
        (np.zeros((4, 5, 1), np.float32), 2),
        (np.zeros((0, 5), np.float32), 2),
        (np.zeros(41, np.uint8)[1:].view(np.float32).reshape(2, 5), 2),  # not aligned
        (np.zeros((4, 5), [("a", "f4"), ("b", "i1")])["a"], 2),  # strides of 5 bytes
        (np.ma.zeros((4, 5), np.float32), 2),
        ([[1.0, 2.0]], 2),
        (None, 2),
        *((np.zeros((4, 5), np.float32), scale) for scale in (0, -1.0, 1e-3, 2**70, 1e60)),
        *((np.zeros((4, 5), np.float32), scale) for scale in (float("nan"), True, "2", None)),
    ],
    ids=repr,
)
def test_everything_else_is_looked_at_more_closely(array: Any, scale: Any) -> None:
    assert not _takes_the_short_way(array, scale)


@pytest.mark.parametrize("size", [(5, 11), [18, 14]], ids=repr)
@pytest.mark.parametrize("attributes", [(-0.5, True, True), (-0.75, False, False)], ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_sizes_and_attributes(dtype: str, attributes: Any, size: Any) -> None:
    x = random_array(np.random.default_rng(4), (9, 7), dtype)
    assert _takes_the_short_way(x, None, size=size, attributes=attributes)
    a, antialias, exclude_outside = attributes
    keywords = {"antialias": antialias, "exclude_outside": exclude_outside, "layout": "HW"}
    new = upscale(x, size=size, cubic_coeff_a=a, **keywords)
    closely = np.array(size)  # arrays of sizes are
    assert not _takes_the_short_way(x, None, size=closely, attributes=attributes)
    assert_same_bits(new, upscale(x, size=closely, cubic_coeff_a=a, **keywords), "by size")


@pytest.mark.parametrize(
    "keywords",
    [
        *(
            {"size": size}
            for size in ((2,), (2, 3, 4), (0, 2), (2, 2.0), (True, 2), "22", (2**70, 1))
        ),
        {"size": (2, 3), "scale": 2},
        {"scale": 2, "attributes": (float("nan"), False, False)},
        {"scale": 2, "attributes": (1e300, False, False)},
        {"scale": 2, "attributes": ("a", False, False)},
        {"scale": 2, "attributes": (-0.75, 1, False)},
        {"scale": 2, "attributes": (-0.75, False, None)},
    ],
    ids=repr,
)
def test_other_sizes_and_attributes(keywords: dict[str, Any]) -> None:
    x = np.zeros((4, 5), np.float32)
    assert not _takes_the_short_way(x, **{"scale": None, **keywords})


def test_large_images_wait_until_the_number_of_threads_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = np.random.default_rng(5).random((300, 500), np.float32)
    assert not _takes_the_short_way(x, 2, threads=0)
    assert _takes_the_short_way(x, 2, threads=3)
    monkeypatch.setattr(sr_ops.numpy, "_num_threads", None)
    monkeypatch.setenv("SR_OPS_NUM_THREADS", "3")
    first = upscale(x, 2, layout="HW")
    assert sr_ops.numpy.get_num_threads() == 3
    assert_same_bits(upscale(x, 2, layout="HW"), first, "the same on both ways")


def test_out_is_looked_at_more_closely() -> None:
    x = np.zeros((4, 5), np.float32)
    read_only = np.zeros((8, 10), np.float32)
    read_only.flags.writeable = False
    memory = np.zeros(100, np.float32)
    for out in (
        read_only,
        np.zeros((8, 11), np.float32),
        np.zeros((8, 10), np.float64),
        np.zeros((8, 20), np.float32)[:, ::2],
        np.lib.stride_tricks.as_strided(memory, (8, 10), (4, 4)),
        [[0.0] * 10] * 8,
    ):
        assert not _takes_the_short_way(x, 2, out=out)
        with pytest.raises((InvalidArgumentError, InvalidTypeError), match=r"^out: "):
            upscale(x, 2, layout="HW", out=out)
    x = memory[:20].reshape(4, 5)
    assert not _takes_the_short_way(x, 2, out=memory[19:99].reshape(8, 10))
    assert not _takes_the_short_way(x[::-1], 2, out=memory[19:99].reshape(8, 10))
    assert _takes_the_short_way(x, 2, out=memory[20:].reshape(8, 10))
