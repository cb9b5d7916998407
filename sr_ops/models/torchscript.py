"""TorchScript archives of networks: programs, which run only where the user trusts them.

An archive says nothing of what it does with a picture. That is found out by trying: how many
channels it takes, by what it multiplies the sides, of which multiples they must be.
"""

from __future__ import annotations

import copy
import itertools
import os
import warnings
import zipfile
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from sr_ops import _arguments
from sr_ops._torch.ops import dynamic_upscale
from sr_ops.errors import CheckpointError, InvalidArgumentError, ModelError
from sr_ops.models.checkpoints import refuse_zip_bombs
from sr_ops.models.rest import resample_rest
from sr_ops.models.srcnn import Scale
from sr_ops.models.traits import KEEPS_SIZE

__all__ = ["TorchScriptNetwork", "is_archive", "load_archive"]

_CHANNELS = (3, 1, 4)
_MULTIPLES = (1, 2, 4, 8, 16, 32, 64)
_SIDE = 64  # pixels: with a multiple added, of a picture to try a network on
_FIRST = 2e-3  # by which a network that enlarges first may differ from itself on enlarged pixels

#: Forms in which programs take a scale, from a tensor (height, width); the first two of both axes.
_SCALES: dict[str, Callable[[Tensor], Any]] = {
    "two values": lambda pair: pair,
    "four values": lambda pair: torch.cat([torch.ones(2), pair]),
    "one value": lambda pair: pair[:1],
    "no axes": lambda pair: pair[0],
    "number": lambda pair: float(pair[0]),
}
_OF_BOTH_AXES = ("two values", "four values")


class TorchScriptNetwork(nn.Module):
    """The network of a TorchScript archive, with the attributes and the ``forward`` of those here.

    Attributes:
        network: the ``torch.jit.ScriptModule``.
        channels: of the image.
        upscale_factor: the network's own factor; 1 where it keeps the size, or takes a scale.
        multiple: of which its sides must be multiples, in pixels; forward sees to it.
        smallest: side that it takes.
        keeps_size: whether it takes no scale and keeps the size, so that somebody must say where
            the operator stands (:meth:`placed`).
        restores: whether it gets the picture as it is, and keeps the size; None where nobody has
            said so, which is as False.
        radius: None: it is found out when a picture has to be cut.
    """

    radius: int | None = None
    architecture = "a TorchScript archive"

    def __init__(self, network: nn.Module, form: _Form) -> None:
        super().__init__()
        self.network = network
        self.channels = form.channels
        self.upscale_factor = form.factor
        self.multiple = self.smallest = form.multiple
        self.keeps_size = form.scale is None and form.factor == 1
        self.restores: bool | None = None
        self._scale = form.scale

    def placed(self, enlarge: str) -> TorchScriptNetwork:
        """The same network, with the operator ``"before"`` or ``"after"`` it.

        Raises:
            InvalidArgumentError: it enlarges itself.
        """
        if not self.keeps_size:
            raise InvalidArgumentError(
                f"enlarge: got {enlarge!r}, but the archive's network enlarges itself"
            )
        other = copy.copy(self)
        other.restores = enlarge == "after"
        return other

    def check_placed(self) -> None:
        """Raise InvalidArgumentError where nobody has said where the operator stands."""
        if self.keeps_size and self.restores is None:
            raise InvalidArgumentError(
                f"enlarge: the archive's network {KEEPS_SIZE}; in Python, network.placed('before')"
            )

    def traced(self, example: tuple[Tensor, Tensor]) -> nn.Module:
        """The program and what is done around it as one program, of an image and a scale."""
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program: nn.Module = torch.jit.trace(self, example, check_trace=False)  # type: ignore[no-untyped-call]
        return program

    def forward(self, x: Tensor, scale: Scale | None = None) -> Tensor:
        """Enlarge by the network, and resample to the wanted scale before or after it.

        Args:
            x: (N, channels, H, W) float32 in 0..1.
            scale: whatever :func:`sr_ops.dynamic_upscale` takes, or None for the network's own.

        Returns:
            (N, channels, H_out, W_out), not clamped.

        Raises:
            ModelError: the program fails.
        """
        if self._scale is not None:
            return self._run(x, self._own_scale(1.0 if scale is None else scale, self._scale))
        if scale is not None and self.keeps_size and not self.restores:
            return self._filled(dynamic_upscale(x, scale))
        enlarged = self._filled(x)
        return enlarged if scale is None else resample_rest(enlarged, x, scale, self.upscale_factor)

    def _own_scale(self, scale: Scale, form: str) -> Any:
        """A scale in the program's form; a tensor stays an input of a graph."""
        if isinstance(scale, Tensor):
            pair = scale.to(torch.float32).reshape(-1)[-2:].expand(2)
        else:
            height, width = _arguments.parse_scale(scale)
            if form not in _OF_BOTH_AXES and height != width:
                raise InvalidArgumentError(
                    f"scale: got {(height, width)}, but the archive takes one factor for both axes"
                )
            pair = torch.tensor([height, width])
        return _SCALES[form](pair)

    def _filled(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, channels, r H, r W), continued to sides that it takes."""
        height, width = x.shape[2:]
        if self.multiple > 1:
            right, below = -width % self.multiple, -height % self.multiple
            x = nn.functional.pad(x, (0, right, 0, below), "replicate")
        factor = self.upscale_factor
        return self._run(x)[..., : height * factor, : width * factor]

    def _run(self, *args: Any) -> Tensor:
        try:
            result = self.network(*args)
        except (RuntimeError, torch.jit.Error) as error:  # in many lines, the reason last
            raise ModelError(f"the TorchScript program fails: {_last_line(error)}") from error
        if not isinstance(result, Tensor):
            raise ModelError(
                f"the TorchScript program gives a {type(result).__name__}; expected one picture"
            )
        return result


class _Form(NamedTuple):
    """What a program takes and gives.

    Attributes:
        channels: of the image.
        factor: by which it multiplies both sides.
        multiple: of its sides.
        scale: a key of ``_SCALES``; None where it takes the image alone.
    """

    channels: int
    factor: int
    multiple: int
    scale: str | None


def is_archive(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a TorchScript archive, as torch itself tells.

    >>> is_archive("/dev/null")
    False
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def load_archive(path: str | os.PathLike[str]) -> TorchScriptNetwork:
    """The network of a TorchScript archive, whose program this runs.

    Args:
        path: a file that ``torch.jit.save`` wrote, of a network whose ``forward`` takes an image
            (1, C, H, W) alone, or an image and a scale by which it enlarges first.

    Raises:
        CheckpointError: not a TorchScript archive, or of a program that is no network for pictures.
    """
    refuse_zip_bombs(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch's, of TorchScript itself
        try:
            network = torch.jit.load(os.fspath(path), map_location="cpu")  # type: ignore[no-untyped-call]
            network = network.eval().float()
        except Exception as error:  # what a damaged file makes torch raise is of any class
            raise CheckpointError(
                f"{path}: not a TorchScript archive: {_last_line(error)}"
            ) from error
    with torch.no_grad():
        return TorchScriptNetwork(network, _recognised(network, path))


def _recognised(network: Any, path: str | os.PathLike[str]) -> _Form:
    arguments = network.forward.schema.arguments[1:]
    needed = sum(not argument.has_default_value() for argument in arguments)
    if needed not in (1, 2):
        names = ", ".join(argument.name for argument in arguments) or "nothing"
        raise _unknown(path, f"its forward takes {names}; expected an image, or image and scale")
    if needed == 2:
        return _with_scale(network, path)
    failure: Exception | None = None
    for multiple, channels in itertools.product(_MULTIPLES, _CHANNELS):
        image = torch.full((1, channels, _SIDE + multiple, _SIDE + multiple), 0.5)
        try:
            result = network(image)
        except Exception as error:  # a program fails as it likes
            failure = failure or error
            continue
        factor = _factor(image, result)
        if factor is not None:
            return _Form(channels, factor, multiple, None)
    why = "it makes no picture of a picture" if failure is None else _last_line(failure)
    raise _unknown(
        path, f"it takes no square picture of 65 to 128 pixels and 1, 3 or 4 channels ({why})"
    )


def _with_scale(network: Any, path: str | os.PathLike[str]) -> _Form:
    failure: Exception | None = None
    noise = torch.rand(1, max(_CHANNELS), 24, 32, generator=torch.Generator().manual_seed(0))
    for (name, form), channels in itertools.product(_SCALES.items(), _CHANNELS):
        image = noise[:, :channels].contiguous()
        enlarged = dynamic_upscale(image, 2.0)
        try:
            large = network(image, form(torch.tensor([2.0, 2.0])))
            same = network(enlarged, form(torch.tensor([1.0, 1.0])))
        except Exception as error:  # a program fails as it likes
            failure = failure or error
            continue
        if _factor(image, large) != 2 or _factor(enlarged, same) != 1:
            continue
        if not bool(((large - same)[..., :24, :32].abs() < _FIRST).all()):
            raise _unknown(path, "it takes a scale by which it does not enlarge before all else")
        return _Form(channels, 1, 1, name)
    why = "" if failure is None else f" ({_last_line(failure)})"
    raise _unknown(path, f"its forward wants an image and something that is no scale{why}")


def _factor(image: Tensor, result: Any) -> int | None:
    """By which the sides were multiplied; None where the result is no such picture."""
    if not isinstance(result, Tensor) or result.shape[:2] != image.shape[:2] or result.dim() != 4:
        return None
    factors = {
        after / before for after, before in zip(result.shape[2:], image.shape[2:], strict=True)
    }
    factor = factors.pop()
    return int(factor) if not factors and factor >= 1 and factor % 1 == 0 else None


def _unknown(path: str | os.PathLike[str], what: str) -> CheckpointError:
    return CheckpointError(
        f"{path}: a TorchScript archive of no network that is known here: {what}; where its model "
        "was made, call torch.onnx.export, and give that file"
    )


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1].strip()[:300] if lines else type(error).__name__
