"""The committed result of `make matrix-torch`."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_committed_table_has_every_part():
    path = ROOT / "scripts" / "torch_matrix" / "run.py"
    spec = importlib.util.spec_from_file_location("torch_matrix_run", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    table = (ROOT / "docs" / "torch_matrix.md").read_text()
    row = rf"^\| {script.TORCH} \| {script.TORCHVISION} \| (.*) \| (\d+) \| 0 \|$"
    rows = dict(re.findall(row, table, re.MULTILINE))
    assert list(rows) == list(script.PARTS)
    assert min(map(int, rows.values())) >= 4
