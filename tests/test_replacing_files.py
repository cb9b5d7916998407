"""How files are written: whole or not at all, through links, with the permissions they had."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from sr_ops import _files
from sr_ops.errors import FileError


def _write(path: Path, text: str) -> None:
    with _files.replacing(path) as draft:
        draft.write_text(text)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_gets_the_mode_that_open_gives(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    _write(tmp_path / "new", "x")
    assert _mode(tmp_path / "new") == _mode(tmp_path / "plain")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_a_replaced_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(mode)
    _write(path, "new")
    assert (path.read_text(), _mode(path)) == ("new", mode)


@pytest.mark.parametrize("there", [True, False], ids=["to a file", "to nothing"])
def test_a_link_stays_and_its_file_is_written(tmp_path: Path, there: bool) -> None:
    (tmp_path / "elsewhere").mkdir()
    real = tmp_path / "elsewhere" / "real"
    if there:
        real.write_text("old")
        real.chmod(0o600)
    link = tmp_path / "link"
    link.symlink_to(real)
    _write(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert not there or _mode(real) == 0o600


def test_nothing_is_left_behind_where_the_block_raises(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(KeyError), _files.replacing(path) as draft:
        draft.write_text("half")
        raise KeyError
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_files_beside_the_draft_arrive_too(tmp_path: Path) -> None:
    with _files.replacing(tmp_path / "model.onnx") as draft:
        draft.write_text("head")
        draft.with_name("model.onnx.data").write_text("weights")
    assert sorted(os.listdir(tmp_path)) == ["model.onnx", "model.onnx.data"]


def test_a_name_with_nul_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="null"), _files.replacing(f"{tmp_path}/a\0b"):
        pass
