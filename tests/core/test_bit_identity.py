"""The same input gives the same bits: on every instruction set, any threads, either layout.

SCALAR, plain C++ with std::fma, is the arithmetic's specification.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from cases import ARRAY_DTYPES, KINDS, QUICK_KINDS, Case, assert_same_bits, random_cases
from native import FUSED_TARGETS, Array, empty, resample, target

LAYOUTS = ("NCHW", "NHWC")
FLOATING = ("float32", "float64", "float16", "bfloat16")


def _specified(case: Case, source: Array, adjoint: bool) -> Array:
    with target("SCALAR"):
        return resample(case, source, adjoint=adjoint)


def _check_every_way(case: Case, adjoint: bool, rng: np.random.Generator) -> None:
    source = case.array(case.out_shape if adjoint else None)
    expected = _specified(case, source, adjoint)
    for name in FUSED_TARGETS:
        for layout in LAYOUTS:
            # Source and destination lie alike, as in front ends' fast paths; see below for others.
            like = empty(source.shape, source.dtype, layout)
            like[:] = source
            threads = int(rng.integers(1, 9))
            with target(name):
                actual = resample(case, like, adjoint=adjoint, layout=layout, threads=threads)
            context = f"{name}, {layout}, threads={threads}, adjoint={adjoint}\n{case}"
            assert_same_bits(actual, expected, context)


def _count(usual: int, kind: str) -> int:
    return usual if kind in QUICK_KINDS else 8


@pytest.mark.parametrize("dtype", ARRAY_DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_forward(kind: str, dtype: str, rng: np.random.Generator) -> None:
    for case in random_cases(_count(25, kind), seed=1, kinds=(kind,), dtypes=(dtype,)):
        _check_every_way(case, False, rng)


@pytest.mark.parametrize("dtype", FLOATING)
@pytest.mark.parametrize("kind", KINDS)
def test_adjoint(kind: str, dtype: str, rng: np.random.Generator) -> None:
    for case in random_cases(_count(15, kind), seed=2, kinds=(kind,), dtypes=(dtype,)):
        _check_every_way(case, True, rng)


@pytest.mark.parametrize("adjoint", [False, True])
def test_zeros_infinities_and_nan(adjoint: bool, rng: np.random.Generator) -> None:
    for case in random_cases(150, seed=3, dtypes=FLOATING, values=("special",)):
        _check_every_way(case, adjoint, rng)


def test_every_width_at_every_common_scale(rng: np.random.Generator) -> None:
    for width in range(1, 41):
        for scale in (0.5, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 2.7, 3.0, 4.0, 5.0):
            if int(np.float32(width) * np.float32(scale)) < 1:
                continue
            case = Case(
                (1, 1, 3, width), (2.0, scale), None, "float32", "half_pixel", -0.75, False, False,
                "natural", width,
            )  # fmt: skip
            _check_every_way(case, False, rng)
            _check_every_way(case, True, rng)


@pytest.mark.parametrize("channels", [3, 4])
def test_pictures_of_every_width(channels: int, rng: np.random.Generator) -> None:
    """Interleaved bytes, which are taken apart into planes and put together a pack at a time."""
    widths = [*range(1, 70, 3), 127, 128, 129, 1366, 2731, 5500]
    for width, scale in itertools.product(widths, (1.0, 1.3, 2.0, 2.7, 4.0)):
        case = Case(
            (1, channels, 4, width), (scale, scale), None, "uint8", "half_pixel", -0.75, False,
            False, "natural", width,
        )  # fmt: skip
        _check_every_way(case, False, rng)


@pytest.mark.parametrize("dtype", ARRAY_DTYPES)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_halves(channels: int, dtype: str, rng: np.random.Generator) -> None:
    """Rows wide enough to be halved, and an odd width; infinities reach no other window."""
    values = ("natural", "special") if dtype in FLOATING else ("natural",)
    for width, antialias, kind in itertools.product((771, 802), (False, True), values):
        case = Case(
            (1, channels, 22, width), (0.5, 0.5), None, dtype, "half_pixel", -0.5, antialias,
            antialias, kind, width,
        )  # fmt: skip
        _check_every_way(case, False, rng)


@pytest.mark.parametrize("adjoint", [False, True])
def test_any_strides_of_the_source(adjoint: bool, rng: np.random.Generator) -> None:
    """Reversed, spread, transposed and repeated: the values count, not where they lie."""
    dtypes = FLOATING if adjoint else ARRAY_DTYPES
    for case in random_cases(100, seed=4, dtypes=dtypes):
        source = case.array(case.out_shape if adjoint else None)
        expected = _specified(case, source, adjoint)
        for name in FUSED_TARGETS:
            for moved in _moved(source, rng):
                layout = str(rng.choice(LAYOUTS))
                with target(name):
                    actual = resample(case, moved, adjoint=adjoint, layout=layout, threads=2)
                context = f"{name}, {layout}, strides={moved.strides}, adjoint={adjoint}\n{case}"
                assert_same_bits(actual, expected, context)


def _moved(source: Array, rng: np.random.Generator) -> list[Array]:
    backwards = np.ascontiguousarray(source[:, ::-1, ::-1, ::-1])[:, ::-1, ::-1, ::-1]
    transposed = np.ascontiguousarray(source.swapaxes(2, 3)).swapaxes(2, 3)
    order = tuple(int(axis) for axis in rng.permutation(4))
    shuffled = np.ascontiguousarray(source.transpose(order)).transpose(np.argsort(order))
    spread = np.zeros(tuple(3 * extent for extent in source.shape), source.dtype)[
        1::3, ::3, ::3, 2::3
    ]
    spread[:] = source
    return [backwards, transposed, shuffled, spread]


def test_repeated_source_elements(rng: np.random.Generator) -> None:
    """Strides of 0, as torch.expand and numpy.broadcast_to make them."""
    for case in random_cases(40, seed=5):
        for axis in range(4):
            narrow = case.array()[(slice(None),) * axis + (slice(0, 1),)]
            source = np.broadcast_to(narrow, case.shape)
            expected = _specified(case, np.ascontiguousarray(source), False)
            for name in FUSED_TARGETS:
                with target(name):
                    actual = resample(case, source, threads=int(rng.integers(1, 4)))
                assert_same_bits(actual, expected, f"{name}, axis {axis} repeated\n{case}")


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_integers_round_half_to_even_and_clamp(dtype: str) -> None:
    """At scale 2 all weights are multiples of 1/256: float32 is exact, and halves do occur."""
    case = Case(
        (1, 3, 64, 64), (1.0, 2.0), None, dtype, "half_pixel", -0.75, False, False, "natural", 0
    )
    exact = case.expected()
    limits = np.iinfo(dtype)
    assert (exact % 1 == 0.5).sum() > 10
    assert (exact < limits.min).any() and (exact > limits.max).any()
    levels = np.clip(np.rint(exact), limits.min, limits.max).astype(dtype)
    for name in FUSED_TARGETS:
        for layout in LAYOUTS:
            with target(name):
                actual = resample(case, case.array(), layout=layout)
            assert_same_bits(actual, levels, f"{name}, {layout}")


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16"])
@pytest.mark.parametrize("a", [-50.0, 200.0, 1700.0, -4e4, 1e9, -1e30, 1e38])
def test_integers_clamp_from_far_beyond_their_range(
    a: float, dtype: str, rng: np.random.Generator
) -> None:
    """Past 2**15 and 2**31, where conversions by way of narrower integers wrap around."""
    for seed in range(4):
        for exclude_outside in (False, True):
            case = Case(
                (1, 3, 13, 21), None, (19, 40), dtype, "half_pixel", a, False, exclude_outside,
                "natural", seed,
            )  # fmt: skip
            _check_every_way(case, False, rng)


@pytest.mark.parametrize("dtype", ARRAY_DTYPES)
def test_an_image_at_its_own_size_is_copied(dtype: str) -> None:
    """At scale 1 the weights are 0, 1, 0, 0: finite values come back as they are."""
    for seed in range(8):
        case = Case(
            (2, 3, 9 + seed, 21), (1.0, 1.0), None, dtype, "half_pixel", -0.75, False, False,
            "natural", seed,
        )  # fmt: skip
        for name in FUSED_TARGETS:
            for layout in LAYOUTS:
                with target(name):
                    actual = resample(case, case.array(), layout=layout)
                np.testing.assert_array_equal(actual, case.array())
