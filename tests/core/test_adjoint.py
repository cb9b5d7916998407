"""The adjoint is the transpose of the operator: <A x, y> = <x, A' y>."""

from __future__ import annotations

import dataclasses

import numpy as np
from cases import assert_same_bits, random_array, random_cases
from native import FUSED_TARGETS, resample, target

from sr_ops import reference


def test_inner_products_agree() -> None:
    for case in random_cases(150, seed=10, dtypes=("float64",)):
        x = case.array()
        y = random_array(np.random.default_rng(case.seed + 1), case.out_shape, "float64")
        for name in FUSED_TARGETS:
            with target(name):
                forward = resample(case, x)
                backward = resample(case, y, adjoint=True)
            # Cancellation may make the product itself small: compare with what was summed.
            magnitude = np.abs(forward * y).sum() + np.abs(x * backward).sum()
            assert abs((forward * y).sum() - (x * backward).sum()) <= 1e-12 * magnitude, (
                name,
                case,
            )


def test_it_is_the_transpose_of_the_reference_matrix() -> None:
    kinds = ("everyday", "narrow", "prime", "shrunk")  # whose matrices are small
    for drawn in random_cases(150, seed=11, kinds=kinds, dtypes=("float64",)):
        case = dataclasses.replace(drawn, shape=(1, 1, *drawn.shape[2:]))
        height, width = case.shape[2:]
        out_height, out_width, scale_h, scale_w = case.geometry
        rows = reference.axis_matrix(height, out_height, scale_h, **case.attributes)
        columns = reference.axis_matrix(width, out_width, scale_w, **case.attributes)
        y = case.array(case.out_shape)
        expected = rows.T @ y @ columns
        # Weights blow up where exclude_outside normalises a sum near zero (an unusual a).
        gain = np.abs(rows.T).sum(1).max() * np.abs(columns.T).sum(1).max()
        for name in FUSED_TARGETS:
            with target(name):
                actual = resample(case, y, adjoint=True)
            error = np.abs(actual - expected).max()
            assert error <= 1e-14 * gain * max(out_height, out_width) * np.abs(y).max(), (
                name,
                case,
            )


def test_float32_adjoint_is_accurate() -> None:
    for case in random_cases(150, seed=12, dtypes=("float32",)):
        y = case.array(case.out_shape)
        wide = dataclasses.replace(case, dtype="float64")
        with target("SCALAR"):
            exact = resample(wide, y.astype(np.float64), adjoint=True)
            # What the magnitudes alone would sum up to bounds the rounding errors.
            bound = resample(wide, np.abs(y).astype(np.float64), adjoint=True)
        limit = 4e-6 * max(np.abs(bound).max(), np.abs(y).max())
        for name in FUSED_TARGETS:
            with target(name):
                actual = resample(case, y, adjoint=True)
            assert np.abs(actual - exact).max() <= limit, (name, case)


def test_rows_summed_by_the_adjoint_do_not_depend_on_the_batch() -> None:
    for case in random_cases(40, seed=13, dtypes=("float32",)):
        y = case.array(case.out_shape)
        for name in FUSED_TARGETS:
            with target(name):
                together = resample(case, y, adjoint=True, threads=3)
                alone = [resample(case, image[np.newaxis], adjoint=True) for image in y]
            assert_same_bits(together, np.concatenate(alone), (name, case))
