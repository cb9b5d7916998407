"""Times in a browser: ours in WebAssembly beside a canvas and pica. Run by `make bench-web`.

    python benchmarks/web.py            # measures; writes results/web.json and docs/browser.md
    python benchmarks/web.py --report   # writes docs/browser.md anew from results/web.json

In headless Chromium, one thread each, least time of many. pica (a resampler for browsers) comes
from npm; its filter is another one, so only time is compared.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "helpers"))
from browser import browsing, serving  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "web.json"
DOCS = ROOT / "docs" / "browser.md"
PICA = "pica@10.0.3"

PAGE = """<!doctype html><meta charset="utf-8"><script type="module">
import { load, upscale } from './sr-ops/index.js';
import Pica from './pica.mjs';

const size = 256;
const canvas = (width, height) =>
  Object.assign(document.createElement('canvas'), { width, height });
const source = canvas(size, size);
const picture = new ImageData(size, size);
picture.data.forEach((_, i) => { picture.data[i] = i % 4 === 3 ? 255 : (i * 7919) & 255; });
source.getContext('2d').putImageData(picture, 0, 0);
const floats = Float32Array.from({ length: 3 * size * size }, (_, i) => Math.sin(i));
const pica = Pica({ features: ['js', 'wasm'], concurrency: 1 });

// In turns, so that all have the same share of quiet moments.
async function leastOfEach(runs) {
  const best = Object.fromEntries(Object.keys(runs).map((name) => [name, Infinity]));
  for (let i = 0; i < 80; i++) {
    for (const [name, run] of Object.entries(runs)) {
      const begin = performance.now();
      await run();
      best[name] = Math.min(best[name], performance.now() - begin);
    }
  }
  return best;
}

async function byCanvas(width) {
  const context = canvas(width, width).getContext('2d', { willReadFrequently: true });
  context.imageSmoothingQuality = 'high';
  context.drawImage(source, 0, 0, width, width);
  context.getImageData(0, 0, width, width);
}

const target = canvas(1, 1);
target.getContext('2d', { willReadFrequently: true });

function ours(scale, width, out) {
  const image = source.getContext('2d').getImageData(0, 0, size, size);
  target.width = target.height = width;
  target.getContext('2d').putImageData(upscale(image, { scale, out }), 0, 0);
}

async function picas(width) {
  target.width = target.height = width;
  await pica.resize(source, target, { filter: 'mks2013' });
}

window.measure = async (scale) => {
  await load();
  const width = Math.trunc(Math.fround(size * Math.fround(scale)));
  const shape = [3, size, size];
  const bytes = new Uint8ClampedArray(width * width * 4); // everybody writes into memory of old
  const planes = new Float32Array(width * width * 3);
  const best = await leastOfEach({
    uint8_rgba_ms: () => upscale(picture, { scale, out: bytes }),
    float32_3_planes_ms: () => upscale(floats, { shape, scale, out: planes }),
    canvas_ms: () => byCanvas(width),
    between_canvases_ms: () => ours(scale, width, bytes),
    pica_between_canvases_ms: () => picas(width),
    pica_ms: () =>
      pica.resizeBuffer({ src: picture.data, width: size, height: size, toWidth: width,
                          toHeight: width, dest: new Uint8Array(bytes.buffer),
                          filter: 'mks2013' }),
  });
  return { scale, ...best };
};
</script>"""


def make_folder(folder: Path) -> None:
    """What the page needs, side by side."""
    (folder / "index.html").write_text(PAGE, "utf-8")
    shutil.copytree(ROOT / "js", folder / "sr-ops", ignore=shutil.ignore_patterns("test"))
    subprocess.run(
        ["npm", "pack", "--silent", PICA], cwd=folder, check=True, stdout=subprocess.DEVNULL
    )
    with tarfile.open(next(folder.glob("pica-*.tgz"))) as archive:
        member = archive.extractfile("package/dist/pica.mjs")
        assert member is not None
        (folder / "pica.mjs").write_bytes(member.read())


def measure() -> dict[str, Any]:
    """All figures."""
    with tempfile.TemporaryDirectory() as name:
        make_folder(Path(name))
        with serving(Path(name)) as url, browsing() as page:
            page.open(f"{url}/index.html")
            page.wait_for("typeof window.measure === 'function'")
            version = page.call("Browser.getVersion")["product"].replace(
                "HeadlessChrome", "Chromium"
            )
            times = [page.evaluate(f"measure({scale})", timeout=300) for scale in (2, 2.7, 3)]
    wasm = ROOT / "js" / "sr_ops.wasm"
    package = [*sorted((ROOT / "js").glob("*.js")), wasm, ROOT / "js" / "index.d.ts"]
    for row in times:
        values = (256 * row["scale"]) ** 2
        row["uint8_ns_per_value"] = row["uint8_rgba_ms"] * 1e6 / values / 4
        row["float32_ns_per_value"] = row["float32_3_planes_ms"] * 1e6 / values / 3
    return {
        "browser": version,
        "picture": "256 x 256, RGBA; float32: three planes",
        "package_bytes_gzipped": sum(len(gzip.compress(file.read_bytes())) for file in package),
        "wasm_bytes_gzipped": len(gzip.compress(wasm.read_bytes())),
        "times": times,
    }


def table(figures: dict[str, Any]) -> str:
    """The figures in Markdown."""
    rows = [
        f"| ×{row['scale']:g} | {row['uint8_rgba_ms']:.1f} ms | {row['pica_ms']:.1f} ms | "
        f"{row['between_canvases_ms']:.1f} ms | {row['pica_between_canvases_ms']:.1f} ms | "
        f"{row['canvas_ms']:.1f} ms | {row['float32_3_planes_ms']:.1f} ms | "
        f"{row['uint8_ns_per_value']:.1f} and {row['float32_ns_per_value']:.1f} ns |"
        for row in figures["times"]
    ]
    return "\n".join(
        [
            f"Measured in {figures['browser']}, 256 × 256 pixels, one thread, {figures['remark']}. "
            f"The module has {figures['wasm_bytes_gzipped'] / 1000:.0f} kB gzipped, the package "
            f"{figures['package_bytes_gzipped'] / 1000:.0f} kB.",
            "",
            "| scale | bytes | pica, bytes | canvas to canvas | pica, canvas to canvas | "
            "drawImage | float32 | a value: bytes, float32 |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
            *rows,
        ]
    )


def report(figures: dict[str, Any]) -> str:
    """docs/browser.md with these figures."""
    head, begin, rest = DOCS.read_text("utf-8").partition("<!-- web benchmark:begin -->\n")
    _, end, tail = rest.partition("<!-- web benchmark:end -->")
    return f"{head}{begin}{table(figures)}\n{end}{tail}"


def main() -> None:
    """Measure, or not; write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--remark", default="least of 80 runs", help="on the circumstances")
    arguments = parser.parse_args()
    if not arguments.report:
        figures = {**measure(), "remark": arguments.remark}
        RESULTS.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    figures = json.loads(RESULTS.read_text("utf-8"))
    DOCS.write_text(report(figures), "utf-8")
    print(table(figures))


if __name__ == "__main__":
    main()
