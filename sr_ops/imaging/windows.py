"""The operator for a window of its output: what a tile needs, with the phase that the whole has.

A crop cannot be upscaled by itself: its first pixel would get phase zero. Here the matrices of the
two axes are cut instead, in double precision, from the formulas of the operator's contract.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Axis", "AxisWindow", "cut", "resample"]

Planes = NDArray[np.float32]

_BAND = 16  # outputs; small enough that BLAS starts no threads for a product


class Axis(NamedTuple):
    """How one axis is resampled, as a whole; half_pixel coordinates.

    Attributes:
        source: elements before.
        target: elements after.
        scale: of the coordinate transformation.
        cubic_coeff_a, antialias, exclude_outside: as the operator has them.
    """

    source: int
    target: int
    scale: float
    cubic_coeff_a: float = -0.75
    antialias: bool = False
    exclude_outside: bool = False


class AxisWindow(NamedTuple):
    """A run of output elements, the run of source elements they need, and the weights.

    Attributes:
        start, stop: of the source's elements.
        matrix: (outputs, stop - start) float64.
    """

    start: int
    stop: int
    matrix: NDArray[np.float64]


def cut(axis: Axis, first: int, last: int) -> AxisWindow:
    """The weights of outputs ``first`` to ``last - 1``.

    >>> cut(Axis(source=100, target=200, scale=2.0), 50, 52)[:2]
    (23, 28)
    """
    outputs = np.arange(first, last)
    stretch = min(axis.scale, 1.0) if axis.antialias else 1.0
    centres = (outputs + 0.5) / axis.scale - 0.5
    reach = math.ceil(2 / stretch)
    taps = np.floor(centres).astype(np.int64)[:, None] + np.arange(1 - reach, reach + 1)
    weights = _keys((centres[:, None] - taps) * stretch, float(np.float32(axis.cubic_coeff_a)))
    if axis.exclude_outside:
        weights[(taps < 0) | (taps >= axis.source)] = 0
    if axis.exclude_outside or stretch < 1:
        weights /= weights.sum(axis=1, keepdims=True)
    taps = taps.clip(0, axis.source - 1)
    start, stop = int(taps.min()), int(taps.max()) + 1
    matrix = np.zeros((len(outputs), stop - start))
    np.add.at(matrix, (np.arange(len(outputs))[:, None], taps - start), weights)
    return AxisWindow(start, stop, matrix)


def resample(planes: Planes, rows: AxisWindow, columns: AxisWindow) -> Planes:
    """(C, h, w), exactly the source elements of both windows, to (C, outputs, outputs)."""
    upright = np.empty((len(planes), len(rows.matrix), planes.shape[2]))
    for outputs, used, weights in _bands(rows.matrix):
        upright[:, outputs] = weights @ planes[:, used].astype(np.float64)
    result = np.empty((*upright.shape[:2], len(columns.matrix)), np.float32)
    for outputs, used, weights in _bands(columns.matrix):
        result[:, :, outputs] = upright[:, :, used] @ weights.T
    return result


def _bands(matrix: NDArray[np.float64]) -> Iterator[tuple[slice, slice, NDArray[np.float64]]]:
    """A few outputs at a time, the source elements they use, their weights; the rest is zero."""
    for first in range(0, len(matrix), _BAND):
        band = matrix[first : first + _BAND]
        used = np.flatnonzero(band.any(axis=0))
        run = slice(int(used[0]), int(used[-1]) + 1)
        yield slice(first, first + len(band)), run, band[:, run]


def _keys(x: NDArray[np.float64], a: float) -> NDArray[np.float64]:
    """Keys' cubic convolution kernel."""
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))
