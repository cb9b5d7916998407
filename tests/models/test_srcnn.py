"""SRCNN: structure, behaviour, gradients."""

import pytest
import torch
from torch.nn import functional

import sr_ops
from sr_ops.errors import InvalidArgumentError
from sr_ops.models import SRCNN


def test_is_upscaling_and_three_convolutions():
    torch.manual_seed(0)
    net, x = SRCNN(), torch.rand(2, 3, 9, 7)
    y = sr_ops.dynamic_upscale(x, 2.7)
    y = functional.relu(functional.conv2d(y, net.conv1.weight, net.conv1.bias, padding=4))
    y = functional.relu(functional.conv2d(y, net.conv2.weight, net.conv2.bias))
    y = functional.conv2d(y, net.conv3.weight, net.conv3.bias, padding=2)
    torch.testing.assert_close(net(x, 2.7), y, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("scale", "size"),
    [(1, (9, 7)), (2.7, (24, 18)), ((2, 0.5), (18, 3)), (torch.tensor([1.5, 3.0]), (13, 21))],
)
def test_every_form_of_scale(scale, size):
    assert SRCNN()(torch.rand(1, 3, 9, 7), scale).shape == (1, 3, *size)


def test_scale_is_not_kept_between_calls():
    net, x = SRCNN(channels=1), torch.rand(1, 1, 5, 5)
    assert [net(x, s).shape[-1] for s in (2, 3.3, 2)] == [10, 16, 10]


def test_published_number_of_parameters():
    """8032 in the paper's luma network counts weights only; biases are 64 + 32 + 1."""
    assert sum(p.numel() for p in SRCNN(channels=1).parameters()) == 8032 + 97


def test_radius_is_where_influence_ends():
    net = SRCNN(channels=1)
    x = torch.zeros(1, 1, 41, 41, requires_grad=True)
    net(x, 1)[0, 0, 20, 20].backward()
    seen = x.grad[0, 0].abs().sum(0).nonzero().flatten()
    assert (int(seen.min()), int(seen.max())) == (20 - net.radius, 20 + net.radius)


def test_every_parameter_and_the_input_get_gradients():
    net, x = SRCNN(), torch.rand(1, 3, 6, 5, requires_grad=True)
    net(x, torch.tensor([1.7, 1.7])).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())
    assert x.grad.abs().sum() > 0


@pytest.mark.parametrize("scale", [0, -1, float("nan"), float("inf"), (1, 2, 3)])
def test_bad_scale(scale):
    with pytest.raises(InvalidArgumentError, match="scale"):
        SRCNN()(torch.rand(1, 3, 4, 4), scale)
