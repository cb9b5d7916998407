"""``rounding="pillow"``: the bytes of the installed Pillow, whatever way they are computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import multiplied
from native import ALL_TARGETS, target
from numpy.typing import NDArray
from PIL import Image

import sr_ops
from sr_ops import reference
from sr_ops.errors import InvalidArgumentError, InvalidTypeError

Picture = NDArray[np.uint8]


def picture(rng: np.random.Generator, shape: tuple[int, ...]) -> Picture:
    """Noise, noise of the two ends, or waves: nearly everything rounds, or clamps, or neither."""
    kind = rng.integers(3)
    if kind == 0:
        return rng.integers(0, 256, shape, np.uint8)
    if kind == 1:
        return (rng.integers(0, 2, shape) * 255).astype(np.uint8)
    steps = np.indices(shape).astype(float)
    waves = sum(axis / period for axis, period in zip(steps, (9, 7, 3), strict=False))
    return np.clip(128 + 140 * np.sin(waves), 0, 255).astype(np.uint8)


def random_size(rng: np.random.Generator, most: int) -> tuple[int, int]:
    """Small and large in equal measure."""
    height, width = np.exp(rng.uniform(0, np.log(most), 2)).astype(int)
    return int(height), int(width)


def by_pillow(x: Picture, size: tuple[int, int], **box: Any) -> Picture:
    """``Image.resize(BICUBIC)`` of (H, W) or (H, W, 3)."""
    image = Image.fromarray(x)
    return np.asarray(image.resize(size[::-1], Image.Resampling.BICUBIC, **box))


def by_us(x: Picture, size: tuple[int, int], **keywords: Any) -> Picture:
    layout = "HW" if x.ndim == 2 else "HWC"
    return sr_ops.numpy.dynamic_upscale(x, size=size, layout=layout, rounding="pillow", **keywords)


@pytest.mark.parametrize("name", ALL_TARGETS)
def test_pictures_have_the_bytes_of_the_installed_pillow(name: str) -> None:
    rng = np.random.default_rng(20)
    with target(name):
        for i in range(multiplied(200 if name != "SCALAR" else 60)):
            height, width = random_size(rng, 400 if i % 20 == 0 and name != "SCALAR" else 100)
            x = picture(rng, (height, width, 3) if i % 2 else (height, width))
            size = random_size(rng, 150)
            np.testing.assert_array_equal(by_us(x, size), by_pillow(x, size), str((x.shape, size)))


def test_any_number_of_channels_is_so_many_pictures() -> None:
    rng = np.random.default_rng(21)
    for channels in (1, 2, 4, 5, 16, 31, 32, 33, 70):
        x = picture(rng, (*random_size(rng, 60), channels))
        size = random_size(rng, 80)
        planes = [by_pillow(x[..., c].copy(), size) for c in range(channels)]
        np.testing.assert_array_equal(by_us(x, size), np.stack(planes, -1))
        result = sr_ops.numpy.dynamic_upscale(
            x.transpose(2, 0, 1)[None].copy(), size=size, rounding="pillow"
        )
        np.testing.assert_array_equal(result[0], np.stack(planes))


def test_pillow_resamples_premultiplied_colours_and_we_what_we_are_given() -> None:
    rng = np.random.default_rng(22)
    x = picture(rng, (40, 50, 4))
    premultiplied = Image.fromarray(x).convert("RGBa")
    channels = np.frombuffer(premultiplied.tobytes(), np.uint8).reshape(x.shape)
    resized = premultiplied.resize((23, 31), Image.Resampling.BICUBIC)
    expected = np.frombuffer(resized.tobytes(), np.uint8).reshape(31, 23, 4)
    np.testing.assert_array_equal(by_us(channels, (31, 23)), expected)


def test_boxes_are_windows_of_the_whole() -> None:
    rng = np.random.default_rng(23)
    done = 0
    while done < multiplied(200):
        # The box [first, first + length) of an axis becomes the window [p f, p (f + l)) of p n / q
        # pixels, where q divides all three.
        p, q = (int(v) for v in rng.integers(1, 6, 2))
        cells = rng.integers(1, 30, 2)
        first = [int(rng.integers(0, n)) for n in cells]
        length = [int(rng.integers(1, n - f + 1)) for n, f in zip(cells, first, strict=True)]
        x = picture(rng, (*(int(n) * q for n in cells), 3))
        whole = tuple(int(n) * p for n in cells)
        window = (first[0] * p, first[1] * p, length[0] * p, length[1] * p)
        box = (first[1] * q, first[0] * q, (first[1] + length[1]) * q, (first[0] + length[0]) * q)
        # Pillow orders its passes by the size that is asked for; a window has the whole's order.
        if rows_first(x.shape, whole) != rows_first(x.shape, window[2:]):
            continue
        done += 1
        expected = by_pillow(x, window[2:], box=box)
        np.testing.assert_array_equal(by_us(x, whole, window=window), expected)
        read = sr_ops.numpy.source_rectangle(
            x.shape[:2], size=whole, window=window, rounding="pillow"
        )
        crop = x[read[0] : read[0] + read[2], read[1] : read[1] + read[3]]
        part = by_us(crop, whole, window=window, crop=read[:2], source_size=x.shape[:2])
        np.testing.assert_array_equal(part, expected)


def rows_first(source: tuple[int, ...], size: tuple[int, ...]) -> bool:
    fewer = source[0] - size[0]
    return fewer > 0 and fewer > 2 * (source[1] - size[1])


def test_both_orders_are_met_and_differ() -> None:
    rng = np.random.default_rng(24)
    x = (rng.integers(0, 2, (200, 60)) * 255).astype(np.uint8)
    for height in (20, 180):
        first_rows = by_us(by_us(x, (height, 60)), (height, 50))
        first_columns = by_us(by_us(x, (200, 50)), (height, 50))
        assert (first_rows != first_columns).any()
        expected = first_rows if rows_first(x.shape, (height, 50)) else first_columns
        np.testing.assert_array_equal(by_us(x, (height, 50)), expected)
    assert rows_first(x.shape, (20, 50)) and not rows_first(x.shape, (180, 50))


def test_windows_have_the_bytes_of_the_whole() -> None:
    rng = np.random.default_rng(25)
    for _ in range(multiplied(40)):
        x = picture(rng, (*random_size(rng, 120), 3))
        size = random_size(rng, 120)
        whole = by_us(x, size)
        top, left = (int(rng.integers(0, n)) for n in size)
        height, width = (
            int(rng.integers(1, size[0] - top + 1)),
            int(rng.integers(1, size[1] - left + 1)),
        )
        part = by_us(x, size, window=(top, left, height, width))
        np.testing.assert_array_equal(part, whole[top : top + height, left : left + width])


def test_strides_and_threads_change_nothing() -> None:
    rng = np.random.default_rng(26)
    for i in range(multiplied(40)):
        large = picture(rng, (150, 160, 6))
        x = (
            large[::-1, ::2, ::-2]
            if i % 3 == 0
            else large[10:, :99, 3:]
            if i % 3 == 1
            else large.transpose(1, 0, 2)[::2, ::-1]
        )
        size = random_size(rng, 200)
        expected = by_us(x.copy(), size)
        out = np.zeros((size[0] + 2, size[1] * 2, x.shape[2]), np.uint8)
        view = out[1:-1, size[1] :]
        before = sr_ops.numpy.get_num_threads()
        try:
            sr_ops.numpy.set_num_threads(int(rng.integers(1, 9)))
            by_us(x, size, out=view)
        finally:
            sr_ops.numpy.set_num_threads(before)
        np.testing.assert_array_equal(view, expected)
        assert not out[0].any() and not out[-1].any() and not out[:, : size[1]].any()


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2, 40000), (700, 1)])
def test_extremes(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(27)
    for shape in ((1, 1), (1, 30000), (2, 20000, 3), (6000, 3)):
        x = picture(rng, shape)
        np.testing.assert_array_equal(by_us(x, size), by_pillow(x, size))


def test_a_scale_gives_the_size_and_nothing_else() -> None:
    x = picture(np.random.default_rng(28), (45, 31))
    y = sr_ops.numpy.dynamic_upscale(x, 1.43, layout="HW", rounding="pillow")
    assert y.shape == (64, 44)
    np.testing.assert_array_equal(y, by_us(x, (64, 44)))


def test_what_is_implied_may_be_said() -> None:
    x = picture(np.random.default_rng(29), (45, 31))
    said = by_us(x, (20, 70), cubic_coeff_a=-0.5, antialias=True, exclude_outside=True)
    np.testing.assert_array_equal(said, by_us(x, (20, 70)))


def test_the_reference_says_the_same() -> None:
    rng = np.random.default_rng(30)
    for _ in range(multiplied(60)):
        x = picture(rng, random_size(rng, 80))
        size = random_size(rng, 80)
        expected = reference.dynamic_upscale(x, size=size, rounding="pillow")
        np.testing.assert_array_equal(by_us(x, size), expected)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"rounding": "nearest"}, InvalidArgumentError, "rounding: got 'nearest'"),
        ({"rounding": None}, InvalidArgumentError, "rounding: got None"),
        ({"dtype": np.float32}, InvalidTypeError, "float32"),
        ({"dtype": np.int8}, InvalidTypeError, "int8"),
        ({"dtype": np.uint16}, InvalidTypeError, "uint16"),
        ({"coordinate_transformation_mode": "asymmetric"}, InvalidArgumentError, "asymmetric"),
        ({"cubic_coeff_a": -1}, InvalidArgumentError, "cubic_coeff_a=-1.0"),
    ],
)
@pytest.mark.parametrize("batch", [0, 1])
def test_bad_input(
    change: dict[str, Any], error: type[Exception], message: str, batch: int
) -> None:
    keywords: dict[str, Any] = {"rounding": "pillow", **change}
    x = np.zeros((batch, 1, 4, 4), keywords.pop("dtype", np.uint8))
    with pytest.raises(error, match=message):
        sr_ops.numpy.dynamic_upscale(x, 2, **keywords)


def test_too_long_an_axis_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match=r"2\^24"):
        sr_ops.numpy.source_rectangle(
            (1, 2**24 + 1), size=(1, 1), window=(0, 0, 1, 1), rounding="pillow"
        )
