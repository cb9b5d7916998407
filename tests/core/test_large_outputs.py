"""Dense outputs of more than 2**31 elements, right at both ends: 7 GB and a minute.

Its short form, test_large.py, reserves memory and touches little of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sr_ops

EDGE = 32  # source pixels compared at each end


@pytest.mark.long
@pytest.mark.xdist_group("memory")  # not two at a time
@pytest.mark.parametrize("dtype", ["uint8", "float16"])
@pytest.mark.parametrize(
    ("shape", "layout"), [((1, 1, 23200, 46400), "NCHW"), ((23200, 15468, 3), "HWC")]
)
def test_both_ends_of_a_large_output(dtype: str, shape: tuple[int, ...], layout: str) -> None:
    """At (2, 1), a corner of the image decides the same corner of the result."""
    rng = np.random.default_rng(0)
    x = np.zeros(shape, dtype)
    vertical, horizontal = layout.index("H"), layout.index("W")

    def corner(array: np.ndarray[Any, Any], height: int, *, last: bool) -> np.ndarray[Any, Any]:
        index = [slice(None)] * array.ndim
        index[vertical] = slice(-height, None) if last else slice(height)
        index[horizontal] = slice(-EDGE, None) if last else slice(EDGE)
        return array[tuple(index)]

    for last in (False, True):
        part = corner(x, EDGE, last=last)
        part[...] = rng.integers(0, 256, part.shape).astype(dtype)
    y = sr_ops.numpy.dynamic_upscale(x, (2, 1), layout=layout)
    assert y.size > 2**31, y.shape
    for last in (False, True):
        part = np.ascontiguousarray(corner(x, EDGE, last=last))
        alone = sr_ops.numpy.dynamic_upscale(part, (2, 1), layout=layout)
        height = 2 * EDGE - 8  # the far edge of the part has other neighbours
        expected = corner(corner(alone, height, last=last), height, last=last)
        columns = [slice(None)] * y.ndim
        columns[horizontal] = slice(4, None) if last else slice(-4)
        np.testing.assert_array_equal(
            corner(y, height, last=last)[tuple(columns)], expected[tuple(columns)]
        )
