"""The table of attacks in docs/testing.md names tests that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_every_row_names_a_test() -> None:
    text = (ROOT / "docs" / "testing.md").read_text()
    rows = text.partition("## Attacks")[2].partition("\n## ")[0]
    named = re.findall(r"`(tests/\S+\.py)::(test_\w+)` \|$", rows, re.MULTILINE)
    programs = re.findall(r"`(tests/cpp/\w+_test\.cpp)` \|$", rows, re.MULTILINE)
    assert len(named) + len(programs) == rows.count("\n| ") - 2 >= 20
    built = (ROOT / "tests" / "cpp" / "CMakeLists.txt").read_text()
    assert all(Path(program).name in built for program in programs)
    for file, name in named:
        functions = ast.walk(ast.parse((ROOT / file).read_text()))
        found = {node.name for node in functions if isinstance(node, ast.FunctionDef)}
        assert name in found, f"{file}::{name}"
