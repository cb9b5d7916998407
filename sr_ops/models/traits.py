"""What a picture pipeline must know about a network; also inside its .onnx file. Needs no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sr_ops.errors import ModelError

__all__ = ["KEEPS_SIZE", "METADATA_KEY", "Traits", "choose_factor"]

#: Key of an ONNX model's metadata_props.
METADATA_KEY = "sr_ops.network"

#: What is asked where a network does not tell it.
KEEPS_SIZE = (
    "takes no scale and keeps the size; pass enlarge (--enlarge) 'before' if it wants the enlarged "
    "picture (SRCNN, VDSR), 'after' if it restores a picture as it is (denoising)"
)


def choose_factor(factors: Sequence[int], scale: float) -> int:
    """Of a network that knows several, the factor for a scale: the next above it.

    >>> choose_factor((2, 3, 4), 2.7), choose_factor((2, 3, 4), 9)
    (3, 4)
    """
    return min((factor for factor in factors if factor >= scale), default=max(factors))


class Traits(NamedTuple):
    """How a network treats a picture.

    Attributes:
        channels: 3 (RGB), 1 (luma) or 4 (RGBA).
        factor: what the network multiplies both sides by, before the operator does the rest; 1
            where the operator comes first and the network keeps the size.
        radius: how far an output sees, in pixels of what the network's convolutions see; None if
            that is not known, so that the picture cannot be cut into tiles.
        memory: floats that the network holds at once, for each pixel that its convolutions see.
        factors: those among which a network chooses by the scale, each of which could be its
            ``factor``; empty if it has one only.
        multiple: pieces that the network gets begin at multiples of it, in pixels of what its
            convolutions see; 1 where it treats every pixel alike.
        smallest: pieces that the network gets have sides of at least so many pixels, where the
            picture has.
        restores: of a network of factor 1: it gets the picture as it is, and the operator comes
            after it.
    """

    channels: int
    factor: int = 1
    radius: int | None = None
    memory: int = 512
    factors: tuple[int, ...] = ()
    multiple: int = 1
    smallest: int = 1
    restores: bool = False

    @property
    def enlarged_before(self) -> bool:
        """Whether the operator comes before the network."""
        return self.factor == 1 and not self.restores

    def at(self, scale: float) -> Traits:
        """With the factor that the network takes for a scale.

        >>> Traits(1, factors=(2, 3, 4)).at(2.7).factor
        3
        """
        if not self.factors:
            return self
        return self._replace(factor=choose_factor(self.factors, scale))

    @classmethod
    def of(cls, module: Any) -> Traits:
        """Of a module with the attributes ``channels``, ``upscale_factor``, ``radius``, if any."""
        memory = max(
            (p.shape[0] + p.shape[1] for p in module.parameters() if p.dim() == 4), default=512
        )
        radius = getattr(module, "radius", None)
        if radius is None:  # somebody's: there may be more to it than convolutions
            memory = max(memory, cls._field_defaults["memory"])
        factors = tuple(getattr(module, "factors", ()))
        return cls(
            channels=int(module.channels),
            factor=int(getattr(module, "upscale_factor", max(factors, default=1))),
            radius=radius,
            memory=int(memory),
            factors=factors,
            multiple=int(getattr(module, "multiple", 1)),
            smallest=int(getattr(module, "smallest", 1)),
            restores=bool(getattr(module, "restores", False)),
        )

    def to_metadata(self) -> dict[str, str]:
        """For an ONNX model's ``metadata_props``.

        What older versions do not know is left out where it says nothing.

        >>> Traits.from_metadata(Traits(3, radius=6).to_metadata()).radius
        6
        """
        young = {
            name: Traits._field_defaults[name] for name in ("multiple", "smallest", "restores")
        }
        said = {k: v for k, v in self._asdict().items() if k not in young or v != young[k]}
        return {METADATA_KEY: json.dumps(said)}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> Traits | None:
        """What :meth:`to_metadata` wrote; None if nothing is there.

        Raises:
            ModelError: something is there that this version cannot read.
        """
        text = metadata.get(METADATA_KEY)
        if text is None:
            return None
        try:
            traits = cls(**json.loads(text))
            traits = traits._replace(factors=tuple(traits.factors))
            sound = (
                traits.channels in (1, 3, 4)
                and traits.factor >= 1
                and traits.memory >= 1
                and (traits.radius is None or traits.radius >= 0)
                and all(factor >= 1 for factor in traits.factors)
                and min(traits.multiple, traits.smallest) >= 1
            )
        except (TypeError, ValueError):
            sound = False
        if not sound:
            raise ModelError(f"metadata {METADATA_KEY!r}: cannot be understood: {text[:80]!r}")
        return traits
