"""The comparison picture shows the pixels themselves."""

import numpy as np
import pytest

from sr_ops.errors import InvalidArgumentError
from sr_ops.imaging.comparison import Row, compare, compare_upscaled, nearest


def find(needle, haystack):
    windows = np.lib.stride_tricks.sliding_window_view(haystack, needle.shape)[..., 0, :, :, :]
    return int((windows == needle).all(axis=(-1, -2, -3)).sum())


def test_details_appear_pixel_for_pixel():
    rng = np.random.default_rng(0)
    source = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    first, second = (rng.integers(0, 256, (24, 32, 3), dtype=np.uint8) for _ in range(2))
    picture = compare(source, (4, 5, 3, 6), [Row("x2", {"one": first, "two": second}, 2)])
    assert picture.dtype == np.uint8
    assert find(first[8:14, 10:22], picture) == 1
    assert find(second[8:14, 10:22], picture) == 1
    assert find(source[4:7, 5:11], picture) == 1  # inside the frame drawn around it


def test_nearest_repeats_pixels():
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    np.testing.assert_array_equal(nearest(image, 4, 6), image.repeat(2, 0).repeat(3, 1))


@pytest.mark.parametrize("detail", [(0, 0, 13, 4), (-1, 0, 4, 4), (0, 14, 4, 4), (0, 0, 0, 4)])
def test_a_detail_outside(detail):
    source = np.zeros((12, 16, 3), np.uint8)
    with pytest.raises(InvalidArgumentError, match="detail"):
        compare(source, detail, [Row("x1", {"same": source}, 1)])
    with pytest.raises(InvalidArgumentError, match="detail"):
        compare(source, (0, 0, 2, 2), [])


def test_a_large_source_is_shrunk_and_still_marked():
    source = np.zeros((900, 1600, 3), np.uint8)
    source[400:480, 1000:1080] = np.random.default_rng(0).integers(0, 256, (80, 80, 3))
    drawn = compare_upscaled(source, np.repeat(np.repeat(source, 2, 0), 2, 1), "doubled")
    assert drawn.shape[1] < 640 + 3 * 260 + 100
    rows, columns = np.nonzero((drawn == (255, 190, 0)).all(axis=2))
    for found, expected in ((rows, 440), (columns, 1040)):  # its middle, in the shrunk picture
        offset = 12 + (26 if found is rows else 0)
        assert abs((found.min() + found.max()) / 2 - offset - expected * 640 / 1600) < 12


def test_two_factors():
    """The detail is the source's, in both directions."""
    rng = np.random.default_rng(0)
    source = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    result = rng.integers(0, 256, (24, 80, 3), dtype=np.uint8)
    picture = compare(source, (4, 5, 3, 6), [Row("x2,5", {"one": result}, (2, 5))])
    assert find(result[8:14, 25:55], picture) == 1
    assert find(result[13:14, 50:55], compare_upscaled(source, result, "net")) == 1


def test_bicubic_is_not_shown_twice():
    source = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    result = np.repeat(np.repeat(source, 3, 0), 3, 1)
    wide, narrow = (compare_upscaled(source, result, name) for name in ("net", "bicubic"))
    assert wide.shape[1] - narrow.shape[1] == 240 + 12


def test_gray_and_sixteen_bits_are_shown_in_eight_bits_of_colour():
    rng = np.random.default_rng(1)
    gray = rng.integers(0, 256, (20, 24), dtype=np.uint8)
    large = rng.integers(0, 256, (40, 48), dtype=np.uint8)
    shown = compare_upscaled(gray, large, "mine")
    as_colours = [np.repeat(image[..., None], 3, axis=2) for image in (gray, large)]
    np.testing.assert_array_equal(shown, compare_upscaled(*as_colours, "mine"))
    deep = [image.astype(np.uint16) * 257 for image in (gray[..., None], large[..., None])]
    np.testing.assert_array_equal(shown, compare_upscaled(*deep, "mine"))
