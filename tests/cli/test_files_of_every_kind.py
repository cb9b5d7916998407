"""Files as people have them, from the command line: every kind through every command.

Checkpoints have random weights in the real layouts. The .onnx files are written as tutorials write
them, by torch's own exporter.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import onnx
import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate

from sr_ops import imaging, models


class Kind(NamedTuple):
    """A file and what the commands do with it.

    Attributes:
        make: writes it to a path without an ending, and returns its path.
        options: that ``upscale`` needs.
        tiles: whether its field is known or found, so that tiles fit.
        opened: whether ``make-dynamic`` finds something to open in the .onnx file.
        changed: how many nodes ``accelerate`` replaces; None where it says that there are none.
        frozen: whether the file enlarges by a factor of its own, where the opened one follows the
            scale.
    """

    make: Any
    options: tuple[Any, ...] = ()
    tiles: bool = True
    opened: bool = True
    changed: int | None = 0
    frozen: bool = False


def checkpoint(build):
    def make(path):
        torch.manual_seed(0)
        module = build()
        torch.save({"params_ema": module.state_dict()}, path := path.with_suffix(".pth"))
        return path

    return make


def archive(path):
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, of TorchScript itself
        program = torch.jit.trace(SubPixel().eval(), LUMA)
    program.save(path := path.with_suffix(".pt"))
    return path


def of_spandrel(name):
    def make(path):
        from spandrel_architectures import build

        from sr_ops.models import spandrel_networks

        spandrel_networks._import_spandrel()

        return checkpoint(lambda: build(name))(path)

    return make


class Interpolated(nn.Module):
    """The deployment tutorial's first network: its factor is a constant."""

    def __init__(self):
        super().__init__()
        self.net = models.SRCNN(features=(8, 4))

    def forward(self, x):
        x = interpolate(x, scale_factor=3.0, mode="bicubic", align_corners=False)
        hidden = torch.relu(self.net.conv1(x))
        return self.net.conv3(torch.relu(self.net.conv2(hidden)))


class Upscale(torch.autograd.Function):
    """The deployment tutorial's own symbolic."""

    @staticmethod
    def forward(ctx, x, scales):
        return interpolate(x, scale_factor=scales.tolist()[-2:], mode="bicubic")

    @staticmethod
    def symbolic(g, x, scales):
        empty = g.op("Constant", value_t=torch.tensor([], dtype=torch.float32))
        return g.op(
            *("Resize", x, empty, scales),
            coordinate_transformation_mode_s="pytorch_half_pixel",
            cubic_coeff_a_f=-0.75,
            mode_s="cubic",
        )


class WithFactor(Interpolated):
    """The deployment tutorial's last network: the factor is an input of four values."""

    def forward(self, x, scale):
        x = Upscale.apply(x, scale)
        hidden = torch.relu(self.net.conv1(x))
        return self.net.conv3(torch.relu(self.net.conv2(hidden)))


class SubPixel(nn.Module):
    """The super-resolution tutorial's network, of luma."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 5, padding=2)
        self.conv2 = nn.Conv2d(8, 9, 3, padding=1)

    def forward(self, x):
        return nn.functional.pixel_shuffle(self.conv2(torch.relu(self.conv1(x))), 3)


class Keeps(nn.Module):
    """A network that keeps the size."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        return x + 0.1 * self.conv(x)


def exported(build, *args, opset=11, **keywords):
    def make(path):
        torch.manual_seed(0)
        path = path.with_suffix(".onnx")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                *(build().eval(), args, path),
                opset_version=opset,
                input_names=["input", "scale"][: len(args)],
                output_names=["output"],
                dynamo=False,
                **keywords,
            )
        return path

    return make


def ours(path):
    torch.manual_seed(0)
    onnx.save(
        models.to_onnx(models.ESPCN(2, features=(8, 8, 4))), path := path.with_suffix(".onnx")
    )
    return path


RGB, LUMA = torch.rand(1, 3, 40, 40), torch.rand(1, 1, 40, 40)
SIDES = {"dynamic_axes": {"input": {0: "batch", 2: "height", 3: "width"}}}
KINDS = {
    "SRCNN": Kind(checkpoint(lambda: models.SRCNN(features=(8, 4))), opened=False),
    "VDSR": Kind(checkpoint(lambda: models.VDSR(9, 4)), opened=False),
    "ESPCN": Kind(checkpoint(lambda: models.ESPCN(3, features=(8, 8, 4))), opened=False),
    "EDSR": Kind(checkpoint(lambda: models.EDSR(2, 8, 2)), opened=False),
    "IMDN": Kind(checkpoint(lambda: models.IMDN(3, 16)), tiles=False, opened=False),
    "Compact": Kind(of_spandrel("Compact"), opened=False),
    "SwinIR": Kind(of_spandrel("SwinIR"), tiles=False, opened=False),
    "TorchScript": Kind(archive, ("--trust-torchscript",), opened=False),
    ".onnx of ours": Kind(ours, opened=False),
    "tutorial, factor in the file": Kind(exported(Interpolated, RGB), changed=1, frozen=True),
    "tutorial, factor as an input": Kind(
        exported(WithFactor, RGB, torch.tensor([1.0, 1, 2, 2])), changed=1
    ),
    "tutorial, sub-pixel": Kind(exported(SubPixel, LUMA, **SIDES), opened=False, changed=None),
    "tutorial, sub-pixel, one size": Kind(exported(SubPixel, LUMA), changed=None),
    "keeps the size": Kind(
        *(exported(Keeps, RGB, **SIDES), ("--enlarge", "before")), opened=False, changed=None
    ),
}
LONG = ("IMDN", "SwinIR")


def run_well(run, *command):
    code, out, err = run(*command)
    assert code == 0, err
    return out


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.long) if n in LONG else n for n in KINDS]
)
def test_every_command_takes_it(run, tmp_path, name):
    kind = KINDS[name]
    source = kind.make(tmp_path / "given")
    photo = np.random.default_rng(0).random((70, 75, 3), np.float32)
    imaging.write_image(tmp_path / "photo.tiff", photo)

    def upscaled(model, *options):
        target = tmp_path / "large.tiff"
        arguments = ("--model", model, "--scale", 2.7, *kind.options, *options)
        run_well(run, "upscale", tmp_path / "photo.tiff", target, *arguments)
        result = imaging.read_image(target)
        assert result.shape == (189, 202, 3)
        return result

    whole = upscaled(source)
    largest = max(1, np.abs(whole).max())
    tiled = upscaled(source, "--tile", 64, *(() if kind.tiles else ("--overlap", 16)))
    if kind.tiles:
        assert np.abs(tiled - whole).max() <= 1e-4 / 255 * largest
    model = source
    if source.suffix != ".onnx":
        model = tmp_path / "exported.onnx"
        assert "scale (2); output y" in run_well(run, "export", source, model, *kind.options)
        assert np.abs(upscaled(model) - whole).max() <= 1e-3 * largest
    else:
        code, _, err = run("export", source, tmp_path / "exported.onnx")
        assert code == 2
        assert "sr-ops make-dynamic" in err
    assert "float32" in run_well(run, "inspect", model)
    opened = tmp_path / "opened.onnx"
    if kind.opened:
        run_well(run, "make-dynamic", model, opened)
        if not kind.frozen:
            assert np.abs(upscaled(opened) - whole).max() <= 1e-3 * largest
    else:
        code, _, err = run("make-dynamic", model, opened)
        assert code == 2
        assert "sr-ops upscale --model takes it as it is" in err
        opened = model
    fast = tmp_path / "fast.onnx"
    if kind.changed is None:
        code, _, err = run("accelerate", opened, fast, "--verify")
        assert code == 2
        assert "nothing to accelerate: use it as it is" in err
        return
    out = run_well(run, "accelerate", opened, fast, "--verify")
    assert f"{kind.changed} converted" in out
    assert np.abs(upscaled(fast) - upscaled(opened)).max() <= 1e-3 * largest
