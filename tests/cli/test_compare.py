"""``sr-ops compare``, without a browser; tests/web looks at its page."""

import base64
import json
import re

import cv2
import numpy as np
import pytest

from sr_ops.imaging import read_image, upscale_image, write_image


def picture(shape=(24, 32, 3), dtype=np.uint8):
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype=dtype)


def described(path):
    """What the page holds, with its pictures decoded, RGB."""
    html = path.read_text(encoding="utf-8")
    assert "http" not in re.sub(r"Content-Security-Policy|http-equiv", "", html)
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)[1]

    def decoded(address):
        kind, _, text = address.partition(",")
        assert kind == "data:image/png;base64"
        png = np.frombuffer(base64.b64decode(text), np.uint8)
        return cv2.imdecode(png, cv2.IMREAD_UNCHANGED)[..., ::-1]

    pictures = json.loads(data)
    for one in pictures:
        one["before"] = decoded(one["before"])
        for result in one["results"]:
            result["image"] = decoded(result["image"])
    return pictures


def test_a_page(run, tmp_path):
    write_image(tmp_path / "</script>.png".replace("/", ""), picture())
    write_image(tmp_path / "b.png", picture((20, 20, 3), np.uint16))
    sources = sorted(tmp_path.iterdir())
    code, out, err = run(
        "compare", *sources, "-s", 2, "-m", "espcn_x2", "-m", "bicubic", "-o", tmp_path / "p.html"
    )
    assert (code, err) == (0, "")
    assert "2 pictures by espcn_x2, bicubic" in out
    page = described(tmp_path / "p.html")
    assert [one["name"] for one in page] == [path.name for path in sources]
    for one, path in zip(page, sources, strict=True):
        image = read_image(path)
        assert (one["height"], one["width"]) == (2 * image.shape[0], 2 * image.shape[1])
        for result, model in zip(one["results"], ("espcn_x2", "bicubic"), strict=True):
            assert result["model"] == model
            expected = upscale_image(image, 2, model=model) // (257 if image.itemsize > 1 else 1)
            assert np.abs(result["image"].astype(int) - expected).max() <= 1
        assert (one["before"] == one["results"][1]["image"]).all()


def test_numbers(run, tmp_path):
    write_image(tmp_path / "a.png", picture())
    write_image(tmp_path / "original.png", upscale_image(picture(), 3, model="bicubic"))
    arguments = ("compare", tmp_path / "a.png", "-m", "bicubic", "-o", tmp_path / "p.html")
    code, _, err = run(*arguments, "-s", 3, "--original", tmp_path / "original.png")
    assert (code, err) == (0, "")
    (one,) = described(tmp_path / "p.html")
    assert one["results"][0]["numbers"] == "inf dB, SSIM 1.0000 (bicubic inf dB, SSIM 1.0000)"
    code, _, err = run(*arguments, "-s", 2, "--original", tmp_path / "original.png")
    assert (code, err.count("\n")) == (2, 1)
    assert "96 x 72 pixels, but the result has 64 x 48" in err


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["a.png", "-o", "p.png"], "ends in .html"),
        (["a.png", "-o", "none/p.html"], "no such folder"),
        (["none.png", "-o", "p.html"], "no such file"),
        (["a.png", "a.png", "--original", "a.png", "-o", "p.html"], "one for each of 2"),
        (["a.png", "-s", "x", "-o", "p.html"], "--scale"),
        (["a.png", "-s", "2", "--width", "9", "-o", "p.html"], "scale"),
        (["a.png", "--max-pixels", "9", "-o", "p.html"], "max_pixels"),
        (["a.png", "-m", "none.pth", "-o", "p.html"], "none.pth"),
        (["bad.png", "-o", "p.html"], "bad.png"),
    ],
)
def test_what_goes_wrong(run, tmp_path, monkeypatch, arguments, part):
    monkeypatch.chdir(tmp_path)
    write_image("a.png", picture())
    (tmp_path / "bad.png").write_bytes(b"bad")
    code, _, err = run("compare", *arguments)
    assert (code, err.count("\n")) == (2, 1)
    assert part.lower() in err.lower()
    assert not (tmp_path / "p.html").exists()
