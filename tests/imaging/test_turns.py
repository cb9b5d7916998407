"""The mean of a network's answers to a picture in all eight turns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import sr_ops
from sr_ops.cli import main
from sr_ops.errors import InvalidArgumentError
from sr_ops.imaging import read_image, write_image

PICTURE = np.random.default_rng(0).random((21, 30, 3), np.float32)


class Unknown(torch.nn.Module):
    """Resamples and filters; how far it sees, it does not say."""

    channels = 3

    def __init__(self) -> None:
        super().__init__()
        self.filter = torch.nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x, scale):
        return self.filter(sr_ops.dynamic_upscale(x, scale))


def all_turns(array):
    """Each turn, with what undoes it."""
    for transposed in (False, True):
        for down in (1, -1):
            for right in (1, -1):
                axes = (1, 0, 2) if transposed else (0, 1, 2)
                yield (
                    array[::down, ::right].transpose(axes),
                    lambda x, axes=axes, down=down, right=right: x.transpose(axes)[::down, ::right],
                )


@pytest.mark.parametrize("model", ["multiscale", "srcnn"])
def test_it_is_the_mean(model):
    results = [
        back(sr_ops.upscale_image(np.ascontiguousarray(turned), 2, model=model))
        for turned, back in all_turns(PICTURE)
    ]
    assert max(np.abs(result - results[0]).max() for result in results) > 1e-3
    best = sr_ops.upscale_image(PICTURE, 2, model=model, best=True)
    np.testing.assert_allclose(best, np.mean(results, axis=0), rtol=0, atol=2e-6)


@pytest.mark.parametrize("model", ["multiscale", "srcnn"])
def test_tiles_have_the_values_of_the_whole(model):
    whole = sr_ops.upscale_image(PICTURE, 2.7, model=model, best=True, tile=None)
    tiled = sr_ops.upscale_image(PICTURE, 2.7, model=model, best=True, tile=32)
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=1e-4 / 255)


def test_pieces_of_multiples():
    """A network that treats pixels by their place in blocks of four, from either end."""

    class Blocks(torch.nn.Module):
        channels, upscale_factor, radius, multiple = 3, 2, 4, 4

        def forward(self, x, scale):
            assert x.shape[2] % 4 == x.shape[3] % 4 == 0
            weights = torch.arange(1.0, 5).repeat(x.shape[3] // 4)
            return (x * weights).repeat_interleave(2, 2).repeat_interleave(2, 3)

    model = Blocks()
    whole = sr_ops.upscale_image(PICTURE, 2, model=model, best=True, tile=None)
    assert whole.shape == (42, 60, 3)
    tiled = sr_ops.upscale_image(PICTURE, 2, model=model, best=True, tile=16)
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=1e-6)


def test_sizes_that_are_rounded_down_are_refused():
    """And what the message advises works."""
    model = Unknown()
    with pytest.raises(InvalidArgumentError, match=r"^best: Unknown enlarges 21 pixels by 2\.7"):
        sr_ops.upscale_image(PICTURE, 2.7, model=model, best=True)
    assert sr_ops.upscale_image(PICTURE, 2.7, model=model, best=True, overlap=32).shape[0] == 56
    assert sr_ops.upscale_image(PICTURE, 3, model=model, best=True).shape == (63, 90, 3)


def test_the_command(tmp_path):
    source, target = str(tmp_path / "in.png"), str(tmp_path / "out.png")
    write_image(source, (PICTURE * 255).astype(np.uint8))
    assert main(["upscale", source, target, "--best", "--model", "multiscale"]) == 0
    best = sr_ops.upscale_image(read_image(source), 2, model="multiscale", best=True)
    assert np.abs(read_image(target).astype(int) - best).max() <= 1
    plain = sr_ops.upscale_image(read_image(source), 2, model="multiscale")
    assert np.abs(best.astype(int) - plain).max() > 4
