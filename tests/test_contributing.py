"""CONTRIBUTING.md is true: recipes name every place that has to change, walks what is entered."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
import torch

import sr_ops
from sr_ops import cli

ROOT = Path(__file__).resolve().parent.parent

#: Recipe -> (where to look, what the youngest entries are called there).
RECIPES = {
    "Adding a coordinate mode": [
        ("csrc", r"asymmetric|ASYMMETRIC|kAsymmetric"),
        ("sr_ops", r"[\"`]asymmetric|# asymmetric"),
    ],
    "Adding an element type": [
        ("csrc", r"UInt16|UINT16|uint16_t|USHORT|kInt8|kBFloat16|BFloat16;"),
        ("sr_ops/numpy.py", r"uint16"),
        ("tests/helpers/cases.py", r"uint16"),
        ("tests/helpers/native.py", r"uint16"),
    ],
}
#: What a recipe names although no name of an entry stands there.
ALSO = {
    "Adding a coordinate mode": {"sr_ops/onnx/operators/standard_form.py"},
    "Adding an element type": set(),
}


def _section(title: str) -> str:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def _recipe(title: str) -> set[str]:
    section = _section(title)
    return set(re.findall(r"`((?:csrc|sr_ops|tests)/[^`]+\.[a-z]+)`", section))


def _places(where: str, pattern: str) -> set[str]:
    start = ROOT / where
    files = [start] if start.is_file() else start.rglob("*")
    endings = {".h", ".cpp", ".cuh", ".cu", ".in", ".py"}
    return {
        path.relative_to(ROOT).as_posix()
        for path in files
        if path.suffix in endings
        and "sr_ops/include" not in path.as_posix()
        and re.search(pattern, path.read_text())
    }


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_names_every_place(title: str) -> None:
    named = _recipe(title)
    assert named, f"no section {title!r}"
    missing = {path for path in named if not (ROOT / path).is_file()}
    assert not missing
    found = set().union(*(_places(*search) for search in RECIPES[title])) | ALSO[title]
    assert found == named


def _entered(call: Callable[[], object]) -> list[str]:
    """The files of the package whose functions run, in the order of their first ones."""
    found: list[str] = []

    def note(frame: FrameType, event: str, _: Any) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(ROOT / "sr_ops"):
            name = path.relative_to(ROOT).as_posix()
            if name not in found and frame.f_code.co_name != "<module>":
                found.append(name)

    call()  # what it imports, which runs the bodies of classes
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return found


_MODEL = """<ir_version: 8, opset_import: ["": 18]>
g (float[1, 3, 8, 9] x) => (float[1, 3, h, w] y) <float[4] two = {1, 1, 2, 2}> {
    y = Resize <mode = "cubic"> (x, , two)
}"""


def _upscale(folder: Path) -> None:
    cv2.imwrite(str(folder / "in.png"), np.zeros((8, 9, 3), np.uint8))
    names = [str(folder / name) for name in ("in.png", "out.png")]
    assert cli.main(["upscale", *names, "--model", "bicubic"]) == 0


WALKS: list[tuple[str, Callable[[Path], object]]] = [
    ("`x`,", lambda _: sr_ops.dynamic_upscale(torch.ones(1, 1, 4, 4), 2)),
    ("A model,", lambda _: sr_ops.onnx.accelerate(onnx.parser.parse_model(_MODEL))),
    ("A picture,", _upscale),
]


@pytest.mark.parametrize(("start", "walk"), WALKS, ids=["x", "model", "picture"])
def test_a_walk_enters_what_it_names(
    start: str, walk: Callable[[Path], object], tmp_path: Path
) -> None:
    part = _section("Three walks").partition(f"\n{start}")[2].partition("\n\n\n")[0]
    steps = re.findall(r"^\d\. `([^`]+)`", part.split("\n\nA ")[0], re.MULTILINE)
    assert len(steps) >= 5 and all((ROOT / step).is_file() for step in steps)
    entered = _entered(lambda: walk(tmp_path))
    named = [step for step in steps if step.endswith(".py")]
    assert sorted(named, key=entered.index) == named
