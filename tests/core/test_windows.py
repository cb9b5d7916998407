"""A window of the result, from a crop of the source, has the bits of the whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import ARRAY_DTYPES, Array, Case, assert_same_bits, multiplied, random_cases
from native import FUSED_TARGETS, target

from sr_ops import numpy as sr_numpy
from sr_ops.errors import InvalidArgumentError, InvalidTypeError, SrOpsError
from sr_ops.numpy import dynamic_upscale, source_rectangle

Rectangle = tuple[int, int, int, int]

LAYOUTS = ("NCHW", "NHWC", "HWC", "HW")
WINDOWS_EACH = 6


def _random_run(rng: np.random.Generator, extent: int) -> tuple[int, int]:
    """(first, count): edges, single pixels and the whole are frequent."""
    first = 0 if rng.random() < 0.3 else int(rng.integers(extent))
    most = extent - first
    return first, most if rng.random() < 0.3 else int(rng.integers(1, most + 1))


def _random_window(rng: np.random.Generator, height: int, width: int) -> Rectangle:
    top, rows = _random_run(rng, height)
    left, columns = _random_run(rng, width)
    return top, left, rows, columns


def _around(rng: np.random.Generator, part: Rectangle, height: int, width: int) -> Rectangle:
    """A part of the source that holds ``part``, often no more than that."""
    if rng.random() < 0.5:
        return part
    top, left = int(rng.integers(part[0] + 1)), int(rng.integers(part[1] + 1))
    bottom = int(rng.integers(part[0] + part[2], height + 1))
    right = int(rng.integers(part[1] + part[3], width + 1))
    return top, left, bottom - top, right - left


def _cut(array: Array, layout: str, part: Rectangle) -> Array:
    top, left, height, width = part
    index: list[Any] = [slice(None)] * array.ndim
    index[layout.index("H")] = slice(top, top + height)
    index[layout.index("W")] = slice(left, left + width)
    return array[tuple(index)]


def _in_layout(planes: Array, layout: str) -> Array:
    if layout == "NCHW":
        return planes
    pixels = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
    return {"NHWC": pixels, "HWC": pixels[:1], "HW": pixels[:1, :, :, :1]}[layout].reshape(
        {"NHWC": pixels.shape, "HWC": pixels.shape[1:], "HW": pixels.shape[1:3]}[layout]
    )


def _check(case: Case, layout: str, name: str, rng: np.random.Generator) -> None:
    array = _in_layout(case.array(), layout)
    height, width = case.shape[2:]
    geometry: dict[str, Any] = case.keywords
    with target(name):
        whole = dynamic_upscale(array, **geometry, layout=layout)
        for _ in range(WINDOWS_EACH):
            window = _random_window(rng, *case.geometry[:2])
            read = source_rectangle((height, width), **geometry, window=window)
            expected = _cut(whole, layout, window)
            crop = _around(rng, read, height, width)
            actual = dynamic_upscale(
                # A copy: what lies beyond the crop is not there to be read.
                np.array(_cut(array, layout, crop)),
                **geometry,
                layout=layout,
                window=window,
                crop=crop[:2],
                source_size=(height, width),
            )
            assert_same_bits(actual, expected, (case, layout, name, window, crop))
            direct = dynamic_upscale(array, **geometry, layout=layout, window=window)
            assert_same_bits(direct, expected, (case, layout, name, window))


@pytest.mark.parametrize("name", FUSED_TARGETS)
def test_thousands_of_windows_have_the_bits_of_the_whole(name: str) -> None:
    rng = np.random.default_rng(20)
    count = multiplied(60 if name == "SCALAR" else 300)
    cases = random_cases(count, seed=20, dtypes=ARRAY_DTYPES)
    for i, case in enumerate(case for case in cases if min(case.shape) > 0):
        layout = LAYOUTS[i % 4]
        if layout in ("HWC", "HW") and (
            case.shape[0] != 1 or (layout == "HW" and case.shape[1] != 1)
        ):
            layout = "NHWC"
        _check(case, layout, name, rng)


def test_tiles_put_together_are_the_whole_on_any_number_of_threads() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (300, 200, 3), np.uint8)
    whole = dynamic_upscale(image, 2.7, layout="HWC")
    height, width = whole.shape[:2]
    before = sr_numpy.get_num_threads()
    for threads in (1, 4):
        sr_numpy.set_num_threads(threads)
        try:
            out = np.zeros_like(whole)
            for top in range(0, height, 170):
                for left in range(0, width, 97):
                    tile = out[top : top + 170, left : left + 97]
                    window = (top, left, *tile.shape[:2])
                    dynamic_upscale(image, 2.7, layout="HWC", window=window, out=tile)
            np.testing.assert_array_equal(out, whole)
        finally:
            sr_numpy.set_num_threads(before)


def test_a_crop_must_hold_what_the_window_reads() -> None:
    rng = np.random.default_rng(1)
    image = rng.random((40, 50), np.float32)
    window = (30, 33, 10, 20)
    top, left, height, width = source_rectangle((40, 50), 2, window=window)
    assert (top, left, height, width) == (13, 15, 9, 13)
    for part in [
        (top + 1, left, height - 1, width),
        (top, left + 1, height, width - 1),
        (top, left, height - 1, width),
        (top, left, height, width - 1),
    ]:
        message = r"crop: got .* but the window reads \(13, 15, 9, 13\) of the source"
        with pytest.raises(InvalidArgumentError, match=message):
            dynamic_upscale(
                *(_cut(image, "HW", part), 2),
                **{"layout": "HW", "window": window, "crop": part[:2], "source_size": (40, 50)},
            )


def test_at_the_image_edge_the_crop_ends_where_the_image_does() -> None:
    """Clamped taps repeat the edge of the image, never that of a crop."""
    image = np.arange(20, dtype=np.float32).reshape(1, 20) ** 2
    whole = dynamic_upscale(image, (1, 2), layout="HW")
    for window in [(0, 0, 1, 5), (0, 35, 1, 5)]:
        top, left, _height, width = source_rectangle((1, 20), (1, 2), window=window)
        assert left == 0 or left + width == 20
        part = image[:, left : left + width].copy()
        actual = dynamic_upscale(
            part, (1, 2), layout="HW", window=window, crop=(top, left), source_size=(1, 20)
        )
        np.testing.assert_array_equal(actual, whole[:, window[1] : window[1] + 5])


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"window": (0, 0, 0, 5)}, "window: got .* expected at least one pixel"),
        ({"window": (0, 0, 0, 0)}, "window: got .* expected at least one pixel"),
        ({"window": (15, 0, 2, 5)}, "inside the result of 16 x 20"),
        ({"window": (0, 0, 2, 2**62)}, "window: got"),
        ({"window": (-1, 0, 2, 5)}, "each of them at least 0"),
        ({"window": (0, 0, 2)}, r"expected \(top, left, height, width\)"),
        ({"window": (0, 0, 2.0, 2)}, "integers"),
        ({"window": (0, 0, True, 2)}, "integers"),
        ({"window": "0022"}, "integers"),
        ({"window": 5}, "integers"),
        ({"crop": (0, 0)}, "crop, source_size: got crop alone"),
        ({"source_size": (8, 10)}, "crop, source_size: got source_size alone"),
        ({"crop": (1, 0), "source_size": (8, 10)}, "does not lie inside a source of 8 x 10"),
        ({"crop": (0, 0), "source_size": (0, 10)}, "each of them at least 1"),
        ({"crop": (0, 0), "source_size": (80, 100)}, "crop: got .* but the window reads"),
    ],
)
def test_mistakes_are_named(keywords: dict[str, Any], message: str) -> None:
    image = np.zeros((8, 10), np.float32)
    with pytest.raises((InvalidArgumentError, InvalidTypeError), match=message):
        dynamic_upscale(image, 2, layout="HW", **keywords)


def test_source_rectangle_names_mistakes() -> None:
    for arguments in [
        {"source_size": (0, 5), "scale": 2, "window": (0, 0, 1, 1)},
        {"source_size": (5, 5), "scale": 2, "window": (0, 0, 1, 11)},
        {"source_size": (5, 5), "scale": 2, "size": (3, 3), "window": (0, 0, 1, 1)},
        {"source_size": 5, "scale": 2, "window": (0, 0, 1, 1)},
        {"source_size": (2**41, 2**41), "scale": 1, "window": (0, 0, 1, 1)},
    ]:
        with pytest.raises(SrOpsError):
            source_rectangle(**arguments)  # type: ignore[arg-type]


def test_a_window_of_numpy_integers_and_lists() -> None:
    image = np.zeros((8, 10), np.float32)
    window = np.array([1, 2, 3, 4])
    assert dynamic_upscale(image, 2, layout="HW", window=window).shape == (3, 4)
    assert dynamic_upscale(image, 2, layout="HW", window=list(window)).shape == (3, 4)
