"""Pictures without a meaning."""

from __future__ import annotations

from typing import Any

import numpy as np


def noise(*shape: int, dtype: Any = np.uint8) -> Any:
    """Every value of an integer dtype, or 0..1, as likely as any other."""
    rng = np.random.default_rng(0)
    if np.dtype(dtype).kind == "f":
        return rng.random(shape).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, endpoint=True).astype(dtype)
