"""A network as the pipeline sees it: numpy planes in 0..1 and a scale in, planes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sr_ops.errors import ModelError
from sr_ops.models.traits import Traits

__all__ = ["Factors", "Network", "Planes", "finite"]

Planes = NDArray[np.float32]
Factors = tuple[float, float]


class Network(NamedTuple):
    """A network that is ready to run.

    Attributes:
        run: (1, channels, H, W) float32 and (scale_h, scale_w) to (1, channels, H_out, W_out).
        traits: what the pipeline must know about it.
        name: for messages.
        measure: finds out how far it sees, where the traits do not say.
        note: what a user should know of the way it runs.
        tiles_fit: whether pieces of a picture give pieces of the result at all; None where they do.
    """

    run: Callable[[Planes, Factors], Planes]
    traits: Traits
    name: str
    measure: Callable[[], Traits] | None = None
    note: str | None = None
    tiles_fit: Callable[[], bool] | None = None

    def at(self, scale: float) -> Network:
        """With the factor that it takes for a scale, if it has several."""
        return self._replace(traits=self.traits.at(scale))


def finite(run: Callable[[Planes, Factors], Planes], name: str) -> Callable[..., Planes]:
    """A network of which nothing but numbers may come where nothing but numbers went in.

    Args:
        run: as :class:`Network` has it; what it returns raises a ModelError otherwise.
        name: for the message.
    """

    def run_at(planes: Planes, scale: Factors) -> Planes:
        result = run(planes, scale)
        if not np.isfinite(result).all() and np.isfinite(planes).all():
            raise ModelError(
                f"{name}: makes NaN or infinity of a picture without them: its weights are "
                "damaged, or its training has failed; take other weights"
            )
        return result

    return run_at
