"""The script that writes the table of models and exporters in docs/onnx.md."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch

import sr_ops
from sr_ops.errors import ExportError

SCRIPT = Path(__file__).parents[2] / "scripts" / "docs" / "export_table.py"
OLD = "| elsewhere | `{0}` | batch, H, W | 3e-07 | Resize |\n"


@pytest.fixture
def script(monkeypatch, tmp_path):
    spec = importlib.util.spec_from_file_location("export_table", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    old = "".join(OLD.format(name) for name in ("dynamo", "torchscript"))
    page = tmp_path / "page.md"
    page.write_text(f"before\n{module.BEGIN}\n{module.HEADER}{old}{module.END}\nafter\n")
    monkeypatch.setattr(module, "PAGE", page)
    monkeypatch.setattr(module, "SIZES", ((8, 12), (12, 8), (9, 10)))
    return module


def test_its_rows(script, monkeypatch):
    """What ran, what was refused and why; rows that cannot be run here stay."""
    real = sr_ops.onnx.export

    def export(*args, exporter):
        if exporter == "dynamo":
            raise ExportError("verify: height is dynamic in name only (12): got | instead")
        return real(*args, exporter=exporter)

    monkeypatch.setattr(sr_ops.onnx, "export", export)
    subject = script.Subject
    monkeypatch.setattr(script, "SUBJECTS", {
        "here": subject(sr_ops.DynamicUpscale, scales=(2.0, 2.7, 1.4)),
        "elsewhere": subject(sr_ops.DynamicUpscale, package="no_such_package"),
        "new": subject(sr_ops.DynamicUpscale, package="no_such_package"),
    })  # fmt: skip
    assert script.main([]) == 0
    before, *rows, after = script.PAGE.read_text().splitlines()
    assert (before, after) == ("before", "after")
    assert rows[1:3] == script.HEADER.splitlines()
    assert rows[3] == "| here | `dynamo` | refused: verify: height is dynamic in name only | | |"
    name, exporter, dynamic, difference, op = rows[4].strip("| ").split(" | ")
    assert (name, exporter, dynamic) == ("here", "`torchscript`", "batch, H, W, scale")
    assert float(difference) <= 1e-6
    assert op == "DynamicUpscale"
    assert rows[5:7] == [OLD.format(name).strip() for name in ("dynamo", "torchscript")]
    assert rows[7:9] == [f"| new | `{e}` | not run | | |" for e in ("dynamo", "torchscript")]


def test_only_what_is_asked_for_is_run_again(script, monkeypatch):
    monkeypatch.setattr(script, "SUBJECTS", {"elsewhere": script.Subject(lambda: 1 / 0)})
    text = script.PAGE.read_text()
    assert script.main(["timm"]) == 0
    assert script.PAGE.read_text() == text


def test_another_shape_is_no_row(script):
    """Whoever exports a wrong file gets no table."""
    model = sr_ops.onnx.export(
        sr_ops.DynamicUpscale(scale=3.0), (torch.rand(1, 3, 8, 12),), exporter="torchscript"
    )
    session = sr_ops.onnx.make_session(model)
    with pytest.raises(SystemExit, match=r"\(1, 3, 24, 36\) instead of \(1, 3, 16, 24\)"):
        script._difference(sr_ops.DynamicUpscale(scale=2.0), session, (torch.rand(1, 3, 8, 12),))
