"""From a checkpoint to a network: the architecture is read off the keys and shapes."""

from __future__ import annotations

import os
from typing import Any

from sr_ops.errors import CheckpointError, FileError
from sr_ops.models import bundled, spandrel_networks, torchscript
from sr_ops.models.budget import Budget
from sr_ops.models.checkpoints import load_state_dict, local, read_state_dict
from sr_ops.models.edsr import EDSR
from sr_ops.models.espcn import ESPCN
from sr_ops.models.imdn import IMDN
from sr_ops.models.multiscale import MultiScale
from sr_ops.models.srcnn import SRCNN
from sr_ops.models.vdsr import VDSR

__all__ = ["load"]

#: Each has ``from_state_dict``, which answers None where the weights are another architecture's.
ARCHITECTURES: tuple[Any, ...] = (MultiScale, ESPCN, SRCNN, EDSR, IMDN, VDSR)


def load(path_or_name: str | os.PathLike[str], *, trust_torchscript: bool = False) -> Any:
    """A trained network, in evaluation mode on the CPU.

    Args:
        path_or_name: a checkpoint file or its address (see
            :func:`sr_ops.models.read_state_dict`), or the name of a network that sr_ops brings
            along (:func:`sr_ops.models.names`); a file of that name comes first.
        trust_torchscript: whether a TorchScript archive, which is a program, may be run; for files
            whose origin you trust. Its network takes an image, or an image and a scale.

    Returns:
        An ``nn.Module`` whose ``forward(x, scale)`` takes (N, C, H, W) and a scale.

    Raises:
        FileError: the file cannot be read or downloaded.
        CheckpointError: not a checkpoint, or of no architecture known here.

    >>> load("espcn_x3").upscale_factor
    3
    """
    path = bundled.find(path_or_name, ".safetensors") or path_or_name
    if trust_torchscript and torchscript.is_archive(file := local(path)):
        return torchscript.load_archive(file)
    try:
        state_dict = read_state_dict(path)
    except FileError as error:
        raise FileError(f"{error}; bundled networks: {', '.join(bundled.names())}") from error
    misfit: CheckpointError | None = None
    for architecture in ARCHITECTURES:
        try:
            with Budget.of(state_dict):
                model = architecture.from_state_dict(state_dict)
        except CheckpointError as error:
            raise CheckpointError(f"{path_or_name}: {error}") from None
        if model is not None:
            try:
                named = architecture.renamed(state_dict) if architecture is VDSR else state_dict
                return load_state_dict(model, named, source=path_or_name).eval()
            except CheckpointError as error:
                misfit = misfit or error
    foreign = spandrel_networks.from_state_dict(state_dict, path_or_name)
    if foreign is not None:
        return foreign.eval()
    if misfit is not None:
        raise misfit
    known = ", ".join(architecture.__name__ for architecture in ARCHITECTURES)
    first = ", ".join(key[:80] for key in list(state_dict)[:4])
    raise CheckpointError(
        f"{path_or_name}: of no known architecture (known: {known}{spandrel_networks.hint()}); its "
        f"keys begin with {first}; where its code is, call torch.onnx.export, and give that file, "
        "or give the nn.Module itself to model="
    )
