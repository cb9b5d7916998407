"""Every function that writes a file: a name that no file can have, and a symbolic link."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from films import write_film

import sr_ops
from sr_ops import cli, imaging
from sr_ops.errors import FileError

BICUBIC = ("--model", "bicubic", "--scale", "2")
PICTURE = np.full((32, 33, 3), 200, np.uint8)


def _command(*arguments: object) -> None:
    if cli.main([str(argument) for argument in arguments]):
        raise FileError("the command's line says why")


def _picture(folder: Path) -> Path:
    source = folder / "source.png"
    imaging.write_image(source, PICTURE)
    return source


def _model(folder: Path) -> Path:
    source = folder / "source.onnx"
    onnx.save(
        onnx.parser.parse_model(
            '<ir_version: 8, opset_import: ["" : 18]> g (float[1,1,4,4] x, float[4] s) => '
            '(float[n,c,h,w] y) { y = Resize<mode="cubic">(x, , s) }'
        ),
        source,
    )
    return source


def _saved(model: onnx.ModelProto, folder: Path) -> Path:
    onnx.save(model, folder / "saved.onnx")
    return folder / "saved.onnx"


def _export(path: str, folder: Path) -> None:
    model = sr_ops.DynamicUpscale()
    arguments = (torch.ones(1, 1, 4, 4), torch.tensor([2.0]))
    sr_ops.onnx.export(model, arguments, path, exporter="torchscript", verify=False)


def _film(path: str, folder: Path) -> None:
    source = folder / "source.mkv"
    write_film(source, frames=2)
    _command("upscale", source, path, *BICUBIC)


Writer = Callable[[str, Path], Any]

#: Suffix, and what writes a file of that name.
WRITERS: dict[str, tuple[str, Writer]] = {
    "write_image": (".png", lambda path, folder: imaging.write_image(path, PICTURE)),
    "onnx.export": (".onnx", _export),
    "upscale a picture": (
        ".png",
        lambda path, folder: _command("upscale", _picture(folder), path, *BICUBIC),
    ),
    "upscale a film": (".mkv", _film),
    "compare": (
        ".html",
        lambda path, folder: _command("compare", _picture(folder), "-o", path, *BICUBIC),
    ),
    "eval --json": (
        ".json",
        lambda path, folder: _command("eval", _picture(folder).parent, *BICUBIC, "--json", path),
    ),
    "eval --markdown": (
        ".md",
        lambda path, folder: _command(
            "eval", _picture(folder).parent, *BICUBIC, "--markdown", path
        ),
    ),
    "export": (
        ".onnx",
        lambda path, folder: _command("export", "espcn_x2", path, "--exporter", "torchscript"),
    ),
    "export --image-io": (
        ".onnx",
        lambda path, folder: _command("export", "espcn_x2", path, "--image-io"),
    ),
    "accelerate": (".onnx", lambda path, folder: _command("accelerate", _model(folder), path)),
    "standardize": (
        ".onnx",
        lambda path, folder: _command(
            "standardize", _saved(sr_ops.onnx.accelerate(_model(folder)), folder), path
        ),
    ),
    "make-dynamic": (".onnx", lambda path, folder: _command("make-dynamic", _model(folder), path)),
    "inspect --svg": (
        ".svg",
        lambda path, folder: _command("inspect", _model(folder), "--svg", path),
    ),
}
FOLDER_MAKERS: dict[str, Writer] = {
    "make_folder": lambda path, folder: imaging.make_folder(path),
    "upscale": lambda path, folder: _command("upscale", _picture(folder), f"{path}/", *BICUBIC),
}


_LONG = {"export --image-io"}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.long if n in _LONG else ()) for n in WRITERS]
)
def test_a_link_stays_and_the_file_that_it_names_is_written(name: str, tmp_path: Path) -> None:
    suffix, write = WRITERS[name]
    for part in ("sources", "links", "files"):
        (tmp_path / part).mkdir()
    real, link = tmp_path / "files" / f"real{suffix}", tmp_path / "links" / f"link{suffix}"
    real.write_bytes(b"old")
    real.chmod(0o600)
    link.symlink_to(real)
    write(os.fspath(link), tmp_path / "sources")
    assert link.is_symlink()
    assert len(real.read_bytes()) > 3
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert (os.listdir(real.parent), os.listdir(link.parent)) == ([real.name], [link.name])


@pytest.mark.parametrize("name", [*WRITERS, *FOLDER_MAKERS])
def test_a_name_with_nul_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suffix, write = WRITERS[name] if name in WRITERS else ("", FOLDER_MAKERS[name])
    for part in ("sources", "files"):
        (tmp_path / part).mkdir()
    with pytest.raises(FileError) as caught:
        write(f"{tmp_path}/files/a\0b{suffix}", tmp_path / "sources")
    text = str(caught.value) + capsys.readouterr().err
    assert "nul" in text.lower() and "Traceback" not in text
    assert os.listdir(tmp_path / "files") == []
