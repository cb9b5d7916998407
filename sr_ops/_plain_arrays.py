"""What a caller passes as an array, as one of numpy's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sr_ops._masked import refuse_masked
from sr_ops.errors import InvalidArgumentError

__all__ = ["plain_array"]


def plain_array(argument: str, value: ArrayLike) -> NDArray[Any]:
    """An array, or what numpy makes of lists of numbers, of whatever element type.

    Raises:
        InvalidArgumentError: rows of different lengths, or a list that holds itself.
        InvalidTypeError: a masked array, or a list that holds one.

    >>> plain_array("array", [[1, 2]]).shape
    (1, 2)
    """
    try:
        refuse_masked(argument, value)
        return np.asarray(value)
    except (ValueError, RecursionError) as error:
        raise InvalidArgumentError(
            f"{argument}: got a {type(value).__name__} that is no array: "
            f"{str(error).splitlines()[0][:200]}"
        ) from error
