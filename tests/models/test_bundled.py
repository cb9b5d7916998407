"""The networks that come with the package: their ONNX files and their weights are one thing."""

import numpy as np
import onnx
import pytest
import torch
from skimage import data

import sr_ops.onnx
from sr_ops import models
from sr_ops.imaging.evaluation import evaluate
from sr_ops.imaging.networks import load_network
from sr_ops.models import bundled


def initializers(graph):
    """Of a graph and of those within it."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from initializers(attribute.g)


@pytest.mark.parametrize("name", models.names())
def test_onnx_files_find_their_weights_beside_them(name):
    path = bundled.find(name, ".onnx")
    held = {
        tensor.name: onnx.numpy_helper.to_array(tensor)
        for tensor in initializers(onnx.load(path).graph)
    }
    for key, value in models.load(name).state_dict().items():
        np.testing.assert_array_equal(held[key], value.numpy())


@pytest.mark.parametrize("name", models.names())
def test_the_package_holds_weights_once(name):
    model = onnx.load(bundled.find(name, ".onnx"), load_external_data=False)
    for tensor in initializers(model.graph):
        assert len(tensor.raw_data) <= 16
    network = models.load(name)
    count = sum(parameter.numel() for parameter in network.parameters())
    size = sum(bundled.find(name, s).stat().st_size for s in (".onnx", ".safetensors"))
    assert size < 4 * count + 24_000  # graphs, and what the operator is without the library


@pytest.mark.parametrize("name", models.names())
def test_both_files_are_the_same_network(name):
    x = torch.rand(1, 1, 17, 23, generator=torch.Generator().manual_seed(0))
    scale = torch.tensor([2.7, 2.7])
    session = sr_ops.onnx.make_session(bundled.find(name, ".onnx"))
    (result,) = session.run(None, {"x": x.numpy(), "scale": scale.numpy()})
    with torch.no_grad():
        expected = models.load(name)(x, scale)
    np.testing.assert_allclose(result, expected.numpy(), atol=1e-5)


@pytest.mark.parametrize("scale", [1.05, 1.25, 1.5, 1.9, 2, 2.2, 2.5, 2.8, 3, 3.2, 3.8, 4, 5, 8])
def test_every_network_is_better_than_bicubic_or_another_is_named(scale):
    """On a picture that no network has seen: what is named is better indeed."""
    networks = {name: load_network(name) for name in models.names()}
    scores = evaluate(data.chelsea()[:240, 60:400], scale, networks | {"bicubic": None})
    psnr = {score.model: score.psnr for score in scores}
    for name in networks:
        better = bundled.better_at(name, scale)
        assert psnr[name] > psnr["bicubic"] if better is None else psnr[better] > psnr[name], name
