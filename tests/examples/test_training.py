"""The training example: its generated pictures, its patches, and a short run of it."""

import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data

from sr_ops import imaging, models
from sr_ops.imaging.evaluation import degrade

sys.path[:0] = [str(Path(__file__).parents[2] / "examples" / "python")]

import generated_pictures  # noqa: E402
import muon  # noqa: E402
import photographs  # noqa: E402
import train  # noqa: E402

SIDE = 96


@pytest.fixture(scope="module")
def leaves():
    return generated_pictures.pictures(4, SIDE, [data.brick(), data.camera()], seed=1)


def test_generated_pictures_depend_on_the_seed_alone(leaves):
    sources = [data.brick(), data.camera()]
    again, other = (generated_pictures.pictures(2, SIDE, sources, seed) for seed in (1, 2))
    np.testing.assert_array_equal(leaves[:2], again)
    for first, second in pairwise([*leaves, *other]):
        assert np.mean(first != second) > 0.9


def test_generated_pictures_have_the_edges_of_photographs(leaves):
    """Steps between neighbours: mostly small, a few large. Noise has a kurtosis of 3."""
    for picture in leaves:
        assert (picture.shape, picture.dtype) == ((SIDE, SIDE), np.uint8)
        steps = np.diff(picture.astype(float))
        assert np.mean(steps**4) / np.mean(steps**2) ** 2 > 5
        assert steps.std() > 3


@pytest.mark.parametrize("outline", generated_pictures.OUTLINES)
def test_outlines_are_about_as_large_as_wanted(outline):
    random = np.random.default_rng(0)
    for radius in (3, 100):
        extents = [np.abs(outline(random, radius)).max() for _ in range(20)]
        assert 0.3 * radius < np.median(extents) < 4 * radius


@pytest.mark.parametrize("texture", generated_pictures.TEXTURES)
@pytest.mark.parametrize("shape", [(16, 1), (40, 700)])
def test_textures_fill_their_leaf(texture, shape):
    added = texture(np.random.default_rng(0), shape, [data.brick()[:100, :90]])
    assert added.shape == shape
    assert np.isfinite(added).all()


def test_held_out_photographs_are_not_trained_on():
    assert not set(photographs.HELD_OUT) & set(photographs.TRAINING)
    assert len(photographs.gray()) == len(photographs.TRAINING)


def test_colour_photographs_come_in_mixtures_of_channels(monkeypatch):
    monkeypatch.setattr(photographs, "TRAINING", {"camera": "gray", "rocket": "colour"})
    pictures = train.from_photographs([1.0, 0.5], np.random.default_rng(0))
    camera, rocket = data.camera(), data.rocket()
    assert len(pictures) == 2 * (1 + 4 + train.MIXTURES)
    np.testing.assert_array_equal(pictures[0].levels, camera)
    np.testing.assert_array_equal(pictures[1].levels, degrade(camera, 2))
    for channel in range(3):
        np.testing.assert_array_equal(pictures[3 + channel].levels, rocket[..., channel])
    of_rocket = sum(picture.weight for picture in pictures[2 : 2 + 4 + train.MIXTURES])
    assert of_rocket == pytest.approx(rocket[..., 0].size ** 0.5)


def test_generated_pictures_get_their_share():
    flat = np.zeros((8, 8), np.uint8)
    first, second = [train.Picture(flat, 5.0)], [train.Picture(flat, 1.0)] * 3
    weights = [picture.weight for picture in train.mixed(first, second, 0.3)]
    assert weights == pytest.approx([0.7, 0.1, 0.1, 0.1])


@pytest.mark.parametrize("factor", [2, 3])
def test_a_patch_is_its_target_made_small(factor):
    """Whatever was done to both."""
    pair = train.espcn_pair(train.Picture(data.camera(), 1.0), factor)
    x, target = train.Patches([pair], 24, factor, seed=0).draw(32)
    assert x.shape == (32, 1, 24, 24)
    assert target.shape == (32, 1, 24 * factor, 24 * factor)
    small = torch.nn.functional.interpolate(
        target, scale_factor=1 / factor, mode="bicubic", antialias=True
    )
    inner = (..., slice(3, -3), slice(3, -3))
    away = (x - small)[inner].abs()
    assert away.quantile(0.99) < 1 / 255  # rounding; where 8 bits clip an overshoot, it is more
    assert 0 <= target.min() < 0.05
    assert 0.95 < target.max() <= 1


def test_psnr_loss_counts_relative_errors():
    """Halving the error of a smooth patch is worth as much as halving that of a lively one."""
    target = torch.zeros(2, 1, 8, 8)
    large, small = 0.4, 0.1

    def loss(*errors):
        return float(train.psnr_loss(torch.tensor(errors).reshape(2, 1, 1, 1) + target, target))

    from_large = loss(large, small) - loss(large / 2, small)
    from_small = loss(large, small) - loss(large, small / 2)
    assert from_large == pytest.approx(np.log(4) / 2, rel=0.01)
    assert from_small == pytest.approx(from_large, rel=0.05)


def test_the_moving_average_forgets_the_first_steps():
    average = [torch.tensor([1.0])]
    for count in range(1, 51):
        train.average_in(average, [torch.tensor([0.0])], count)
    assert 0 < float(average[0]) < 1e-6  # a plain one, of decay 0.999, were at 0.95
    train.average_in(average, [torch.tensor([1.0])], 10**6)
    assert float(average[0]) == pytest.approx(0.001, abs=1e-6)


@pytest.fixture
def train_briefly(tmp_path, monkeypatch):
    """Runs the script, on less than it would take by itself; returns its folder."""
    monkeypatch.setattr(photographs, "TRAINING", {"camera": "gray", "rocket": "colour"})
    monkeypatch.setattr(train, "CHECK_PATCHES", 4)

    def run(*arguments):
        brief = ["--sizes", "0.5", "--generated", "1", "--batch", "2", "--output", str(tmp_path)]
        monkeypatch.setattr(sys, "argv", ["train.py", *arguments, *brief])
        train.main()
        return tmp_path

    return run


@pytest.mark.parametrize("architecture", ["espcn", "srcnn"])
def test_a_run_writes_weights_and_notes(train_briefly, architecture):
    folder = train_briefly(architecture, "--steps", "3")
    name = {"espcn": "espcn_x3", "srcnn": "srcnn"}[architecture]
    picture = imaging.upscale_image(data.coins(), 3, model=folder / f"{name}.pth")
    plain = imaging.upscale_image(data.coins(), 3)
    assert picture.shape == plain.shape
    assert np.abs(picture.astype(float) - plain).mean() < 20  # it began near the plain picture
    notes = json.loads((folder / f"{name}.json").read_text())
    assert (notes["steps"], notes["seed"]) == (3, 0)
    hidden = {"espcn": "64, 64, 32", "srcnn": "64, 32"}[architecture]
    assert notes["features_of_hidden_layers"] == hidden
    assert "1 of 256 x 256" in notes["generated_pictures"]


def test_an_interrupted_run_ends_as_one_that_was_not(train_briefly, tmp_path, monkeypatch):
    """Momenta, learning rates, averages and patches go on as they were."""
    monkeypatch.setattr(train, "SAVE_EVERY", 2)
    arguments = ["espcn", "--factor", "2", "--features", "8", "8", "8", "--steps", "4"]
    train_briefly(*arguments)
    whole = torch.load(tmp_path / "espcn_x2.pth", weights_only=True)
    (tmp_path / "espcn_x2.state").unlink()

    save = train.save

    def save_and_stop(*state):
        save(*state)
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted, pytest.raises(KeyboardInterrupt):
        interrupted.setattr(train, "save", save_and_stop)
        train_briefly(*arguments)
    train_briefly(*arguments)
    resumed = torch.load(tmp_path / "espcn_x2.pth", weights_only=True)
    for key, value in whole.items():
        torch.testing.assert_close(resumed[key], value, rtol=0, atol=0)


@pytest.mark.parametrize("features", [(64, 64, 32), (8, 8, 8, 8, 8, 8)])
def test_espcn_begins_near_the_nearest_pixel(features):
    x = torch.rand(1, 1, 20, 30)
    with torch.no_grad():
        y = train.espcn_near_nearest(3, features)(x)
    nearest = torch.nn.functional.interpolate(x, scale_factor=3)
    assert 0 < (y - nearest).abs().mean() < 0.15


@pytest.mark.parametrize("shape", [(8, 8, 3, 3), (4, 16, 1, 1), (16, 4, 1, 1)])
def test_muon_moves_a_weight_equally_in_all_directions(shape):
    """By about the learning rate along every singular vector that the gradient has."""
    weight = torch.nn.Parameter(torch.zeros(shape))
    optimizer = muon.Muon([weight], lr=0.1)
    gradient = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    weight.grad = gradient.clone()
    optimizer.step()
    moved = weight.detach().flatten(1)
    assert float((moved * gradient.flatten(1)).sum()) < 0
    strengths = torch.linalg.svdvals(moved) / max(1, moved.shape[0] / moved.shape[1]) ** 0.5
    assert 0.05 < float(strengths.min()) < float(strengths.max()) < 0.13


def test_a_run_begins_with_given_weights_and_goes_on_from_its_state(train_briefly, tmp_path):
    bundled = models.load("espcn_x2").state_dict()
    start = tmp_path / "start.pth"
    torch.save(bundled, start)
    more = ["espcn", "--factor", "2", "--start", str(start)]
    folder = train_briefly(*more, "--steps", "2")
    trained = torch.load(folder / "espcn_x2.pth", weights_only=True)
    changes = [float((trained[key] - bundled[key]).abs().max()) for key in bundled]
    assert 0 < max(changes) < 1e-3
    train_briefly(*more, "--steps", "4")
    state = torch.load(folder / "espcn_x2.state", weights_only=True)
    assert state["step"] == 4
    assert state["schedule0"]["last_epoch"] == state["schedule1"]["last_epoch"] == 4
    assert int(state["average"]["n_averaged"]) == 4


def test_a_network_with_more_layers_begins_where_a_smaller_one_ended():
    """The layers it has in addition pass on what they get, nearly."""
    torch.manual_seed(0)
    with torch.no_grad():
        small = train.espcn_near_nearest(3, (16, 16, 16))
        small.conv4.weight.add_(0.05 * torch.randn_like(small.conv4.weight))
        deep = train.espcn_near_nearest(3, (16,) * 5)
        train.begin_with(deep, small.state_dict())
        x = torch.rand(1, 1, 20, 30)
        expected = small(x)
        assert (deep(x) - expected).abs().mean() < 0.2 * (expected - expected.mean()).abs().mean()
        for layer in (deep.conv4, deep.conv5):
            torch.nn.init.dirac_(layer.weight)
        torch.testing.assert_close(deep(x), expected)


def test_patches_are_as_large_as_asked_for(train_briefly):
    folder = train_briefly("espcn", "--steps", "1", "--patch", "24")
    notes = json.loads((folder / "espcn_x3.json").read_text())
    assert notes["patches_per_step"].startswith("2 of 24 x 24")
