"""Offsets beyond 2**31 elements, in memory that is reserved but hardly touched."""

from __future__ import annotations

import mmap

import numpy as np
import pytest
from cases import Array, Case, assert_same_bits, random_array
from native import FUSED_TARGETS, resample, target

from sr_ops import reference

ELEMENTS = 2**32 + 2**28


def _case(shape: tuple[int, int, int, int], size: tuple[int, int]) -> Case:
    return Case(shape, None, size, "uint8", "half_pixel", -0.75, False, False, "natural", 0)


def _reserved(size: int) -> Array:
    """Zeros that take memory by the small page, once they are written to."""
    memory = mmap.mmap(-1, size)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        memory.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(memory, np.uint8)


def _spread(axis: str, shape: tuple[int, int, int, int]) -> Array:
    """(N, C, H, W) whose elements lie far apart along one axis, and otherwise densely."""
    n, c, h, w = shape
    memory = _reserved(ELEMENTS)
    if axis == "pixels":
        rows = memory.reshape(n, c, h, -1)
        view = rows[..., :: rows.shape[-1] // w][..., :w]
    elif axis == "rows of pixels":
        view = memory.reshape(n, h, -1, c)[:, :, :w].transpose(0, 3, 1, 2)
    elif axis == "rows":
        view = memory.reshape(n, c, h, -1)[..., :w]
    elif axis == "planes":
        view = memory.reshape(n, c, -1)[..., : h * w].reshape(shape)
    else:
        view = memory.reshape(n, -1)[:, : c * h * w].reshape(shape)
    reach = sum((extent - 1) * stride for extent, stride in zip(shape, view.strides, strict=True))
    assert np.shares_memory(view, memory) and reach > 2**30
    return view


@pytest.mark.parametrize("name", FUSED_TARGETS)
@pytest.mark.parametrize("axis", ["pixels", "rows of pixels", "rows", "planes", "images"])
def test_a_source_whose_parts_lie_far_apart(axis: str, name: str) -> None:
    case = _case((2, 4, 16, 48), (32, 60))
    source = _spread(axis, case.shape)
    source[:] = case.array()
    with target("SCALAR"):
        expected = resample(case, case.array())
    with target(name):
        assert_same_bits(resample(case, source), expected, (axis, name))


@pytest.mark.parametrize("name", FUSED_TARGETS)
@pytest.mark.parametrize("axis", ["rows of pixels", "rows", "planes", "images"])
def test_a_destination_whose_parts_lie_far_apart(axis: str, name: str) -> None:
    case = _case((2, 4, 10, 30), (16, 48))
    out = _spread(axis, case.out_shape)
    with target("SCALAR"):
        expected = resample(case, case.array())
    with target(name):
        resample(case, case.array(), out=out, threads=2)
    assert_same_bits(out.copy(), expected, (axis, name))


@pytest.mark.parametrize("name", FUSED_TARGETS)
@pytest.mark.parametrize("channels", [1, 3, 64])
def test_one_row_of_more_than_2_31_elements(channels: int, name: str) -> None:
    width = ELEMENTS // channels
    rng = np.random.default_rng(channels)
    pixels = _reserved(width * channels).reshape(1, 1, width, channels)
    case = _case((1, channels, 1, width), (1, 8))
    centres = reference.source_coordinates(width, 8, 8 / width, "half_pixel")
    first = np.floor(centres).astype(np.int64) - 1
    expected = np.empty((1, channels, 1, 8))
    for i in range(8):
        taps = random_array(rng, (4, channels), "uint8")
        pixels[0, 0, first[i] : first[i] + 4] = taps
        expected[0, :, 0, i] = reference._keys(centres[i] - first[i] - np.arange(4), -0.75) @ taps
    with target(name):
        actual = resample(case, pixels.transpose(0, 3, 1, 2), layout="NHWC")
    assert np.abs(actual - expected.clip(0, 255)).max() <= 0.5001
