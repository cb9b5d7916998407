"""Checkpoints that are bad, in Python and by the command: a line, exit code 2, little memory."""

from __future__ import annotations

import json
import os
import pickle
import struct
import zipfile

import memory
import numpy as np
import pytest
import torch

from sr_ops import imaging, models
from sr_ops.errors import CheckpointError, SrOpsError
from sr_ops.models import ESPCN, SRCNN, spandrel_networks

#: Below what each of the large files speaks of.
MEBIBYTES = 512


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("went-off",)


def changed(weights, **changes):
    """Without the keys whose new value is None."""
    return {k: v for k, v in {**weights, **changes}.items() if v is not None}


def own(**changes):
    return changed(ESPCN(2, features=(4, 4, 4)).state_dict(), **changes)


def srcnn(**changes):
    return changed(SRCNN(channels=1, features=(4, 4)).state_dict(), **changes)


def foreign(**changes):
    spandrel_networks._import_spandrel()
    from spandrel_architectures import build

    return changed(build("Compact").state_dict(), **changes)


def saved(content):
    return lambda path: torch.save(content() if callable(content) else content, path)


def inflating(path, record="data.pkl"):
    torch.save(srcnn(), small := path.with_suffix(".small"))
    deflated = {"compression": zipfile.ZIP_DEFLATED, "compresslevel": 1}
    with zipfile.ZipFile(small) as plain, zipfile.ZipFile(path, "w", **deflated) as bomb:
        for name in plain.namelist():
            with bomb.open(name, "w") as file:
                file.write(plain.read(name))
                for _ in range(640 if name.endswith(record) else 0):
                    file.write(bytes(1 << 20))


def raw_pickle(path):
    """As pickle itself writes it, without torch."""
    path.write_bytes(pickle.dumps({"state_dict": Bomb()}))


def header_of_terabytes(path):
    """A safetensors file whose header speaks of what is not there."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}})
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode())


def header_of_its_own_length(path):
    path.write_bytes(struct.pack("<Q", 1 << 60) + b"{}")


NAN = torch.full((4, 4, 3, 3), float("nan"))
REPEATED = torch.zeros(1).expand(2**20, 2**10)
BAD = {
    "pickle bomb": ("a.pth", saved({"state_dict": Bomb()}), "refused"),
    "pickle bomb, raw": ("a.pth", raw_pickle, "refused"),
    "zip bomb, pickle": ("a.pth", inflating, "inflate to"),
    "zip bomb, tensor": ("a.pth", lambda path: inflating(path, "data/0"), "inflate to"),
    "4 GiB of one value": ("a.pth", saved(lambda: srcnn(**{"conv1.weight": REPEATED})), "repeats"),
    "terabytes by shapes": (
        "a.pth",
        saved(
            lambda: own(
                **{f"conv{i}.weight": torch.zeros(1 << 20, 1, 1, 1) for i in (1, 2)},
            )
        ),
        "far larger than the file",
    ),
    "header of terabytes": ("a.safetensors", header_of_terabytes, "not a checkpoint"),
    "header without an end": ("a.safetensors", header_of_its_own_length, "not a checkpoint"),
    "wrong shape": ("a.pth", saved(lambda: own(**{"conv2.bias": torch.zeros(9)})), "other shape"),
    "missing key": ("a.pth", saved(lambda: own(**{"conv2.bias": None})), r"missing conv2\.bias"),
    "one more key": ("a.pth", saved(lambda: own(more=torch.zeros(1))), "unexpected more"),
    "NaN weights": ("a.pth", saved(lambda: own(**{"conv2.weight": NAN})), "is not finite"),
    "spandrel: wrong shape": (
        "a.pth",
        saved(lambda: foreign(**{"body.2.weight": torch.zeros(8, 7, 3, 3)})),
        r"does not fit it: .*body\.2\.weight",
    ),
    "spandrel: missing key": (
        "a.pth",
        saved(lambda: foreign(**{"body.2.weight": None})),
        r"does not fit it: .*body\.2\.weight",
    ),
    "spandrel: one more key": (
        "a.pth",
        saved(lambda: foreign(**{"extra.weight": torch.zeros(3)})),
        r"does not fit it: .*extra\.weight",
    ),
    "spandrel: terabytes by shapes": (
        "a.pth",
        saved(lambda: foreign(**{"body.0.weight": torch.zeros(1 << 22, 1, 1, 1)})),
        "far larger than the file|does not fit",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_one_line_and_little_memory(run, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    file, make, part = BAD[name]
    make(tmp_path / file)
    imaging.write_image(tmp_path / "photo.png", np.zeros((9, 9, 3), np.uint8))
    memory.forget_peak()
    before = memory.peak_mebibytes()
    with pytest.raises(CheckpointError, match=part) as caught:
        models.load(tmp_path / file)
    assert isinstance(caught.value, SrOpsError)
    assert "\n" not in str(caught.value)
    for command in (
        ("upscale", "photo.png", "large.png", "--model", file),
        ("export", file, "a.onnx"),
    ):
        code, out, err = run(*command)
        assert (code, out, len(err.splitlines())) == (2, "", 1), err
        assert err.startswith("sr-ops: error: ")
    assert memory.peak_mebibytes() - before < MEBIBYTES
    assert not {"went-off", "large.png", "a.onnx"} & set(os.listdir(tmp_path))
