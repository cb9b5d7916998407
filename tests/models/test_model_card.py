"""The model card tells of the weights that are bundled: its numbers are measured again."""

import re
from pathlib import Path
from statistics import fmean

import pytest
from skimage import data

from sr_ops import models
from sr_ops.imaging import evaluation

CARD = (Path(__file__).parents[2] / "docs" / "model-card.md").read_text(encoding="utf-8")
ROW = r"^\| ([\d.]+) \| (\w+) \| ([\d.]+) \| ([+-][\d.]+) \| ([\d.]+) \|$"
ROWS = {
    (float(scale), model): (float(psnr), float(gain), float(ssim))
    for scale, model, psnr, gain, ssim in re.findall(ROW, CARD, re.MULTILINE)
}


@pytest.mark.parametrize(("scale", "model"), [(2, "espcn_x2"), (3, "espcn_x3"), (4, "espcn_x4")])
def test_its_numbers_are_those_of_the_weights(scale, model):
    pictures = (data.astronaut(), data.chelsea(), data.coffee())
    choices = {"bicubic": None, model: model}
    scores = [evaluation.evaluate(picture, scale, choices) for picture in pictures]
    psnr, gain, ssim = ROWS[scale, model]
    assert fmean(pair[1].psnr for pair in scores) == pytest.approx(psnr, abs=0.011)
    assert fmean(pair[1].psnr - pair[0].psnr for pair in scores) == pytest.approx(gain, abs=0.011)
    assert fmean(pair[1].ssim for pair in scores) == pytest.approx(ssim, abs=0.00011)


def test_defaults_earn_their_place():
    """Every network of the default family gains at least 0.7 dB over bicubic at its own factor."""
    for scale in (2, 3, 4):
        assert ROWS[scale, f"espcn_x{scale}"][1] >= 0.7


def test_every_bundled_network_is_described():
    for name in models.names():
        section = CARD.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        for item in ("photographs", "held out", "degradation", "loss", "steps", "seed"):
            assert f"\n- {item}: " in section
