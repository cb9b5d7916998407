"""EDSR, IMDN and VDSR: their layouts are recognised, at every scale, in tiles, as .onnx."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import sr_ops
from sr_ops import models
from sr_ops.errors import CheckpointError
from sr_ops.models import EDSR, ESPCN, IMDN, VDSR


def edsr(factor):
    return EDSR(factor, 8, 2)


def as_vdsrs_of_others(module):
    """Under the names of two PyTorch versions."""
    weights = list(module.state_dict().values())
    inner = {f"residual_layer.{i}.conv.weight": w for i, w in enumerate(weights[1:-1])}
    trunk = {f"trunk.{i}.conv.weight": w for i, w in enumerate(weights[1:-1])}
    return [
        {**inner, "input.weight": weights[0], "output.weight": weights[-1]},
        {"conv1.0.weight": weights[0], **trunk, "conv2.weight": weights[-1]},
    ]


NETWORKS = {
    "EDSR x2": lambda: edsr(2),
    "EDSR x3": lambda: edsr(3),
    "EDSR x4": lambda: edsr(4),
    "EDSR, wide": lambda: EDSR(2, 256, 1),
    "IMDN": lambda: IMDN(3, 16),
    "VDSR": lambda: VDSR(9, 4),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_checkpoint_becomes_the_network(tmp_path, name):
    torch.manual_seed(0)
    module = NETWORKS[name]().eval()
    path = tmp_path / "net.pth"
    torch.save(module.state_dict(), path)
    loaded = models.load(path)
    assert type(loaded) is type(module)
    image = np.random.default_rng(0).random((31, 26, 3), np.float32)
    expected = sr_ops.upscale_image(image, 2.7, model=module)
    assert np.array_equal(sr_ops.upscale_image(image, 2.7, model=loaded), expected)
    if getattr(loaded, "radius", None) is not None:
        tiled = sr_ops.upscale_image(image, 2.7, model=loaded, tile=32)
        assert np.abs(tiled - expected).max() <= 1e-4 / 255 * max(1, np.abs(expected).max())
        # The operator's four taps count, also where their weights are 0.
        assert 0 <= _measured_radius(loaded) - loaded.radius <= 2


def _measured_radius(module):
    from sr_ops.imaging.networks import load_network

    return load_network(module).measure().radius


def test_vdsr_under_other_names(tmp_path):
    torch.manual_seed(0)
    module = VDSR(9, 4).eval()
    x = torch.rand(1, 1, 9, 11)
    for weights in as_vdsrs_of_others(module):
        path = tmp_path / "net.pth"
        torch.save({"state_dict": weights}, path)
        assert torch.equal(models.load(path)(x, 1.5), module(x, 1.5))


def test_edsr_counts_to_255_inside():
    """A network of which only the mean's way there and back is left gives the mean's colour."""
    module = edsr(2)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if not name.startswith(("sub_mean", "add_mean")):
                parameter.zero_()
    result = module(torch.rand(1, 3, 4, 5))
    assert torch.allclose(result[0, :, 0, 0], torch.tensor([0.4488, 0.4371, 0.4040]))


@pytest.mark.parametrize("name", ["EDSR x2", "VDSR"])
def test_exported(tmp_path, name):
    module = NETWORKS[name]().eval()
    path = tmp_path / "net.onnx"
    path.write_bytes(models.to_onnx(module).SerializeToString())
    image = np.random.default_rng(0).random((31, 26, 3), np.float32)
    expected = sr_ops.upscale_image(image, 2.7, model=module)
    assert np.abs(sr_ops.upscale_image(image, 2.7, model=path) - expected).max() < 1e-3


def test_shapes_that_speak_of_terabytes(tmp_path):
    weights = ESPCN(2).state_dict()
    weights["conv1.weight"] = torch.zeros(1 << 20, 1, 1, 1)
    weights["conv2.weight"] = torch.zeros(1 << 20, 1, 1, 1)
    path = tmp_path / "net.pth"
    torch.save(weights, path)
    with pytest.raises(CheckpointError, match="far larger than the file") as caught:
        models.load(path)
    assert str(path) in str(caught.value)
