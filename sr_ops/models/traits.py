"""What a picture pipeline must know about a network; also inside its .onnx file. Needs no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from sr_ops.errors import ModelError

__all__ = ["METADATA_KEY", "Traits"]

#: Key of an ONNX model's metadata_props.
METADATA_KEY = "sr_ops.network"


class Traits(NamedTuple):
    """How a network treats a picture.

    Attributes:
        channels: 3 (RGB) or 1 (luma).
        factor: what the network multiplies both sides by, before the operator does the rest; 1
            where the operator comes first and the network keeps the size.
        radius: how far an output sees, in pixels of what the network's convolutions see; None if
            that is not known, so that the picture cannot be cut into tiles.
        memory: floats that the network holds at once, for each pixel that its convolutions see.
    """

    channels: int
    factor: int = 1
    radius: int | None = None
    memory: int = 512

    @classmethod
    def of(cls, module: Any) -> Traits:
        """Of a module with the attributes ``channels``, ``upscale_factor``, ``radius``, if any."""
        memory = max(
            (p.shape[0] + p.shape[1] for p in module.parameters() if p.dim() == 4), default=512
        )
        return cls(
            channels=int(module.channels),
            factor=int(getattr(module, "upscale_factor", 1)),
            radius=getattr(module, "radius", None),
            memory=int(memory),
        )

    def to_metadata(self) -> dict[str, str]:
        """For an ONNX model's ``metadata_props``.

        >>> Traits.from_metadata(Traits(3, radius=6).to_metadata())
        Traits(channels=3, factor=1, radius=6, memory=512)
        """
        return {METADATA_KEY: json.dumps(self._asdict())}

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
            sound = (
                traits.channels in (1, 3)
                and traits.factor >= 1
                and traits.memory >= 1
                and (traits.radius is None or traits.radius >= 0)
            )
        except (TypeError, ValueError):
            sound = False
        if not sound:
            raise ModelError(f"metadata {METADATA_KEY!r}: cannot be understood: {text[:80]!r}")
        return traits
