"""js/examples, which docs/browser.md quotes: in Node and in a browser. Run by `make test-web`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from browser import browsing, serving

PACKAGE = Path(__file__).resolve().parents[2] / "js"

pytestmark = pytest.mark.skipif(
    not (PACKAGE / "sr_ops.wasm").exists() or shutil.which("node") is None,
    reason="no js/sr_ops.wasm, or no Node: `make test-web` sees to both",
)


def test_node() -> None:
    example = PACKAGE / "examples" / "node.mjs"
    done = subprocess.run(["node", str(example)], capture_output=True, text=True, check=True)
    assert done.stdout == "[ 3, 172, 259 ] true\n"


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium: see `make test-web`")
def test_page() -> None:
    with serving(PACKAGE) as url, browsing() as page:
        page.open(f"{url}/package.json")
        page.wait_for("document.readyState === 'complete'")
        size = page.evaluate(
            """import('./examples/page.mjs').then(async ({ enlarge }) => {
              const canvas = document.createElement('canvas');
              [canvas.width, canvas.height] = [40, 30];
              canvas.getContext('2d').fillRect(10, 10, 20, 10);
              await enlarge(canvas, 2.5);
              const centre = canvas.getContext('2d').getImageData(50, 37, 1, 1).data;
              return [canvas.width, canvas.height, ...centre];
            })"""
        )
        assert size == [100, 75, 0, 0, 0, 255]
        assert not [problem for problem in page.problems if "favicon.ico" not in problem]
