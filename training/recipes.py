"""What each bundled network is, and how it is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sr_ops.models import SRCNN
from sr_ops.models.multiscale import MultiScale


class Recipe(NamedTuple):
    """One network's."""

    what: str  # for the model card
    make: Callable[[], nn.Module]  # before training
    hidden: Callable[[nn.Module], list[Tensor]]  # the kernels that Muon trains
    counts: Mapping[float, int]  # factor -> patches a step
    side: int  # of small patches
    muon: float  # learning rate of hidden layers
    adam: float  # of everything else


def multi_scale(features: tuple[int, ...]) -> MultiScale:
    """Before training it gives the nearest pixel, nearly.

    From hidden layer to hidden layer every channel passes itself on: so many layers can be trained
    at once as if each added something to what came before.
    """
    network = MultiScale(features)
    with torch.no_grad():
        for convolution in list(network.body)[1:]:
            nn.init.kaiming_normal_(convolution.weight).mul_(0.1)
            nn.init.dirac_(passing := torch.empty_like(convolution.weight))
            convolution.weight.add_(passing)
        for convolution in (*network.body, *network.tails.values()):
            convolution.bias.zero_()
        for tail in network.tails.values():
            tail.weight.mul_(0.1)
    return network


def srcnn_near_identity() -> SRCNN:
    """The first channel passes the luma on; the rest starts at random, small."""
    network = SRCNN(channels=1)
    with torch.no_grad():
        network.conv3.weight.mul_(0.1)
        for conv in (network.conv1, network.conv2, network.conv3):
            conv.bias.zero_()
            middle = conv.kernel_size[0] // 2
            conv.weight[0] = 0
            conv.weight[0, 0, middle, middle] = 1
    return network


def _of_body(network: nn.Module) -> list[Tensor]:
    return [convolution.weight for convolution in list(network.body)[1:]]


def _srcnn(counts: Mapping[float, int], side: int) -> Recipe:
    return Recipe(
        "9x9 to 64 features, 1x1 to 32, 5x5 to luma, ReLU, on the upscaled luma",
        srcnn_near_identity,
        lambda network: [network.conv1.weight, network.conv2.weight],
        counts,
        side,
        muon=0.005,
        adam=1e-3,
    )


RECIPES = {
    "multiscale": Recipe(
        "eight 3x3 convolutions, 32 features, ReLU, an end for each of x2, x3, x4",
        lambda: multi_scale((32,) * 7),
        _of_body,
        {2: 2, 3: 2, 4: 2},
        36,
        muon=0.01,
        adam=1.5e-3,
    ),
    "fast": Recipe(
        "eight 3x3 convolutions, 16 features, ReLU, an end for each of x2, x3, x4",
        lambda: multi_scale((16,) * 7),
        _of_body,
        {2: 2, 3: 2, 4: 2},
        36,
        muon=0.01,
        adam=2e-3,
    ),
    # Trained for whole factors alone, it sharpened what is enlarged by less until it was 6 dB worse
    # than bicubic.
    "srcnn": _srcnn({1.25: 2, 1.5: 2, 2: 4, 2.5: 1, 3: 2, 4: 2}, 24),
    # As in its paper: a network that sees one factor only need not guess how blurred its input is.
    "srcnn_x2": _srcnn({2: 4}, 36),
    "srcnn_x3": _srcnn({3: 4}, 24),
    "srcnn_x4": _srcnn({4: 4}, 18),
}


def operations(network: nn.Module, factor: int) -> float:
    """Multiply-adds of the convolutions per pixel of the result."""
    if isinstance(network, MultiScale):
        return _weights(network.only(factor)) / factor**2
    return _weights(network)


def _weights(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters() if p.dim() == 4)
