"""Networks whose weights are written down, not trained."""

from __future__ import annotations

import torch

from sr_ops.models import SRCNN


def identity(channels: int) -> SRCNN:
    """A network that gives back the bicubic picture."""
    net = SRCNN(channels, features=(channels, channels), kernel_sizes=(1, 1, 1))
    with torch.no_grad():
        for conv in (net.conv1, net.conv2, net.conv3):
            conv.weight.copy_(torch.eye(channels)[..., None, None])
            conv.bias.zero_()
    return net.eval()
