"""Transparent pictures through networks: no rims, no halos, alpha as sharp as the colours."""

import numpy as np
import pytest

import sr_ops
from sr_ops.imaging import transparency
from sr_ops.models import SRCNN

RED = (230, 40, 40)


def coverage(side):
    """How much of each pixel a disc covers, 0..1, from 8 x 8 samples a pixel."""
    y, x = np.mgrid[: 8 * side, : 8 * side] - (4 * side - 0.5)
    inside = x**2 + y**2 < (2.8 * side) ** 2
    return inside.reshape(side, 8, side, 8).mean((1, 3))


def disc(side, under=(0, 0, 0)):
    """A red disc on transparent ground, whose pixels hold another colour that nobody sees."""
    alpha = np.rint(coverage(side) * 255).astype(np.uint8)
    colours = np.where(alpha[..., None] > 0, np.uint8(RED), np.uint8(under))
    return np.dstack([colours, alpha])


@pytest.mark.parametrize("under", [(0, 0, 0), (255, 255, 255), (0, 255, 0)])
@pytest.mark.parametrize(("model", "scale"), [("espcn", 4), ("espcn", 2.7), ("srcnn", 3)])
def test_a_flat_colour_stays_flat_up_to_its_rim(model, scale, under):
    result = sr_ops.upscale_image(disc(48, under), scale, model=model).astype(int)
    seen = result[..., 3] > 0
    assert np.abs(result[seen][:, :3] - RED).max() <= 2
    for ground in (0, 255):  # put on black, and on white: every pixel between the two colours
        weight = result[..., 3:] / 255
        shown = result[..., :3] * weight + ground * (1 - weight)
        low, high = np.minimum(RED, ground) - 2, np.maximum(RED, ground) + 2
        assert ((shown >= low) & (shown <= high)).all()


def test_alpha_is_nearer_to_the_truth_than_bicubic():
    truth = coverage(48 * 4) * 255
    network = sr_ops.upscale_image(disc(48), 4, model="espcn")[..., 3]
    bicubic = sr_ops.upscale_image(disc(48), 4, model="bicubic")[..., 3]
    errors = [np.square(alpha - truth).mean() for alpha in (network, bicubic)]
    assert errors[0] < errors[1] / 4


def test_alpha_is_all_or_nothing_away_from_edges():
    alpha = sr_ops.upscale_image(disc(48), 4, model="espcn")[..., 3]
    assert (alpha[:40, :40] == 0).all()
    assert (alpha[80:110, 80:110] == 255).all()


@pytest.mark.parametrize("value", [0, 255])
def test_alpha_that_is_the_same_everywhere_costs_nothing(value):
    """The network runs over the colours alone, or not at all."""
    seen = []

    class Counting(SRCNN):
        def forward(self, x, scale):
            seen.append(tuple(x.shape))
            return super().forward(x, scale)

    image = np.random.default_rng(0).integers(0, 256, (20, 30, 4), dtype=np.uint8)
    image[..., 3] = value
    progress = []
    result = sr_ops.upscale_image(
        image, 2, model=Counting(1, (4, 4)).eval(), progress=lambda *step: progress.append(step)
    )
    assert (result[..., 3] == value).all()
    assert len(seen) == (value > 0)
    assert progress[-1] == (1, 1)
    if value == 0:
        assert not result.any()


def test_bands_are_no_different_from_the_whole(monkeypatch):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (300, 90, 4), dtype=np.uint8)
    image[..., 3] *= rng.random((300, 90)) < 0.05
    image[100:180, :, 3] = 0
    whole = transparency.extend_colours(image)
    monkeypatch.setattr(transparency, "_BAND", 32)
    np.testing.assert_array_equal(transparency.extend_colours(image), whole)
    seen = image[..., 3] > 8
    np.testing.assert_array_equal(whole[seen], image[seen])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_colours_reach_out_as_far_as_a_network_looks(dtype):
    top = 1 if dtype == np.float32 else np.iinfo(dtype).max
    image = np.zeros((64, 64, 4), dtype)
    image[:, 30:34] = np.array([0.9, 0.2, 0.1, 1]) * top
    filled = transparency.extend_colours(image)
    colours = filled[:, 14:50, :3].astype(float) / top
    assert np.abs(colours - (0.9, 0.2, 0.1)).max() < 0.01
    np.testing.assert_array_equal(filled[..., 3], image[..., 3])
