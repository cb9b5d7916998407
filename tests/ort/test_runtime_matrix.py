"""The short form of `make matrix`: its checks, on the ONNX Runtime that is installed here."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sr_ops

# One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("runtime matrix")

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts" / "runtime_matrix"


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases")
    sys.path.insert(0, str(SCRIPTS))
    try:
        importlib.import_module("matrix_models").write_cases(folder)
    finally:
        sys.path.remove(str(SCRIPTS))
    return folder


def check(folder: Path) -> tuple[int, dict]:
    command = [sys.executable, str(SCRIPTS / "check.py"), str(folder)]
    done = subprocess.run(
        [*command, sr_ops.get_library_path()], capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_every_case_passes_here(cases):
    code, report = check(cases)
    assert report["failures"] == {}
    assert code == 0
    assert report["passed"] > 100


def test_a_wrong_bit_is_noticed(cases, tmp_path):
    """The check is worth something: one result, off by the smallest step."""
    manifest = json.loads((cases / "manifest.json").read_text())
    case = next(c for c in manifest if c["name"] == "DynamicUpscale-float32-rank4")
    (tmp_path / "manifest.json").write_text(json.dumps([case]))
    for file in (f"{case['name']}.onnx", f"{case['name']}-resize.onnx"):
        (tmp_path / file).write_bytes((cases / file).read_bytes())
    with np.load(cases / f"{case['name']}.npz") as data:
        arrays = dict(data)
    arrays["expected"].flat[7] = np.nextafter(arrays["expected"].flat[7], np.float32(np.inf))
    np.savez(tmp_path / f"{case['name']}.npz", **arrays)
    code, report = check(tmp_path)
    assert code == 1
    assert f"library: {case['name']}" in report["failures"]
    assert f"provider: {case['name']}" in report["failures"]
    assert f"function: {case['name']}" not in report["failures"]


def test_the_committed_table_has_every_version():
    table = (ROOT / "docs" / "runtime_matrix.md").read_text()
    listed = re.findall(r"^\| ((?:web-)?\d[\d.]*) ", table, re.MULTILINE)
    driver = (SCRIPTS / "run.py").read_text()
    (versions,) = re.findall(r"^VERSIONS = \((.*?)\)", driver, re.MULTILINE | re.DOTALL)
    assert listed == re.findall(r'"(.*?)"', versions)
    assert "failed" not in table
