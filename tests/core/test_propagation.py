"""NaN and infinity reach exactly the outputs whose taps touch them, and change no other bit.

A vector kernel that multiplies a neighbour by a zero weight, because its table is padded, fails
here.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from cases import Case, assert_same_bits, random_cases
from native import FUSED_TARGETS, Array, resample, target
from numpy.typing import NDArray

from sr_ops import reference

Mask = NDArray[np.bool_]


def _touched(n_in: int, n_out: int, scale: float, case: Case) -> Mask:
    """(n_out, n_in): which source indices each output reads, zero weights included."""
    centres = reference.source_coordinates(n_in, n_out, scale, case.coordinate_transformation_mode)
    touched = np.zeros((n_out, n_in), bool)
    stretched = case.antialias and scale < 1
    for row, centre in enumerate(centres):
        if stretched:
            taps = np.arange(np.floor(centre - 2 / scale) + 1, np.ceil(centre + 2 / scale))
            if case.exclude_outside:
                taps = taps[(taps >= 0) & (taps < n_in)]
        else:
            taps = np.floor(centre) + np.arange(-1, 3)
        touched[row, np.clip(taps, 0, n_in - 1).astype(int)] = True
    return touched


def _runs(touched: Mask) -> Mask:
    """The adjoint reads runs without holes: every output between the first and the last."""
    forward = np.logical_or.accumulate(touched, axis=1)
    backward = np.logical_or.accumulate(touched[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(forward & backward)


def _axes(case: Case, adjoint: bool) -> tuple[Mask, Mask]:
    out_height, out_width, scale_h, scale_w = case.geometry
    rows = _touched(case.shape[2], out_height, scale_h, case)
    columns = _touched(case.shape[3], out_width, scale_w, case)
    return (_runs(rows.T), _runs(columns.T)) if adjoint else (rows, columns)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("adjoint", [False, True])
def test_one_value_that_is_not_finite(
    adjoint: bool, value: float, rng: np.random.Generator
) -> None:
    kinds = ("everyday", "narrow", "prime", "shrunk")
    for drawn in random_cases(60, seed=6, kinds=kinds, dtypes=("float32", "float64", "float16")):
        case = dataclasses.replace(drawn, shape=(1, 2, *drawn.shape[2:]))
        rows, columns = _axes(case, adjoint)
        clean: Array = case.array(case.out_shape if adjoint else None)
        y, x = (int(rng.integers(extent)) for extent in clean.shape[2:])
        dirty = clean.copy()
        dirty[0, 1, y, x] = value
        reached = np.zeros((1, 2, rows.shape[0], columns.shape[0]), bool)
        reached[0, 1] = np.outer(rows[:, y], columns[:, x])
        for name in FUSED_TARGETS:
            for layout in ("NCHW", "NHWC"):
                with target(name):
                    before = resample(case, clean, adjoint=adjoint, layout=layout)
                    after = resample(case, dirty, adjoint=adjoint, layout=layout)
                context = f"{name}, {layout}, adjoint={adjoint}, {value} at {y}, {x}\n{case}"
                np.testing.assert_array_equal(~np.isfinite(after), reached, context)
                assert_same_bits(after[~reached], before[~reached], context)
