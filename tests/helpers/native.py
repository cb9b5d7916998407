"""The core as the tests drive it: through numpy's native call, everything explicit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from cases import Case
from numpy.typing import NDArray

import sr_ops
from sr_ops import _arguments, _native

Array = NDArray[Any]

DTYPE_NAMES = ("float32", "float64", "float16", "bfloat16", "uint8", "int8", "uint16")


def empty(shape: tuple[int, int, int, int], dtype: np.dtype[Any], layout: str) -> Array:
    """(N, C, H, W) in axis order, lying in memory as ``layout`` says."""
    if layout == "NCHW":
        return np.empty(shape, dtype)
    batch, channels, height, width = shape
    return np.empty((batch, height, width, channels), dtype).transpose(0, 3, 1, 2)


def resample(
    case: Case,
    source: Array,
    *,
    adjoint: bool = False,
    layout: str = "NCHW",
    threads: int = 1,
    out: Array | None = None,
) -> Array:
    """Apply the case's operator, or its adjoint, to (N, C, H, W) ``source``."""
    out_height, out_width, scale_h, scale_w = case.geometry
    extents = case.shape[2:] if adjoint else (out_height, out_width)
    if out is None:
        out = empty((*source.shape[:2], *extents), source.dtype, layout)
    _native.resample(
        source,
        out,
        DTYPE_NAMES.index(source.dtype.name),
        scale_h,
        scale_w,
        _arguments.parse_mode(case.coordinate_transformation_mode),
        case.cubic_coeff_a,
        case.antialias,
        case.exclude_outside,
        adjoint,
        threads,
    )
    return out


@contextmanager
def target(name: str) -> Iterator[None]:
    """Run on one instruction set, and be sure of it."""
    before = _native.chosen_target()
    sr_ops.numpy._choose_target(name)
    try:
        assert sr_ops.native_info()["target"] == name
        yield
    finally:
        sr_ops.numpy._choose_target(before)


#: Without a fused multiply-add there is no bit-identity to promise.
FUSED_TARGETS = tuple(name for name in _native.available_targets() if not name.startswith("SSE"))

#: Those without one as well: they must be as careful with memory, and as accurate.
ALL_TARGETS = tuple(_native.available_targets())
