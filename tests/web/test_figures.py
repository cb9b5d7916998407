"""What `make bench-web` measured, against the goals, and the page that tells it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIGURES = json.loads((ROOT / "benchmarks" / "results" / "web.json").read_text())


def test_the_page_tells_what_was_measured() -> None:
    spec = importlib.util.spec_from_file_location("web", ROOT / "benchmarks" / "web.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.report(FIGURES) == (ROOT / "docs" / "browser.md").read_text()


def test_goals() -> None:
    """Several times as fast as pica; float32 takes at most thrice as long a value as bytes."""
    assert FIGURES["package_bytes_gzipped"] <= 250_000
    for row in FIGURES["times"]:
        assert row["float32_ns_per_value"] <= 3 * row["uint8_ns_per_value"], row
        assert row["pica_ms"] >= 3 * row["uint8_rgba_ms"], row
