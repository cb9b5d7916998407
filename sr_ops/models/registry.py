"""From a checkpoint to a network: the architecture is read off the keys and shapes."""

from __future__ import annotations

import os

from torch import nn

from sr_ops.errors import CheckpointError
from sr_ops.models.checkpoints import load_state_dict, read_state_dict
from sr_ops.models.srcnn import SRCNN

__all__ = ["load"]

#: Each has ``from_state_dict``, which answers None where the weights are another architecture's.
ARCHITECTURES = (SRCNN,)


def load(path_or_name: str | os.PathLike[str]) -> nn.Module:
    """A trained network, in evaluation mode on the CPU.

    Args:
        path_or_name: a checkpoint file (see :func:`sr_ops.models.read_state_dict`).

    Returns:
        A module whose ``forward(x, scale)`` takes (N, C, H, W) and a scale.

    Raises:
        FileError: the file cannot be read.
        CheckpointError: not a checkpoint, or of no architecture known here.

    >>> import tempfile, torch
    >>> path = os.path.join(tempfile.mkdtemp(), "net.pth")
    >>> torch.save(SRCNN(channels=1).state_dict(), path)
    >>> load(path).channels
    1
    """
    state_dict = read_state_dict(path_or_name)
    for architecture in ARCHITECTURES:
        model = architecture.from_state_dict(state_dict)
        if model is not None:
            return load_state_dict(model, state_dict, source=path_or_name).eval()
    known = ", ".join(architecture.__name__ for architecture in ARCHITECTURES)
    first = ", ".join(list(state_dict)[:4])
    raise CheckpointError(
        f"{path_or_name}: of no known architecture (known: {known}); its keys begin with {first}"
    )
