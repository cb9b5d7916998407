"""Checkpoints of spandrel's architectures: at every scale, in tiles, as .onnx; and damaged ones."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from types import SimpleNamespace

import memory
import numpy as np
import pytest
import torch
from spandrel_architectures import ARCHITECTURES, RESTORERS, build

import sr_ops
import sr_ops.onnx
from sr_ops import models
from sr_ops.errors import CheckpointError, ExportError, InvalidArgumentError
from sr_ops.imaging.networks import load_network
from sr_ops.models import spandrel_networks

spandrel = spandrel_networks._import_spandrel()

#: Those whose field is found out, and how far they see. The others see the whole picture, by
#: attention or by a mean over it, or farther than is looked.
FIELDS = {
    **{"Compact": 5, "ESRGAN x2": 38, "ESRGAN x4": 19, "SPAN": 22, "SwiftSRGAN": 11, "MoSR": 15},
    **{"PLKSR": 23, "MoESR": 56, "SAFMN": 35, "DITN": 23},
}
#: Those that are built slowly or take long.
LONG = {"IPT", "RealCUGAN x2 fast", "RealCUGAN x3", "RealCUGAN x4"}
#: Those whose .onnx has open sizes; of the first, the batch is one.
BATCH_OF_ONE = ("SwinIR", "Swin2SR", "HAT", "DAT")
EXPORTED = (
    *("Compact", "ESRGAN x2", "ESRGAN x4", "SPAN", "MoSR", "MoESR", "PLKSR", "SwiftSRGAN"),
    *("RealPLKSR", "RCAN", "RealCUGAN x2", "SeemoRe", "CRAFT", "DRCT", "FDAT", *BATCH_OF_ONE),
)


def every(names, long=LONG):
    return [pytest.param(n, marks=pytest.mark.long) if n in long else n for n in names]


def saved(tmp_path, name):
    path = tmp_path / "net.pth"
    torch.save({"params_ema": build(name).state_dict()}, path)
    return path


def picture(*shape):
    return np.random.default_rng(0).random(shape, np.float32)


@pytest.mark.parametrize("name", every(ARCHITECTURES))
def test_every_architecture_enlarges_by_any_scale(tmp_path, name):
    """By its own factor as spandrel's own call has it, and the operator does the rest."""
    network = models.load(saved(tmp_path, name))
    descriptor = spandrel.MAIN_REGISTRY.load(build(name).state_dict())
    factor = descriptor.scale
    x = torch.from_numpy(picture(1, 3, 64, 64))
    with torch.no_grad():
        ours = network(x, factor)
    assert ours.shape == (1, 3, 64 * factor, 64 * factor)
    assert (ours.clamp(0, 1) - descriptor(x)).abs().max() < 1e-5
    image = picture(29, 21, 3)
    assert sr_ops.upscale_image(image, 2.7, model=network, tile=None).shape == (78, 56, 3)


@pytest.mark.parametrize("name", FIELDS)
def test_tiles_of_convolutions_have_no_seams(tmp_path, name):
    network = models.load(saved(tmp_path, name))
    assert load_network(network).measure().radius == FIELDS[name]
    image = picture(75, 91, 3)
    whole = sr_ops.upscale_image(image, 2.7, model=network, tile=None)
    tiled = sr_ops.upscale_image(image, 2.7, model=network, tile=64)
    # Random weights give values far beyond 1: a unit in their last place is more than 1e-4 of 255.
    assert np.abs(whole - tiled).max() <= 1e-4 / 255 * max(1, np.abs(whole).max())


def test_attention_is_cut_with_an_overlap_only(tmp_path):
    path = saved(tmp_path, "SwinIR")
    image = picture(60, 70, 3)
    with pytest.raises(InvalidArgumentError, match=r"sees the whole picture.*--overlap"):
        sr_ops.upscale_image(image, 2, model=path, max_memory=8 << 20)
    # What the error says to do.
    whole = sr_ops.upscale_image(image, 2, model=path)
    parts = sr_ops.upscale_image(image, 2, model=path, max_memory=8 << 20, overlap=8)
    assert parts.shape == whole.shape


@pytest.mark.long
@pytest.mark.parametrize("name", RESTORERS)
def test_every_restorer_keeps_the_size_and_the_operator_follows(tmp_path, name):
    network = models.load(saved(tmp_path, name))
    assert (network.upscale_factor, network.restores) == (1, True)
    descriptor = spandrel.MAIN_REGISTRY.load(build(name).state_dict())
    x = torch.from_numpy(picture(1, 3, 64, 64))
    with torch.no_grad():
        assert (network(x, 1).clamp(0, 1) - descriptor(x)).abs().max() < 1e-5
    image = picture(61, 70, 3)
    assert sr_ops.upscale_image(image, 2.7, model=network, tile=None).shape == (164, 189, 3)


@pytest.mark.parametrize("name", every(EXPORTED, set(EXPORTED) - {"Compact"}))
def test_an_exported_file_is_the_network_at_every_size(tmp_path, name):
    module = build(name)
    with torch.no_grad():  # so that attention counts, which starts out weak
        for key, weight in module.named_parameters():
            if name in BATCH_OF_ONE and weight.dim() == 2 and "table" not in key:
                weight.mul_(12)
    torch.save(module.state_dict(), tmp_path / "net.pth")
    network = models.load(tmp_path / "net.pth")
    path = tmp_path / "net.onnx"
    model = models.to_onnx(network)
    if name in BATCH_OF_ONE:
        assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_value == 1
    path.write_bytes(model.SerializeToString())
    for size in ((40, 48), (64, 56)):
        image = picture(*size, 3)
        expected = sr_ops.upscale_image(image, 2.7, model=network, tile=None)
        result = sr_ops.upscale_image(image, 2.7, model=path, tile=None)
        assert np.abs(result - expected).max() < 1e-4


def test_make_dynamic_opens_what_torch_exported_and_leaves_the_factor_of_the_skip(tmp_path):
    """Compact adds its input, enlarged by nearest neighbours: another factor there fits nothing."""
    module, fixed, opened = build("Compact"), tmp_path / "fixed.onnx", tmp_path / "open.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (torch.rand(1, 3, 24, 24),), fixed, dynamo=False)
    model, report = sr_ops.onnx.make_dynamic(fixed, return_report=True)
    assert "its factor is the network's own: Add" in str(report)
    assert len(model.graph.input) == 1
    assert [dim.dim_param for dim in model.graph.input[0].type.tensor_type.shape.dim] == [
        *("batch", "", "height", "width"),
    ]
    opened.write_bytes(model.SerializeToString())
    torch.save(module.state_dict(), tmp_path / "net.pth")
    network = models.load(tmp_path / "net.pth")
    for size, scale in (((50, 61), 2.7), ((24, 24), 4), ((33, 40), 1.5), ((7, 90), 5.2)):
        image = picture(*size, 3)
        expected = sr_ops.upscale_image(image, scale, model=network)
        assert np.abs(sr_ops.upscale_image(image, scale, model=opened) - expected).max() < 1e-5


def test_what_no_exporter_can_write_leads_to_the_checkpoint(tmp_path, monkeypatch):
    path = saved(tmp_path, "Compact")
    network = models.load(path)

    def fails(*_, **__):
        raise ExportError("it has no form")

    monkeypatch.setattr("sr_ops.onnx.export", fails)
    with pytest.raises(
        ExportError, match=r"RealESRGAN Compact cannot be.*it has no form"
    ) as caught:
        models.to_onnx(network)
    # What the error says to do.
    assert "model= with backend='torch'" in str(caught.value)
    image = picture(9, 11, 3)
    assert sr_ops.upscale_image(image, 2, model=path, backend="torch").shape == (18, 22, 3)


def test_torchvision_is_not_needed():
    assert "torchvision" not in sys.modules or importlib.util.find_spec("torchvision")


def test_without_spandrel_the_refusal_says_how_to_get_it(tmp_path, monkeypatch):
    path = saved(tmp_path, "Compact")
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n, *a: None if n == "spandrel" else find(n, *a)
    )
    with pytest.raises(CheckpointError, match=r"pip install 'sr-ops\[spandrel\]'.*--no-deps"):
        models.load(path)


def bomb():
    """A few small tensors that speak of a network of many gigabytes."""
    weights = build("SwinIR").state_dict()
    name = "layers.0.residual_group.blocks.0.mlp.fc1.bias"
    weights[name] = torch.zeros(1)[:1].repeat(1 << 22)
    return weights


def without_one():
    weights = build("Compact").state_dict()
    del weights["body.2.weight"]
    return weights


def with_one_more():
    return {**build("Compact").state_dict(), "extra.weight": torch.zeros(3)}


def of_another_shape():
    weights = build("Compact").state_dict()
    weights["body.2.weight"] = torch.zeros(8, 7, 3, 3)
    return weights


def not_a_number():
    weights = build("Compact").state_dict()
    weights["body.2.weight"][0, 0, 0, 0] = float("nan")
    return weights


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (without_one, "has keys of RealESRGAN Compact, but does not fit it: .*body.2.weight"),
        (with_one_more, r"does not fit it: .*extra\.weight"),
        (of_another_shape, r"does not fit it: .*body\.2\.weight"),
        (not_a_number, "is not finite"),
        (bomb, "far larger than the file"),
    ],
)
def test_damaged_checkpoints_are_refused_in_a_line(tmp_path, make, part):
    path = tmp_path / "net.pth"
    torch.save(make(), path)
    memory.forget_peak()
    before = memory.peak_mebibytes()
    with pytest.raises(CheckpointError, match=part) as caught:
        models.load(path)
    assert "\n" not in str(caught.value)
    assert memory.peak_mebibytes() - before < 2048


@pytest.mark.parametrize(
    ("keywords", "part"),
    [
        ({"purpose": "FaceSR"}, "GFPGAN, for FaceSR; expected a network that enlarges or restores"),
        ({"input_channels": 4}, "makes 3 channels of 4; expected as many as before"),
    ],
)
def test_networks_for_something_else(keywords, part):
    """Of such architectures spandrel's own checks want weights of hundreds of megabytes."""
    said = {"purpose": "SR", "input_channels": 3, "output_channels": 3, **keywords}
    descriptor = SimpleNamespace(architecture=SimpleNamespace(name="GFPGAN"), **said)
    with pytest.raises(CheckpointError, match=part):
        spandrel_networks._checked(descriptor, "net.pth")


def test_a_torchvision_for_another_torch_is_none(tmp_path, monkeypatch):
    """It raises while it is imported, half of it loaded already."""
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text("from torchvision import ops\nraise RuntimeError('nms')\n")
    (package / "ops.py").write_text("")
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert not spandrel_networks._has_torchvision()
    assert "torchvision.ops" not in sys.modules
    (package / "__init__.py").write_text("whole = True\n")
    importlib.invalidate_caches()
    assert spandrel_networks._has_torchvision()
    monkeypatch.delitem(sys.modules, "torchvision")
