"""Outputs from 16 MiB up, which are written past the caches, have the bits of small ones."""

from __future__ import annotations

import numpy as np
import pytest
from cases import Case, assert_same_bits, numpy_dtype
from native import ALL_TARGETS, FUSED_TARGETS, Array, empty, resample, target

STREAMED_BYTES = 16 << 20


def _reused(shape: tuple[int, int, int, int], dtype: str, layout: str, offset: int) -> Array:
    """An output whose pages exist, which begins `offset` elements after an aligned address."""
    count = int(np.prod(shape))
    memory = np.full(count + 64, 7, numpy_dtype(dtype))[offset : offset + count]
    batch, channels, height, width = shape
    if layout == "NCHW":
        return memory.reshape(shape)
    return memory.reshape(batch, height, width, channels).transpose(0, 3, 1, 2)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize(
    ("dtype", "shape", "size"),
    [
        ("float32", (1, 3, 300, 401), (900, 1607)),  # rows of odd length
        ("float32", (1, 3, 300, 400), (900, 1600)),  # rows a whole number of vectors apart
        ("float32", (1, 3, 2400, 700), (1200, 1203)),  # rows first
        ("float64", (1, 2, 200, 301), (1001, 1101)),
        ("float16", (1, 3, 500, 501), (1700, 1801)),
        ("bfloat16", (1, 3, 500, 501), (1700, 1801)),
        ("uint8", (1, 3, 900, 801), (2400, 2403)),
        ("int8", (1, 3, 900, 801), (2400, 2403)),
        ("uint16", (1, 3, 500, 501), (1700, 1801)),
    ],
)
def test_large_outputs(
    dtype: str,
    shape: tuple[int, int, int, int],
    size: tuple[int, int],
    layout: str,
    rng: np.random.Generator,
) -> None:
    case = Case(shape, None, size, dtype, "half_pixel", -0.75, False, False, "natural", 1)
    assert np.prod(case.out_shape) * numpy_dtype(dtype).itemsize >= STREAMED_BYTES
    source = empty(shape, numpy_dtype(dtype), layout)
    source[:] = case.array()
    with target("SCALAR"):
        expected = resample(case, source)
    for name in ALL_TARGETS[:-1]:  # SCALAR, the last, does not stream
        for threads in (1, 3):
            out = _reused(case.out_shape, dtype, layout, int(rng.integers(0, 33)))
            with target(name):
                resample(case, source, out=out, threads=threads)
            if name in FUSED_TARGETS:
                assert_same_bits(out, expected, (name, layout, threads, case))
            else:
                difference = np.abs(out.astype(np.float64) - expected.astype(np.float64))
                assert difference.max() <= max(1.0, 0.01 * np.abs(case.array()).max()), name
