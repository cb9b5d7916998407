"""How an exported file spells the operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sr_ops.errors import InvalidArgumentError
from sr_ops.onnx.operators.schema import SCALES_OP

__all__ = ["FILE_FLAVOURS", "FLAVOURS", "STANDARD_FLAVOURS", "check_flavour"]

#: The custom domain (with a node for scales and one for sizes), or the standard operator.
FLAVOURS = (SCALES_OP, "Resize")


#: Of standard operators alone: a Resize, or banded matrix products.
STANDARD_FLAVOURS = ("Resize", "MatMul")

#: What a finished file can hold; torch's exporters themselves write ``FLAVOURS``.
FILE_FLAVOURS = (*FLAVOURS, "MatMul")


def check_flavour(op: Any, flavours: Sequence[str] = FLAVOURS) -> None:
    """Raise InvalidArgumentError for what is not one of ``flavours``."""
    if op not in flavours:
        raise InvalidArgumentError(f"op: got {op!r}, expected one of {', '.join(flavours)}")
