"""ESPCN: structure, the policy for any scale, gradients."""

import warnings

import numpy as np
import pytest
import torch
from torch.nn import functional

import sr_ops
from sr_ops import _arguments, models, reference
from sr_ops.errors import InvalidArgumentError
from sr_ops.models import ESPCN
from sr_ops.models.scale_split import remaining_scale


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return ESPCN(3).eval()


def test_is_the_tutorials_network(net):
    x = torch.rand(2, 1, 6, 7)
    y = functional.relu(functional.conv2d(x, net.conv1.weight, net.conv1.bias, padding=2))
    y = functional.relu(functional.conv2d(y, net.conv2.weight, net.conv2.bias, padding=1))
    y = functional.relu(functional.conv2d(y, net.conv3.weight, net.conv3.bias, padding=1))
    y = functional.conv2d(y, net.conv4.weight, net.conv4.bias, padding=1)
    y = functional.pixel_shuffle(y, 3)
    torch.testing.assert_close(net(x), y, rtol=0, atol=0)
    assert list(net.state_dict()) == [
        f"conv{i}.{p}" for i in (1, 2, 3, 4) for p in ("weight", "bias")
    ]


def test_its_own_factor_is_exact(net):
    x = torch.rand(1, 1, 6, 7)
    for scale in (3, 3.0, torch.tensor([3.0, 3.0]), torch.tensor([1.0, 1.0, 3.0, 3.0])):
        torch.testing.assert_close(net(x, scale), net.enlarge(x), rtol=0, atol=0)


@pytest.mark.parametrize("scale", [2.7, (1.5, 2), 5, torch.tensor([2.7, 2.7]), torch.tensor(1.7)])
def test_other_factors_are_resampled(net, scale):
    """Bicubic enlarging, or Pillow's antialiased shrinking, of the network's own result."""
    x = torch.rand(1, 1, 20, 10)
    with torch.no_grad():
        enlarged, result = net.enlarge(x).numpy(), net(x, scale).numpy()
    pair = np.broadcast_to(np.asarray(scale, np.float32), 2)
    expected = reference.dynamic_upscale(
        enlarged,
        tuple(float(np.float32(s) / np.float32(3)) for s in pair),
        cubic_coeff_a=-0.5,
        antialias=True,
        exclude_outside=True,
    )
    np.testing.assert_allclose(result, expected, atol=5e-7 * np.abs(enlarged).max())


def test_radius_is_where_influence_ends(net):
    x = torch.zeros(1, 1, 31, 31, requires_grad=True)
    net.enlarge(x)[0, 0, 46, 46].backward()  # in the middle of the pixel 15, 15
    seen = x.grad[0, 0].abs().sum(0).nonzero().flatten()
    assert (int(seen.min()), int(seen.max())) == (15 - net.radius, 15 + net.radius)


def test_gradients_through_the_resampling(net):
    x = torch.rand(1, 1, 6, 5, requires_grad=True)
    net(x, torch.tensor([2.2, 2.2])).square().mean().backward()
    assert all(p.grad.abs().sum() > 0 for p in net.parameters())
    assert x.grad.abs().sum() > 0


@pytest.mark.parametrize("scale", [0, -1, float("nan"), (1, 2, 3)])
def test_bad_scale(net, scale):
    with pytest.raises(InvalidArgumentError, match="scale"):
        net(torch.rand(1, 1, 4, 4), scale)


@pytest.mark.parametrize("factor", [1, 2, 4])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("features", [(4, 4, 4), (5, 4, 3, 6, 4)])
def test_is_recognised_by_its_weights(tmp_path, factor, channels, features):
    net = ESPCN(factor, channels, features)
    torch.save(net.state_dict(), tmp_path / "net.pth")
    loaded = models.load(tmp_path / "net.pth")
    assert isinstance(loaded, ESPCN)
    assert (loaded.upscale_factor, loaded.channels) == (factor, channels)
    assert tuple(layer.out_channels for layer in loaded.convolutions[:-1]) == features
    assert loaded.radius == 2 + len(features)
    x = torch.rand(1, channels, 5, 5)
    torch.testing.assert_close(loaded(x, 2.5), net(x, 2.5), rtol=0, atol=0)


def test_exported_it_takes_any_scale(net, tmp_path):
    path = tmp_path / "net.onnx"
    sr_ops.onnx.export(net, (torch.rand(1, 1, 8, 8), torch.tensor([2.0, 2.0])), path)
    session = sr_ops.onnx.make_session(path)
    image, scale = (value.name for value in session.get_inputs())
    x = torch.rand(2, 1, 9, 12)
    for factor in (1.3, 3, 4.5):
        feed = {image: x.numpy(), scale: np.array([factor, factor], np.float32)}
        with torch.no_grad():
            expected = net(x, factor).numpy()
        np.testing.assert_allclose(session.run(None, feed)[0], expected, rtol=1e-3, atol=1e-5)


def test_sizes_follow_the_operators_rule_at_any_side():
    """Also where dividing the scale and rounding twice would lose or win a pixel."""
    rng = np.random.default_rng(0)
    corrected = 0
    for factor in (2, 3, 4, 7):
        for _ in range(5_000):
            side = int(rng.integers(1, 30_000))
            # Half of them such that the product falls on an integer, or just beside it.
            exact = rng.random() < 0.5
            scale = rng.integers(1, 6 * side) / side if exact else rng.uniform(0.2, 6)
            scale = _arguments.float32(float(scale))
            wanted = _arguments.output_size(side, scale)
            rest = remaining_scale(scale, factor, side)
            assert _arguments.output_size(side * factor, rest) == wanted, (side, scale, factor)
            assert abs(rest / (scale / factor) - 1) < 2**-21
            corrected += rest != _arguments.float32(scale / factor)
    assert corrected > 20


#: Sides and scales where trunc(side * 3 * (scale / 3)) is not trunc(side * scale).
AWKWARD = [(10, 1.3), (20, 1.3), (11, 2.5454545)]


@pytest.mark.parametrize("op", ["DynamicUpscale", "Resize"])
@pytest.mark.parametrize("exporter", ["dynamo", "torchscript"])
def test_exported_it_gives_the_sizes_of_the_operators_rule(op, exporter):
    net = ESPCN(3, features=(1, 1, 1)).eval()
    session = sr_ops.onnx.make_session(models.to_onnx(net, op=op, exporter=exporter))
    assert any(_arguments.output_size(3 * n, s / 3) != int(np.float32(n * s)) for n, s in AWKWARD)
    rng = np.random.default_rng(1)
    cases = AWKWARD + [(int(rng.integers(4, 200)), rng.integers(1, 60) / 10) for _ in range(150)]
    for side, scale in cases:
        pair = np.array([scale, 1.7], np.float32)
        x = np.zeros((1, 1, side, 7), np.float32)
        expected = [
            _arguments.output_size(n, float(s)) for n, s in zip((side, 7), pair, strict=True)
        ]
        if min(expected) < 1:
            continue
        assert list(session.run(None, {"x": x, "scale": pair})[0].shape[2:]) == expected
        if op == "Resize":  # the network's own answer is the same in all four cases
            continue
        with torch.no_grad():
            eager = net(torch.from_numpy(x), tuple(map(float, pair)))
            by_tensor = net(torch.from_numpy(x), torch.from_numpy(pair))
        assert list(eager.shape[2:]) == list(by_tensor.shape[2:]) == expected


def test_compiled_and_traced_it_keeps_the_rule():
    net = ESPCN(3, features=(1, 1, 1)).eval()
    x = torch.rand(1, 1, 10, 20)
    expected = net(x, 1.3)
    assert expected.shape == (1, 1, 13, 26)
    compiled = torch.compile(net, backend="eager", dynamic=True)
    torch.testing.assert_close(compiled(x, 1.3), expected)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        traced = torch.jit.trace(net, (torch.rand(1, 1, 7, 9), torch.tensor([2.0, 2.0])))
        frozen = torch.jit.trace(_Thirteen(net), (torch.rand(1, 1, 7, 9),))
    torch.testing.assert_close(traced(x, torch.tensor([1.3, 1.3])), expected)
    torch.testing.assert_close(frozen(x), expected)


class _Thirteen(torch.nn.Module):
    """Ten become thirteen: a factor that a trace freezes, at sizes that it must not."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x, 1.3)
