"""numpy's masked arrays: what is masked in them is no pixel, and must not become one unseen."""

from __future__ import annotations

import sys
from typing import Any

from sr_ops.errors import InvalidTypeError

__all__ = ["refuse_masked"]


def refuse_masked(argument: str, value: Any) -> None:
    """Raise where a value is a masked array, or a list that holds one.

    Raises:
        InvalidTypeError: it is. Resampling does not know masks, and would read what is under one.

    >>> refuse_masked("array", [[1, 2]])
    """
    masked_arrays = sys.modules.get("numpy.ma")
    if masked_arrays is not None and _holds(value, masked_arrays.MaskedArray):
        raise InvalidTypeError(
            f"{argument}: got a masked array, whose mask would be lost; pass {argument}.filled(v) "
            "with the value v for what is masked, or .data for what lies under the mask"
        )


def _holds(value: Any, kind: type) -> bool:
    if isinstance(value, (list, tuple)):
        return any(_holds(each, kind) for each in value)
    return isinstance(value, kind)
