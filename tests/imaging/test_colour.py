"""Colour and number forms."""

import numpy as np
import pytest
from PIL import Image

from sr_ops.errors import ImageError, InvalidTypeError
from sr_ops.imaging import colour
from sr_ops.models.ycbcr import CHROMA_CENTRE, RGB_TO_YCBCR


def test_ycbcr_is_pillows():
    """Pillow's eight-bit tables round down, in units of 1/64; ours are float and not rounded."""
    rgb = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    theirs = np.asarray(Image.fromarray(rgb).convert("YCbCr")).astype(int)
    ours = colour.rgb_to_ycbcr(colour.to_unit(rgb).transpose(2, 0, 1)) * 255
    ours = ours.transpose(1, 2, 0)
    assert (ours - theirs).min() > -0.05
    assert (ours - theirs).max() < 1.05
    assert (np.floor(ours) == theirs).mean() > 0.95


def test_ycbcr_in_pillows_arithmetic_has_pillows_bits():
    """Its tables: five digits of our coefficients, in units of 1/64, cut as C does."""
    levels = np.arange(256)
    tables = np.trunc(np.round(RGB_TO_YCBCR, 5)[..., None] * levels * 64 + 0.5).astype(int)
    for red in range(0, 256, 17):
        sums = tables[:, 0, red, None, None] + tables[:, 1, :, None] + tables[:, 2, None, :]
        ours = (sums >> 6) + np.rint(np.array(CHROMA_CENTRE) * 255).astype(int)[:, None, None]
        rgb = np.stack(np.broadcast_arrays(red, levels[:, None], levels), -1).astype(np.uint8)
        theirs = np.asarray(Image.fromarray(rgb).convert("YCbCr"))
        np.testing.assert_array_equal(ours.clip(0, 255), theirs.transpose(2, 0, 1))


def test_ycbcr_of_gray_and_primaries():
    rgb = np.array([[1, 1, 1], [0, 0, 0], [1, 0, 0], [0, 0, 1]], np.float32).T[:, None]
    levels = np.rint(colour.rgb_to_ycbcr(rgb) * 255)
    assert levels[:, 0].T.tolist() == [
        [255, 128, 128],
        [0, 128, 128],
        [76, 85, 256],
        [29, 256, 107],
    ]


def test_ycbcr_and_back():
    rgb = np.random.default_rng(0).random((3, 8, 8), np.float32)
    np.testing.assert_allclose(colour.ycbcr_to_rgb(colour.rgb_to_ycbcr(rgb)), rgb, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_unit_range_is_exact_both_ways(dtype):
    levels = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(1, -1)
    unit = colour.to_unit(levels)
    assert (unit.min(), unit.max()) == (0, 1)
    np.testing.assert_array_equal(colour.from_unit(unit, dtype), levels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (5, 7, 4)])
def test_planes_and_back(shape, dtype):
    """One channel at a time, with the values of a whole picture at once."""
    random = np.random.default_rng(0)
    image = (random.random(shape) * (1 if np.dtype(dtype).kind == "f" else 255)).astype(dtype)
    planes = colour.to_planes(image)
    channels = image if image.ndim == 3 else image[..., None]
    np.testing.assert_array_equal(planes, colour.to_unit(channels).transpose(2, 0, 1))
    planes = planes * np.float32(1.7) - np.float32(0.2)
    planes.flags.writeable = False  # a network's answer may be its own
    result = np.empty_like(image)
    colour.store(planes, result)
    expected = colour.from_unit(planes.transpose(1, 2, 0), dtype).reshape(shape)
    np.testing.assert_array_equal(result, expected)


def test_rounding_is_half_to_even_and_clamped():
    values = np.array([[-1, 0.5, 1.5, 2.5, 300]], np.float32) / 255
    assert colour.from_unit(values, np.uint8).tolist() == [[0, 0, 2, 2, 255]]


def test_premultiply_and_back():
    rgba = np.random.default_rng(0).random((4, 8, 8), np.float32) * 0.9 + 0.1
    changed = rgba.copy()
    colour.premultiply(changed)
    assert np.abs(changed - rgba).max() > 0.1
    colour.unpremultiply(changed)
    np.testing.assert_allclose(changed, rgba, atol=1e-6)
    clear = np.zeros((4, 1, 1), np.float32)
    colour.unpremultiply(clear)
    assert not clear.any()


@pytest.mark.parametrize(
    ("image", "error"),
    [
        ([[1]], InvalidTypeError),
        (np.zeros((2, 2), np.int32), InvalidTypeError),
        (np.zeros((2, 2), bool), InvalidTypeError),
        (np.ma.zeros((2, 2), np.uint8), InvalidTypeError),
        (np.zeros(3, np.uint8), ImageError),
        (np.zeros((2, 2, 2), np.uint8), ImageError),
        (np.zeros((1, 2, 2, 3), np.uint8), ImageError),
        (np.zeros((0, 2, 3), np.uint8), ImageError),
    ],
)
def test_what_is_no_picture(image, error):
    with pytest.raises(error, match="image: got"):
        colour.check_image(image)
