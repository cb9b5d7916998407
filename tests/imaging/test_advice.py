"""What the refusals of networks say to do is done, word for word, and then it works.

Further refusals are followed where they are tested: tests/models/test_checkpoints.py (whole
modules), test_other_formats.py, test_torchscript.py, test_spandrel.py; test_foreign_networks.py
here and in tests/cli (layout, enlarge, overlap); tests/cli/test_files_of_every_kind.py (export,
make-dynamic, accelerate).
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

import sr_ops
from sr_ops import imaging, models
from sr_ops.errors import CheckpointError, FileError, InvalidArgumentError, ModelError, SrOpsError
from sr_ops.models import ESPCN, SRCNN

ROOT = Path(__file__).parents[2]


def picture(*shape):
    return np.random.default_rng(0).random(shape, np.float32)


def refusal(error, call, *args, **keywords):
    with pytest.raises(error) as caught:
        call(*args, **keywords)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def espcn():
    torch.manual_seed(0)
    return ESPCN(2, channels=3, features=(8, 8, 4)).eval()


class EnlargesLast(nn.Module):
    """A convolution, and then the enlargement by the scale that it is given."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x, scale):
        return sr_ops.dynamic_upscale(self.conv(x), scale)


def enlarging_last(path, **keywords):
    torch.manual_seed(0)
    module = EnlargesLast()
    example = torch.rand(1, 3, 24, 24), torch.tensor([2.0, 2.0])
    sr_ops.onnx.export(module, example, path, exporter="torchscript", **keywords)
    return path


def test_too_little_memory(run, tmp_path, espcn):
    """The number that is named suffices, and so does the overlap."""
    image = picture(60, 60, 3)
    text = refusal(
        InvalidArgumentError, sr_ops.upscale_image, image, 2, model=espcn, max_memory=100_000
    )
    needed = int(re.search(r"pass at least (\d+) MiB", text).group(1))
    sr_ops.upscale_image(image, 2, model=espcn, max_memory=needed << 20)
    overlap = int(re.search(r"or overlap \(--overlap\) (\d+)", text).group(1))
    sr_ops.upscale_image(image, 2, model=espcn, max_memory=100_000, overlap=overlap)
    with pytest.raises(InvalidArgumentError):
        sr_ops.upscale_image(image, 2, model=espcn, max_memory=100_000, overlap=overlap + 1)
    imaging.write_image(tmp_path / "photo.png", np.zeros((80, 80, 3), np.uint8))
    command = ("upscale", tmp_path / "photo.png", tmp_path / "large.png", "-m", "espcn_x2")
    code, _, err = run(*command, "--max-memory", "200K")
    assert code == 2, err
    option, value = re.search(r"\((--max-memory) (\d+M), times --jobs\)", err).groups()
    code, _, err = run(*command, option, value)
    assert code == 0, err


def test_too_large_an_overlap_of_windows(tmp_path, espcn):
    path = tmp_path / "net.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(espcn, (torch.rand(1, 3, 24, 24),), path, dynamo=False)
        image = picture(50, 40, 3)
        text = refusal(
            InvalidArgumentError, sr_ops.upscale_image, image, 2.7, model=path, overlap=12
        )
        most = int(re.search(r"at most (\d+)$", text).group(1))
        sr_ops.upscale_image(image, 2.7, model=path, overlap=most)
        with pytest.raises(InvalidArgumentError):
            sr_ops.upscale_image(image, 2.7, model=path, overlap=most + 1)


@pytest.mark.parametrize("keywords", [{"tile": 48}, {"max_memory": 1 << 20}])
@pytest.mark.parametrize("overlap", [None, 4])
def test_a_scale_that_comes_last_is_never_cut(tmp_path, keywords, overlap):
    """An overlap does not help: its tiles would be pieces of another picture."""
    path, image = enlarging_last(tmp_path / "net.onnx"), picture(150, 190, 3)
    planes = torch.from_numpy(image.transpose(2, 0, 1)[None].copy())
    torch.manual_seed(0)
    with torch.no_grad():
        expected = EnlargesLast()(planes, 2.7)[0].permute(1, 2, 0).numpy()
    text = refusal(
        *(InvalidArgumentError, sr_ops.upscale_image, image, 2.7),
        model=path,
        overlap=overlap,
        **keywords,
    )
    needed = int(re.search(r"leave tile out, and pass max_memory of at least (\d+)", text).group(1))
    for given in (overlap, None):
        result = sr_ops.upscale_image(
            image, 2.7, model=path, overlap=given, max_memory=needed << 20
        )
        assert np.abs(result - expected).max() < 1e-5


def test_one_size_and_a_scale_that_comes_last(run, tmp_path):
    path, image = enlarging_last(tmp_path / "net.onnx", dynamic_axes={}), picture(50, 40, 3)
    text = refusal(ModelError, sr_ops.upscale_image, image, 2.7, model=path)
    command = re.search(r"try `sr-ops (make-dynamic)`", text).group(1)
    code, _, err = run(command, path, tmp_path / "open.onnx")
    assert code == 0, err
    free = enlarging_last(tmp_path / "free.onnx")
    expected = sr_ops.upscale_image(image, 2.7, model=free)
    result = sr_ops.upscale_image(image, 2.7, model=tmp_path / "open.onnx")
    assert np.abs(result - expected).max() < 1e-5


def test_torch_for_an_onnx_file(tmp_path, espcn):
    path = tmp_path / "net.onnx"
    onnx.save(models.to_onnx(espcn, exporter="torchscript"), path)
    text = refusal(
        InvalidArgumentError, sr_ops.upscale_image, picture(9, 9, 3), 2, model=path, backend="torch"
    )
    backend = re.search(r"use '(\w+)'$", text).group(1)
    sr_ops.upscale_image(picture(9, 9, 3), 2, model=path, backend=backend)


def test_weights_that_repeat_the_few_values_that_are_stored(tmp_path, espcn):
    path, weights = tmp_path / "net.pth", espcn.state_dict()
    weights["conv1.bias"] = torch.zeros(1).expand(8)
    torch.save(weights, path)
    name, advice = re.search(
        r"(\S+) is .* save its (clone\(\))", refusal(CheckpointError, models.load, path)
    ).groups()
    weights[name] = eval(f"tensor.{advice}", {"tensor": weights[name]})
    torch.save(weights, path)
    assert models.load(path).upscale_factor == 2


def test_keys_that_are_missing_unexpected_or_of_another_shape(tmp_path):
    network, path = SRCNN(features=(8, 4)), tmp_path / "net.pth"
    weights = network.state_dict()
    weights["conv4.weight"] = weights.pop("conv3.bias")
    weights["conv1.bias"] = torch.zeros(7)
    torch.save(weights, path)
    text = refusal(CheckpointError, models.load, path)
    for name in re.search(r"missing (.*?);", text).group(1).split(", "):
        weights[name] = network.state_dict()[name]
    for name in re.search(r"unexpected (.*?);", text).group(1).split(", "):
        del weights[name]
    key, shape = re.search(r"of another shape (\S+) \(7,\) instead of \((\d+),\)", text).groups()
    weights[key] = torch.zeros(int(shape))
    torch.save(weights, path)
    assert isinstance(models.load(path), SRCNN)


def test_an_architecture_that_nothing_knows(tmp_path):
    class Unknown(nn.Module):
        channels, upscale_factor = 3, 2

        def __init__(self):
            super().__init__()
            self.secret = nn.Conv2d(3, 12, 3, padding=1)

        def forward(self, x, scale=None):
            return nn.functional.pixel_shuffle(self.secret(x), 2)

    network, path = Unknown().eval(), tmp_path / "net.pth"
    torch.save(network.state_dict(), path)
    text = refusal(CheckpointError, models.load, path)
    image = picture(24, 24, 3)
    assert "call torch.onnx.export, and give that file" in text
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, (torch.rand(1, 3, 24, 24),), tmp_path / "a.onnx", dynamo=False)
    by_file = sr_ops.upscale_image(image, 2.7, model=tmp_path / "a.onnx")
    assert text.endswith("give the nn.Module itself to model=")
    assert np.abs(sr_ops.upscale_image(image, 2.7, model=network) - by_file).max() < 1e-5


def test_a_name_that_is_none_leads_to_those_that_are():
    text = refusal(FileError, models.load, "espcn_x9")
    names = re.search(r"bundled networks: (.*)$", text).group(1).split(", ")
    assert names == models.names()
    assert all(models.load(name) is not None for name in names)


def test_numbers_that_are_none_of_a_module_of_ones_own(espcn):
    with torch.no_grad():
        good = espcn.conv2.weight[0, 0, 0, 0].clone()
        espcn.conv2.weight[0, 0, 0, 0] = float("nan")
    image = (picture(30, 40, 3) * 255).astype(np.uint8)
    for keywords in ({}, {"tile": 32}, {"best": True}):
        text = refusal(ModelError, sr_ops.upscale_image, image, 2.7, model=espcn, **keywords)
        assert text.startswith("ESPCN: makes NaN or infinity of a picture without them")
    assert text.endswith("take other weights")
    with torch.no_grad():
        espcn.conv2.weight[0, 0, 0, 0] = good
    assert sr_ops.upscale_image(image, 2.7, model=espcn).shape == (81, 108, 3)


def test_what_refusals_say_to_install_exists():
    """Every extra that a text names is one of the package's."""
    project = (ROOT / "pyproject.toml").read_text()
    section = re.search(r"\[project\.optional-dependencies\]\n(.*?)\n\n", project, re.DOTALL)
    extras = dict(re.findall(r"^(\w+) = (\[.*\])$", section.group(1), re.MULTILINE))
    named = {
        name
        for path in (ROOT / "sr_ops").rglob("*.py")
        for found in re.findall(r"sr-ops\[([\w,-]+)\]", path.read_text())
        for name in found.split(",")
    }
    assert "spandrel" in named
    assert named <= set(extras)
    assert "safetensors" in extras["torch"]


def test_layouts_and_ranges_that_are_refused_name_those_that_work(espcn):
    image = picture(9, 9, 3)
    for name, wrong in (("layout", "NCWH"), ("enlarge", "never"), ("value_range", 2)):
        text = refusal(SrOpsError, sr_ops.upscale_image, image, 2, model=espcn, **{name: wrong})
        accepted = re.search(r"expected (?:one of )?(.*)$", text).group(1)
        first = re.split(", | or ", accepted)[0]
        value = int(first) if first.isdigit() else first
        network = nn.Conv2d(3, 3, 3, padding=1) if name == "enlarge" else espcn
        if name == "enlarge":
            network = Keeps(network)
        sr_ops.upscale_image(image, 2, model=network, **{name: value})


class Keeps(nn.Module):
    channels = 3

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x, scale):
        return self.net(sr_ops.dynamic_upscale(x, scale))
