"""The model card tells of the weights that are bundled: its numbers are measured again."""

import re
from pathlib import Path
from statistics import fmean

import pytest
from skimage import data

from sr_ops import models
from sr_ops.imaging import evaluation
from sr_ops.imaging.choice import DEFAULT_MODEL

DOCS = Path(__file__).parents[2] / "docs"
CARD = (DOCS / "model-card.md").read_text(encoding="utf-8")
ROW = r"^\| ([\d.]+) \| (\w+) \| ([\d.]+) \| ([+-][\d.]+) \| ([+-][\d.]+) \| ([\d.]+) \|$"
ROWS = {
    (float(scale), model): tuple(map(float, numbers))
    for scale, model, *numbers in re.findall(ROW, CARD, re.MULTILINE)
}


@pytest.mark.parametrize(
    ("scale", "model"),
    [
        *((2, "espcn_x2"), (3, "espcn_x3"), (4, "espcn_x4")),
        *((scale, DEFAULT_MODEL) for scale in (2, 2.7, 3, 4)),
    ],
)
def test_its_numbers_are_those_of_the_weights(scale, model):
    pictures = (data.astronaut(), data.chelsea(), data.coffee())
    choices = {"bicubic": None, "papers": evaluation.bicubic_of_papers, model: model}
    scores = [evaluation.evaluate(picture, scale, choices) for picture in pictures]
    own, papers, network = (fmean(s.psnr for s in group) for group in zip(*scores, strict=True))
    psnr, gain, over_papers, ssim = ROWS[scale, model]
    assert network == pytest.approx(psnr, abs=0.011)
    assert network - own == pytest.approx(gain, abs=0.011)
    assert network - papers == pytest.approx(over_papers, abs=0.011)
    assert fmean(group[2].ssim for group in scores) == pytest.approx(ssim, abs=0.00011)


def test_the_default_earns_its_place():
    """No other network is better at any scale, and bicubic is worse by 0.7 dB and more."""
    for scale in (2, 2.7, 3, 4):
        scores = {model: ROWS[scale, model][0] for model in models.names()}
        assert max(scores, key=lambda model: scores[model]) == DEFAULT_MODEL
        assert ROWS[scale, DEFAULT_MODEL][1] >= 0.7
        assert ROWS[scale, f"espcn_x{min(round(scale), 4)}"][1] >= 0.7


def test_every_bundled_network_is_described():
    for name in models.names():
        section = CARD.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        for item in ("photographs", "held out", "degradation", "loss", "steps", "seed"):
            assert f"\n- {item}: " in section
        assert "\n- before: " not in section  # stands in the notes beside the weights


def test_it_shows_how_training_went():
    """`training/curves.py` puts the picture there, after `sr-ops eval --markdown`."""
    picture = re.search(r"^!\[.+\]\((.+training\.png)\)$", CARD, re.MULTILINE)
    assert picture
    assert (DOCS / picture[1]).exists()
