"""The mean of a network's answers to a picture, turned and mirrored in all eight ways."""

from __future__ import annotations

import numpy as np

from sr_ops.errors import InvalidArgumentError
from sr_ops.imaging.network import Factors, Network, Planes

__all__ = ["averaged"]

#: (transposed, upside down, left to right)
_TURNS = [(t, f, m) for t in (False, True) for f in (False, True) for m in (False, True)]


def averaged(network: Network) -> Network:
    """A network that takes eight times as long and is a little nearer to the truth.

    Its tiles are those of the network: pieces that want multiples are continued by their last
    pixels to such a multiple before they are turned, so that turned pieces begin at one, too.

    Args:
        network: as the pipeline is going to run it.

    Raises:
        InvalidArgumentError: from ``run``: the network enlarges to a size that is rounded down,
            so that what is turned does not meet.

    >>> from sr_ops.models.traits import Traits
    >>> falls = Network(lambda x, scale: x * np.float32([[0], [1]]), Traits(1), "falls")
    >>> averaged(falls).run(np.ones((1, 1, 2, 2), np.float32), (1.0, 1.0)).ravel().tolist()
    [0.5, 0.5, 0.5, 0.5]
    """
    multiple = network.traits.multiple

    def run(planes: Planes, scale: Factors) -> Planes:
        height, width = planes.shape[2:]
        _check_exact(network, (height, width), scale)
        beyond = ((0, 0), (0, 0), (0, -height % multiple), (0, -width % multiple))
        whole = np.pad(planes, beyond, "edge") if multiple > 1 else planes
        total = _turned_and_back(network, whole, scale, _TURNS[0])
        for turn in _TURNS[1:]:
            total = total + _turned_and_back(network, whole, scale, turn)
        mean: Planes = total / np.float32(len(_TURNS))
        if multiple == 1:
            return mean
        factor = mean.shape[2] // whole.shape[2]
        return np.ascontiguousarray(mean[:, :, : height * factor, : width * factor])

    return network._replace(run=run)


def _check_exact(network: Network, size: tuple[int, int], scale: Factors) -> None:
    for side, factor in zip(size, scale, strict=True):
        if not float(np.float32(factor) * np.float32(side)).is_integer():
            raise InvalidArgumentError(
                f"best: {network.name} enlarges {side} pixels by {factor:g} itself, which is no "
                "whole number: what is turned would not meet; pass overlap (--overlap), such as "
                "32, or another scale"
            )


def _turned_and_back(
    network: Network, planes: Planes, scale: Factors, turn: tuple[bool, bool, bool]
) -> Planes:
    transposed, flipped, mirrored = turn
    steps = (slice(None), slice(None), _step(flipped), _step(mirrored))
    turned = planes[steps]
    if transposed:
        turned, scale = turned.transpose(0, 1, 3, 2), scale[::-1]
    result = network.run(np.ascontiguousarray(turned), scale)
    if transposed:
        result = result.transpose(0, 1, 3, 2)
    return result[steps]


def _step(backward: bool) -> slice:
    return slice(None, None, -1 if backward else 1)
