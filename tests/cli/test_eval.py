"""``sr-ops eval``: its scores, its reports, its errors."""

import json

import numpy as np
import pytest
from skimage import data, metrics

import sr_ops
from sr_ops.imaging import evaluation, write_image


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    write_image(folder / "cat.png", data.chelsea()[60:160, 100:220])
    write_image(folder / "man.png", data.camera()[80:180, 180:280])
    return folder


def test_scores(run, pictures, tmp_path):
    report = tmp_path / "report.json"
    code, text, err = run("eval", pictures, "-s", 2, "-m", "espcn", "--json", report)
    assert (code, err) == (0, "")
    assert "cat.png" in text
    scores = {(s["picture"], s["model"]): s for s in json.loads(report.read_text())["scores"]}
    labels = ("bicubic", "bicubic a=-0.5", "espcn_x3")
    assert set(scores) == {(p, m) for p in ("cat.png", "man.png") for m in labels}
    truth = data.camera()[80:180, 180:280]
    upscaled = sr_ops.upscale_image(evaluation.degrade(truth, 2), 2, model=None)
    first, second = (p[2:-2, 2:-2] * (219 / 255) + 16 for p in (truth, upscaled))
    expected = metrics.peak_signal_noise_ratio(first, second, data_range=255)
    assert scores["man.png", "bicubic"]["psnr"] == pytest.approx(expected, abs=1e-4)
    for picture in ("cat.png", "man.png"):
        assert scores[picture, "espcn_x3"]["psnr"] > scores[picture, "bicubic"]["psnr"]


def test_means_and_model_card(run, pictures, tmp_path):
    report, card = tmp_path / "report.json", tmp_path / "card.md"
    options = ["--scale", 1.5, "--scale", 2, "--json", report, "--markdown", card]
    assert run("eval", pictures, "-m", "espcn", *options)[0] == 0
    content = json.loads(report.read_text())
    assert [(m["scale"], m["model"]) for m in content["means"]] == [
        (scale, model) for scale in (1.5, 2) for model in ("bicubic", "bicubic a=-0.5", "espcn_x3")
    ]
    for mean in content["means"]:
        group = [
            s["psnr"]
            for s in content["scores"]
            if (s["scale"], s["model"]) == (mean["scale"], mean["model"])
        ]
        assert len(group) == 2
        assert mean["psnr"] == pytest.approx(np.mean(group))
        assert f"{mean['psnr']:.2f}" in card.read_text()
    bicubic, papers, network = (mean["psnr"] for mean in content["means"][3:])
    gains = f"| {network - bicubic:+.2f} | {network - papers:+.2f} |"
    assert f"| 2 | espcn_x3 | {network:.2f} {gains}" in card.read_text()


def test_pictures_that_cannot_be_compared(run, pictures):
    write_image(pictures / "tiny.png", np.zeros((8, 8), np.uint8))
    write_image(pictures / "deep.png", np.zeros((60, 60), np.uint16))
    (pictures / "bad.png").write_bytes(b"bad")
    code, text, err = run("eval", pictures, "-s", 2, "-m", "bicubic")
    assert code == 2
    assert "man.png" in text
    assert sorted(line.split()[2] for line in err.splitlines()) == [
        f"{pictures}/bad.png:",
        "deep.png:",
        "tiny.png:",
    ]


def test_equal_pictures_in_json(run, pictures, tmp_path):
    """JSON knows no infinity."""
    write_image(pictures / "flat.png", np.full((60, 60), 7, np.uint8))
    target = tmp_path / "scores.json"
    code, text, _ = run("eval", pictures / "flat.png", "-s", 2, "-m", "bicubic", "--json", target)
    assert (code, "nan" in text) == (0, False)
    report = json.loads(target.read_text(), parse_constant=pytest.fail)
    assert report["means"][0]["psnr"] is None
    assert report["scores"][0]["ssim"] == 1


@pytest.mark.parametrize(
    ("arguments", "part"),
    [(["-s", "0.5"], "--scale"), (["-s", "nan"], "--scale"), (["-m", "none.pth"], "none.pth")],
)
def test_errors(run, pictures, arguments, part):
    code, _, err = run("eval", pictures, *arguments)
    assert code == 2
    assert part in err
    assert err.count("\n") == 1


def test_an_empty_folder(run, tmp_path):
    code, _, err = run("eval", tmp_path)
    assert code == 2
    assert "no pictures" in err
