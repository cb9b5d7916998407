"""The page of ``sr-ops compare`` in a browser: the slider moved, zoom and pan together.

Run by `make test-web`, which brings the browser; elsewhere these tests skip.
SR_OPS_WEB_SCREENSHOTS names a folder for pictures of the page.
"""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from browser import Page, browsing
from skimage.data import astronaut

from sr_ops import cli

pytestmark = pytest.mark.skipif(
    shutil.which("chromium") is None, reason="no Chromium: `make test-web` sees to it"
)

NAME = '</script><b>"päivä" & &lt;.png'.replace("/", "")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("compare")
    original = np.ascontiguousarray(astronaut()[60:300, 160:478, ::-1])
    cv2.imwrite(str(folder / "original.png"), original)
    small = cv2.resize(original, (106, 80), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(folder / NAME), small)
    code = cli.main(
        ["compare", str(folder / NAME), "--scale", "3", "--model", "espcn", "--model", "srcnn",
         "--original", str(folder / "original.png"), "--output", str(folder / "page.html")]
    )  # fmt: skip
    assert code == 0
    with browsing() as browser:
        browser.open((folder / "page.html").as_uri())
        browser.wait_for(
            "document.readyState === 'complete' && document.images.length === 4 && "
            "[...document.images].every((image) => image.complete && image.naturalWidth === 318)"
        )
        yield browser
        assert not browser.problems


def transforms(page: Page) -> list[str]:
    return list(page.evaluate("[...document.images].map((image) => image.style.transform)"))


def splits(page: Page) -> list[str]:
    return list(
        page.evaluate("[...document.querySelectorAll('.layer')].map((l) => l.style.clipPath)")
    )


def mouse(page: Page, kind: str, x: float, y: float, **more: Any) -> None:
    page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    mouse(page, "mousePressed", *start, button="left", clickCount=1)
    for part in (0.5, 1.0):
        at = [a + part * (b - a) for a, b in zip(start, end, strict=True)]
        mouse(page, "mouseMoved", *at, button="left", buttons=1)
    mouse(page, "mouseReleased", *end, button="left", clickCount=1)


def box(page: Page, number: int) -> tuple[float, float, float, float]:
    found = page.evaluate(
        f"(({{left, top, width, height}}) => [left, top, width, height])"
        f"(document.querySelectorAll('.pane')[{number}].getBoundingClientRect())"
    )
    return tuple(found)


def keep(page: Page, name: str) -> None:
    folder = os.environ.get("SR_OPS_WEB_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(page.screenshot())


def test_what_stands_there(page: Page) -> None:
    keep(page, "compare")
    text = page.evaluate("document.body.innerText")
    assert f"{NAME}: 106 x 80 -> 318 x 240" in text
    for part in ("espcn_x3", "srcnn", "dB, SSIM 0.", "(bicubic "):
        assert part in text


def test_the_slider_moves_all(page: Page) -> None:
    page.evaluate(
        "document.getElementById('split').value = 250;"
        "document.getElementById('split').dispatchEvent(new Event('input'))"
    )
    assert splits(page) == ["inset(0px 0px 0px 25%)"] * 2
    left, top, width, height = box(page, 0)
    drag(page, (left + 0.25 * width, top + height / 2), (left + 0.75 * width, top + height / 2))
    assert splits(page) == ["inset(0px 0px 0px 75%)"] * 2
    assert page.evaluate("document.getElementById('split').value") == "750"


def test_before_is_left_of_the_line_and_after_is_right(page: Page) -> None:
    shots = []
    for value in (1000, 0):
        page.evaluate(
            f"document.getElementById('split').value = {value};"
            "document.getElementById('split').dispatchEvent(new Event('input'))"
        )
        png = np.frombuffer(page.screenshot(), np.uint8)
        left, top, width, height = map(round, box(page, 0))
        screen = cv2.imdecode(png, cv2.IMREAD_COLOR)[top:, left:][:height, :width]
        shots.append(screen[20 : height - 60, 40 : width - 40])
    for shot, number in zip(shots, (0, 1), strict=True):
        source = page.evaluate(f"document.images[{number}].src").partition(",")[2]
        image = cv2.imdecode(np.frombuffer(base64.b64decode(source), np.uint8), 1)
        left, top, width, height = map(round, box(page, 0))
        shown = cv2.resize(image, (width, height), interpolation=cv2.INTER_NEAREST)
        assert np.abs(shot.astype(int) - shown[20 : height - 60, 40 : width - 40]).mean() < 3
    assert np.abs(shots[0].astype(int) - shots[1]).mean() > 0.5


def test_zoom_and_pan_are_linked(page: Page) -> None:
    page.evaluate("document.getElementById('fit').click()")
    at_first = transforms(page)
    assert len(set(at_first)) == 1
    left, top, width, height = box(page, 1)
    mouse(page, "mouseWheel", left + width / 4, top + height / 4, deltaX=0, deltaY=-600)
    page.wait_for(f"document.images[0].style.transform !== {at_first[0]!r}")
    zoomed = transforms(page)
    assert len(set(zoomed)) == 1
    drag(page, (left + width / 4, top + height / 4), (left + width / 4 - 30, top + height / 4 - 20))
    moved = transforms(page)
    assert len(set(moved)) == 1
    assert moved != zoomed
    page.evaluate(
        "document.getElementById('split').value = 500;"
        "document.getElementById('split').dispatchEvent(new Event('input'))"
    )
    keep(page, "compare-zoomed")
    page.evaluate("document.getElementById('fit').click()")
    assert transforms(page) == at_first
