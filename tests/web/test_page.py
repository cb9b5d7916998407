"""The page of examples/web in a browser: a picture in, the sliders moved, Python's pixels out.

Run by `make test-web`, which brings the browser and builds the page; elsewhere these tests skip.
SR_OPS_WEB_SCREENSHOTS names a folder for pictures of the page.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser import Page, browsing, serving
from skimage.data import chelsea

import sr_ops

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "web"

pytestmark = pytest.mark.skipif(
    not (FOLDER / "index.html").exists() or shutil.which("chromium") is None,
    reason="no page in build/web, or no Chromium: `make test-web` sees to both",
)

STATUS = "document.getElementById('status').textContent"
DONE = f"/ in [0-9.]+ ms/.test({STATUS})"


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with serving(FOLDER) as url, browsing() as browser:
        browser.open(f"{url}/index.html")
        browser.wait_for(f"document.readyState === 'complete' && {DONE}")
        yield browser
        assert not browser.problems


def _photo(transparent: bool = False) -> np.ndarray:
    picture = np.ascontiguousarray(chelsea()[60:160, 100:230])
    if not transparent:
        return picture
    alpha = np.linspace(0, 255, picture.shape[1]).astype(np.uint8)
    alpha = np.broadcast_to(alpha, picture.shape[:2])[..., None]
    return np.concatenate([picture, alpha], axis=2)


def _write(path: Path, picture: np.ndarray) -> Path:
    order = cv2.COLOR_RGBA2BGRA if picture.shape[2] == 4 else cv2.COLOR_RGB2BGR
    cv2.imwrite(str(path), cv2.cvtColor(picture, order))
    return path


def _open(page: Page, path: Path) -> None:
    page.evaluate(f"{STATUS} = ''")
    page.choose_file("#file", path)
    page.wait_for(DONE)


def _set(page: Page, control: str, value: object) -> None:
    """Moves a control and waits for what the page makes of it."""
    page.evaluate(
        f"""{STATUS} = '';
        document.getElementById('{control}').value = '{value}';
        for (const kind of ['input', 'change']) {{
          document.getElementById('{control}').dispatchEvent(new Event(kind, {{bubbles: true}}));
        }}"""
    )
    page.wait_for(DONE)


def _downloaded(page: Page) -> np.ndarray:
    """The pixels of the file behind the download link, RGBA."""
    text = page.evaluate(
        """fetch(document.getElementById('download').href).then((r) => r.blob()).then((blob) =>
        new Promise((resolve) => {
          const reader = new FileReader();
          reader.onload = () => resolve(reader.result);
          reader.readAsDataURL(blob);
        }))"""
    )
    data = np.frombuffer(base64.b64decode(text.partition(",")[2]), np.uint8)
    return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)


def _keep_screenshot(page: Page, name: str) -> None:
    folder = os.environ.get("SR_OPS_WEB_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(page.screenshot())


def _compare(seen: np.ndarray, expected: np.ndarray, most_differing: float) -> None:
    """One level where a value lies on the edge of two; otherwise equal."""
    seen = seen[..., : expected.shape[2]].astype(int)
    assert seen.shape == expected.shape
    off = np.abs(seen - expected)
    assert off.max() <= 1 and (off > 0).mean() <= most_differing, (off.max(), (off > 0).mean())


def test_the_first_picture_is_there(page: Page) -> None:
    assert re.search("256 . 256 to 691 . 691", page.evaluate(STATUS))
    _keep_screenshot(page, "bicubic")


@pytest.mark.parametrize("scale", ["1.0", "1.7", "2.7", "4.0"])
def test_bicubic_at_any_scale(page: Page, scale: str, tmp_path: Path) -> None:
    picture = _photo()
    _set(page, "model", "bicubic")
    _open(page, _write(tmp_path / "photo.png", picture))
    _set(page, "scale", scale)
    _compare(_downloaded(page), sr_ops.upscale_image(picture, float(scale), model="bicubic"), 1e-4)


def test_transparency(page: Page, tmp_path: Path) -> None:
    """Colour is weighted by alpha. (Browsers hold it weighted in 8 bits: no file's own levels.)"""
    picture = _photo(transparent=True)
    _set(page, "model", "bicubic")
    _set(page, "scale", "2.0")
    _open(page, _write(tmp_path / "photo.png", picture))
    seen, expected = _downloaded(page), sr_ops.upscale_image(picture, 2.0, model="bicubic")
    assert np.abs(seen[..., 3].astype(int) - expected[..., 3]).max() <= 1
    opaque = expected[..., 3] > 200
    assert np.abs(seen[opaque].astype(int) - expected[opaque]).max() <= 3


@pytest.mark.parametrize("network", ["espcn", "multiscale", "srcnn"])
def test_the_networks(page: Page, network: str, tmp_path: Path) -> None:
    """As Python has them under the same names; one network has a tail for each scale."""
    picture = _photo()
    _open(page, _write(tmp_path / "photo.png", picture))
    _set(page, "model", network)
    for scale in ("2.7", "1.6", "4.0"):
        _set(page, "scale", scale)
        expected = sr_ops.upscale_image(picture, float(scale), model=network)
        _compare(_downloaded(page), expected, 2e-3)
    _keep_screenshot(page, network)
    _set(page, "model", "bicubic")


def test_a_new_scale_ends_the_run_before(page: Page, tmp_path: Path) -> None:
    _open(page, _write(tmp_path / "photo.png", _photo()))
    _set(page, "model", "espcn")
    page.evaluate(
        f"""{STATUS} = '';
        for (const value of ['4.0', '3.1', '2.2', '1.5']) {{
          document.getElementById('scale').value = value;
          document.getElementById('scale').dispatchEvent(new Event('input'));
        }}"""
    )
    page.wait_for(DONE)
    assert re.search("to 195 . 150 pixels", page.evaluate(STATUS))
    _set(page, "model", "bicubic")


def test_what_is_no_picture(page: Page, tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_text("no picture")
    page.choose_file("#file", text)
    page.wait_for("document.getElementById('status').classList.contains('error')")
    said = page.evaluate(STATUS)
    assert said == "This file is no picture that the browser can read; try a PNG or a JPEG."
    _open(page, _write(tmp_path / "photo.png", _photo()))


def test_before_and_after(page: Page) -> None:
    page.evaluate(
        """document.getElementById('compare').value = 20;
        document.getElementById('compare').dispatchEvent(new Event('input'));"""
    )
    split = "getComputedStyle(document.getElementById('before')).clipPath"
    assert "80%" in page.evaluate(split)
    sizes = "['before', 'after'].map((id) => document.getElementById(id).width).join()"
    before, _, after = page.evaluate(sizes).partition(",")
    assert before == after


def test_nothing_comes_from_elsewhere(page: Page) -> None:
    """Offline: every script, module and file is of the same server."""
    urls = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    origin = page.evaluate("location.origin")
    assert urls and all(url.startswith((origin, "blob:")) for url in urls)
