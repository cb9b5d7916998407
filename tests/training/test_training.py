"""What makes the bundled weights: pictures, patches, and a short run of each recipe."""

import json
import signal
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data

from sr_ops import models

sys.path[:0] = [str(Path(__file__).parents[2] / "training")]

import curves  # noqa: E402
import generated_pictures  # noqa: E402
import muon  # noqa: E402
import patches  # noqa: E402
import photographs  # noqa: E402
import prepare  # noqa: E402
import recipes  # noqa: E402
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


def test_pictures_have_one_use_only():
    groups = [set(photographs.TRAINING), set(photographs.HELD_OUT), set(photographs.VALIDATION)]
    assert len(set.union(*groups)) == sum(map(len, groups))


def test_every_photograph_names_a_licence_that_asks_for_no_more_than_a_credit():
    credits = photographs.credits()
    assert len(credits) == len(set(credits)) > 20
    for credit in credits:
        what, whose, licence = credit.rsplit(", ", 2)
        assert what
        assert whose
        assert licence in {"CC0", "CC-BY-2.0", "CC-BY-4.0", "BSD-3-Clause", "public domain"}


def test_photographs_of_packages_are_shrunk_and_named_apart(tmp_path, monkeypatch):
    """Two packages may have a file of the same name."""
    monkeypatch.setattr(prepare, "BUILD", tmp_path)
    for package in ("first", "second"):
        (tmp_path / "packages" / package).mkdir(parents=True)
        prepare.skimage.io.imsave(tmp_path / "packages" / package / "flower.png", data.coffee())
    group = (photographs.Photograph("flower.png", 2, "flower, somebody, CC0"),)
    pictures = dict(
        item for package in ("first", "second") for item in prepare.from_package(package, group)
    )
    assert list(pictures) == ["first flower", "second flower"]
    for picture in pictures.values():
        np.testing.assert_array_equal(picture, patches.degrade(data.coffee(), 2))


@pytest.fixture
def pack(leaves):
    return {"rocket": data.rocket(), "camera": photographs.load("camera"), "leaves": leaves[0]}


def test_colour_photographs_come_as_luma_channels_and_mixtures(pack):
    pictures = patches.from_pack(pack, seed=0)
    kinds = 1 + 3 + patches.MIXTURES
    sizes = [n for n in patches.SIZES if n * min(data.rocket().shape[:2]) >= patches.SMALLEST]
    assert len(pictures) == kinds * len(sizes) + len(patches.SIZES) + 1
    np.testing.assert_array_equal(pictures[0].levels, photographs.to_gray(data.rocket()))
    np.testing.assert_array_equal(pictures[1].levels, data.rocket()[..., 0])
    np.testing.assert_array_equal(pictures[kinds * len(sizes)].levels, data.camera())
    assert sum(picture.weight for picture in pictures) == pytest.approx(1)
    assert pictures[-1].weight == pytest.approx(patches.GENERATED_SHARE)
    of_rocket = [picture.weight for picture in pictures[: kinds * len(sizes)]]
    assert sum(of_rocket[::kinds]) == pytest.approx(patches.LUMA_SHARE * sum(of_rocket))


@pytest.mark.parametrize("factor", [1.25, 1.5, 2, 2.5, 3, 4])
def test_a_patch_is_its_target_made_small(factor):
    """Whatever was done to both."""
    source = patches.Patches([patches.Picture(data.camera(), 1.0)], [factor], seed=0)
    x, target = source.draw(7, {factor: 32}, 24)[factor]
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


def test_patches_depend_on_seed_and_step_alone(pack):
    first, second = (patches.Patches(patches.from_pack(pack, 0), [2], seed=0) for _ in range(2))
    for step in (5, 9):
        torch.testing.assert_close(first.draw(step, {2: 2}, 24), second.draw(step, {2: 2}, 24))
    assert not torch.equal(first.draw(5, {2: 2}, 24)[2][0], first.draw(6, {2: 2}, 24)[2][0])


def test_blurred_patches_are_dropped():
    """Half of this picture has no detail: next to nothing is taken from there."""
    camera = data.camera()
    camera[:, :256] = 90
    source = patches.Patches([patches.Picture(camera, 1.0)], [2], seed=0)
    _, target = source.draw(0, {2: 64}, 32)[2]
    assert sum(float(patch.std()) == 0 for patch in target) == 0


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


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_a_network_begins_near_the_nearest_pixel_or_the_bicubic_one(name):
    torch.manual_seed(0)
    x = torch.nn.functional.interpolate(torch.rand(1, 1, 8, 9), scale_factor=4, mode="bicubic")
    with torch.no_grad():
        outputs = train.enlarge_all(recipes.RECIPES[name].make(), {2: x, 3: x})
    for factor, y in outputs.items():
        nearest = torch.nn.functional.interpolate(x, scale_factor=factor)
        assert 0 < (y - nearest).abs().mean() < 0.15


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_the_operations_of_a_network_are_within_its_budget(name):
    """Multiply-adds per output pixel at x2, x3 and x4."""
    budgets = {"multiscale": (15e3, 8e3, 5e3), "fast": (4e3, 2.5e3, 1.5e3)}
    for factor, budget in zip((2, 3, 4), budgets.get(name, (8.1e3,) * 3), strict=True):
        assert recipes.operations(recipes.RECIPES[name].make(), factor) < budget


@pytest.fixture
def train_briefly(tmp_path, monkeypatch, pack):
    """Runs the script, on less than it would take by itself; returns its folder."""
    np.savez(tmp_path / "pack.npz", **pack)
    small = {
        name: recipe._replace(counts=dict.fromkeys(recipe.counts, 1), side=16)
        for name, recipe in recipes.RECIPES.items()
    }
    monkeypatch.setattr(recipes, "RECIPES", small)
    monkeypatch.setattr(train, "LOG_EVERY", 2)
    monkeypatch.setattr(train, "VALIDATE_EVERY", 4)
    monkeypatch.setattr(train, "CROP", 60)

    def run(*arguments):
        places = ["--pack", str(tmp_path / "pack.npz"), "--output", str(tmp_path)]
        monkeypatch.setattr(sys, "argv", ["train.py", *arguments, *places])
        train.main()
        return tmp_path

    return run


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_a_run_and_its_settling_write_weights_notes_and_logs(train_briefly, name):
    train_briefly(name, "--steps", "4")
    before = torch.load(train_briefly(name, "--steps", "4") / f"{name}.state", weights_only=True)
    folder = train_briefly(name, "--settle", "2")
    network = models.load(folder / f"{name}.safetensors")
    x = torch.rand(1, 1, 20, 24)
    with torch.no_grad():
        assert network(x, 2.5).shape == (1, 1, 50, 60)
    notes = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    assert (notes["steps"], notes["seed"]) == (6, 0)
    assert "constant for 4 steps" in notes["optimizer"]
    after = torch.load(folder / f"{name}.state", weights_only=True)
    torch.testing.assert_close(after["network"], before["network"], rtol=0, atol=0)
    rows = [json.loads(row) for row in (folder / f"{name}.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [2, 4]
    assert set(rows[-1]["validation_psnr"]) == set(map(str, recipes.RECIPES[name].counts))
    settling = (folder / f"{name}.settling.jsonl").read_text().splitlines()
    assert [json.loads(row)["step"] for row in settling] == [6]
    curves.draw([folder / f"{name}.jsonl"], folder / "curves.png")
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_signal_asks_for_an_end_and_then_does_what_it_did(train_briefly, monkeypatch):
    """A handler that stays would keep SIGTERM from what runs later, and from its children."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    one_step = train.Training.one_step

    def terminated(self):
        signal.raise_signal(signal.SIGTERM)
        return one_step(self)

    monkeypatch.setattr(train.Training, "one_step", terminated)
    folder = train_briefly("fast", "--steps", "9")
    assert torch.load(folder / "fast.state", weights_only=True)["step"] == 1
    assert [signal.getsignal(number) for number in numbers] == before


def test_what_was_done_in_bfloat16_is_told(train_briefly):
    """Also of a run that went on without it."""
    train_briefly("fast", "--settle", "3", "--steps", "3", "--minutes", "0", "--bfloat16")
    folder = train_briefly("fast", "--settle", "3", "--bfloat16")
    notes = json.loads((folder / "fast.json").read_text(encoding="utf-8"))
    assert notes["convolutions"] == "bfloat16 for 3 steps, else float32"
    (folder / "fast.settling").unlink()
    notes = train_briefly("fast", "--settle", "2") / "fast.json"
    assert json.loads(notes.read_text(encoding="utf-8"))["convolutions"] == "float32"


def test_an_interrupted_run_ends_as_one_that_was_not(train_briefly, tmp_path, monkeypatch):
    """Momenta, averages and patches go on as they were."""
    monkeypatch.setattr(train, "SAVE_EVERY", 2)
    train_briefly("fast", "--steps", "4")
    whole = torch.load(tmp_path / "fast.state", weights_only=True)
    (tmp_path / "fast.state").unlink()
    one_step = train.Training.one_step

    def interrupted(self):
        if self.step == 3:
            raise KeyboardInterrupt
        return one_step(self)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train.Training, "one_step", interrupted)
        train_briefly("fast", "--steps", "4")
    train_briefly("fast", "--steps", "4")
    resumed = torch.load(tmp_path / "fast.state", weights_only=True)
    torch.testing.assert_close(resumed["network"], whole["network"], rtol=0, atol=0)
    torch.testing.assert_close(resumed["average"], whole["average"], rtol=0, atol=0)
    rows = (tmp_path / "fast.jsonl").read_text().splitlines()
    assert [json.loads(row)["step"] for row in rows] == [2, 4]


def test_it_begins_with_the_bundled_weights_unless_told_otherwise(train_briefly, tmp_path):
    bundled = models.load("srcnn").state_dict()
    for fresh in (False, True):
        state_file = train_briefly("srcnn", "--steps", "0", *["--fresh"] * fresh) / "srcnn.state"
        state = torch.load(state_file, weights_only=True)
        state_file.unlink()
        for key, value in bundled.items():
            assert torch.equal(state["network"][key], value) != fresh
            assert torch.equal(state["average"][f"module.{key}"], value) != fresh
        assert (state["before"] is None) == fresh


def test_a_time_limit_ends_a_run_that_can_go_on(train_briefly):
    folder = train_briefly("fast", "--minutes", "0.02")
    state = torch.load(folder / "fast.state", weights_only=True)
    assert 0 < state["step"] < 1000
