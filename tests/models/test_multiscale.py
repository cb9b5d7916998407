"""MultiScale: structure, the factor for a scale, one ONNX file for all, checkpoints."""

import numpy as np
import pytest
import torch
from skimage import data
from torch.nn import functional

import sr_ops
import sr_ops.onnx
from sr_ops import models
from sr_ops.imaging.io.encoded import upscale_encoded
from sr_ops.imaging.io.files import decode_image, encode_image
from sr_ops.models import MultiScale
from sr_ops.models.traits import Traits

# One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("multiscale")


def graphs(graph):
    """A graph and those within it."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from graphs(attribute.g)


SCALES = [1.5, 2, 2.7, 3, 3.5, 5, (2, 2.5), (3, 0.5)]


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    network = MultiScale((6, 5)).eval()
    return network


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_is_a_body_and_a_last_layer_on_top_of_the_nearest_pixel(net, factor):
    x = torch.rand(2, 1, 6, 7)
    y = x
    for convolution in net.body:
        y = functional.relu(functional.conv2d(y, *convolution.parameters(), padding=1))
    y = functional.conv2d(y, *net.tails[str(factor)].parameters(), padding=1)
    expected = functional.interpolate(x, scale_factor=factor) + functional.pixel_shuffle(y, factor)
    torch.testing.assert_close(net.enlarge(x, factor), expected)
    torch.testing.assert_close(net(x, factor), expected)


def test_colour_keeps_its_channels_apart():
    network = MultiScale((4,), factors=(2,), channels=3)
    torch.nn.init.zeros_(network.tails["2"].weight)
    torch.nn.init.zeros_(network.tails["2"].bias)
    x = torch.rand(1, 3, 6, 7)
    torch.testing.assert_close(network(x, 2), functional.interpolate(x, scale_factor=2))


@pytest.mark.parametrize(
    ("scale", "factor"), [(0.5, 2), (1.5, 2), (2, 2), (2.001, 3), (3, 3), (3.5, 4), (9, 4)]
)
def test_the_next_factor_above_serves_a_scale(net, scale, factor):
    x = torch.rand(1, 1, 8, 9)
    for form in (scale, (0.5, scale), torch.tensor([scale, 0.5])):
        torch.testing.assert_close(net(x, form), net.only(factor)(x, form), rtol=0, atol=0)


def test_only_leaves_the_network_as_it_was(net):
    x = torch.rand(1, 1, 8, 9)
    assert net.only(3).factors == (3,)
    assert net.factors == (2, 3, 4)
    assert torch.equal(net.only(3)(x, 3), net(x, 3))


def test_radius_is_where_influence_ends(net):
    x = torch.zeros(1, 1, 15, 15, requires_grad=True)
    (gradient,) = torch.autograd.grad(net.enlarge(x, 3)[0, 0, 21:24, 21:24].sum(), x)
    rows = gradient[0, 0].abs().sum(1).nonzero()
    assert (rows.min(), rows.max()) == (7 - net.radius, 7 + net.radius)


def test_a_checkpoint_tells_the_shape(net, tmp_path):
    torch.save(net.state_dict(), tmp_path / "net.pth")
    loaded = models.load(tmp_path / "net.pth")
    assert isinstance(loaded, MultiScale)
    x = torch.rand(1, 1, 8, 9)
    assert torch.equal(loaded(x, 2.5), net(x, 2.5))
    assert Traits.of(loaded) == Traits(1, factor=4, radius=3, memory=21, factors=(2, 3, 4))


@pytest.fixture(scope="module")
def exported(net):
    return models.to_onnx(net)


@pytest.mark.parametrize("scale", SCALES)
def test_one_onnx_file_chooses_the_factor_when_it_runs(net, exported, scale):
    session = sr_ops.onnx.make_session(exported)
    x = torch.rand(2, 1, 9, 10)
    pair = np.broadcast_to(np.asarray(scale, np.float32), 2).copy()
    (y,) = session.run(None, {"x": x.numpy(), "scale": pair})
    with torch.no_grad():
        expected = net(x, tuple(map(float, pair)))
    np.testing.assert_allclose(y, expected.numpy(), atol=1e-6)


def test_its_weights_are_in_the_file_once(net, exported):
    names = [tensor.name for graph in graphs(exported.graph) for tensor in graph.initializer]
    assert set(net.state_dict()) <= set(names)
    assert len(names) == len(set(names))


def test_the_body_is_computed_before_the_choice(net, exported):
    """In a branch of ``If``, ONNX Runtime does not lay out convolutions for the processor."""
    counts = [[n.op_type for n in graph.node].count("Conv") for graph in graphs(exported.graph)]
    assert sorted(counts) == [0, 1, 1, 1, len(net.body)]


def test_the_file_says_among_which_factors_it_chooses(exported):
    metadata = {entry.key: entry.value for entry in exported.metadata_props}
    traits = Traits.from_metadata(metadata)
    assert traits.factors == (2, 3, 4)
    assert [traits.at(scale).factor for scale in (1.5, 2, 2.7, 9)] == [2, 2, 3, 4]


@pytest.mark.parametrize(
    "keys", [{"body.0.weight"}, {"body.0.weight", "tails.x.weight"}, {"tails.2.weight"}, set()]
)
def test_other_checkpoints_are_not_taken_for_one(keys):
    assert MultiScale.from_state_dict({key: torch.zeros(4, 1, 3, 3) for key in keys}) is None


@pytest.mark.parametrize("scale", [2, 2.7])
def test_a_file_from_picture_to_picture_chooses_too(net, scale):
    session = sr_ops.onnx.make_session(models.to_picture_onnx(net))
    picture = data.coffee()[:40, :50]
    png = upscale_encoded(encode_image(picture, "in.png"), scale, session)
    expected = sr_ops.upscale_image(picture, scale, model=net.only(2 if scale == 2 else 3))
    assert np.abs(decode_image(png).astype(int) - expected).max() <= 1
