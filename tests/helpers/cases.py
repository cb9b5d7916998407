"""Random problems that every front end's tests share: deterministic, and crowded at the edges.

``SR_OPS_TEST_MULTIPLIER=20 pytest …`` runs twenty times as many of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from sr_ops import _arguments, reference

Array = NDArray[Any]

DTYPES = ("float32", "float64", "float16", "bfloat16", "uint8", "int8")
#: Those of arrays; uint16 is a dtype of pictures, not of tensors.
ARRAY_DTYPES = (*DTYPES, "uint16")
MODES = _arguments.COORDINATE_TRANSFORMATION_MODES

#: What people ask for, and what no binary fraction expresses.
COMMON_SCALES = (0.5, 1 / 3, 0.75, 1.0, 1.1, 1.25, 1.4, 1.5, 1.75, 2.0, 2.7, 3.0, 4.0, 8.0)
PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 97, 131)


def multiplied(count: int) -> int:
    """``count``, times the environment variable ``SR_OPS_TEST_MULTIPLIER``."""
    return max(1, round(count * float(os.environ.get("SR_OPS_TEST_MULTIPLIER", "1"))))


def numpy_dtype(name: str) -> np.dtype[Any]:
    """The dtype of that name; bfloat16 from ml_dtypes."""
    return np.dtype(ml_dtypes.bfloat16) if name == "bfloat16" else np.dtype(name)


@dataclass(frozen=True)
class Case:
    """One problem. ``repr`` gives code that makes it again."""

    shape: tuple[int, int, int, int]  # N, C, H, W
    scale: tuple[float, float] | None
    size: tuple[int, int] | None
    dtype: str
    coordinate_transformation_mode: str
    cubic_coeff_a: float
    antialias: bool
    exclude_outside: bool
    values: str  # "natural", "signs" or "special": see array()
    seed: int
    rounding: str = "exact"

    @property
    def attributes(self) -> dict[str, Any]:
        """The keywords that every front end takes."""
        rounding = {} if self.rounding == "exact" else {"rounding": self.rounding}
        return {
            "coordinate_transformation_mode": self.coordinate_transformation_mode,
            "cubic_coeff_a": self.cubic_coeff_a,
            "antialias": self.antialias,
            "exclude_outside": self.exclude_outside,
            **rounding,
        }

    @property
    def keywords(self) -> dict[str, Any]:
        """``scale`` or ``size``, and the attributes."""
        target = {"scale": self.scale} if self.size is None else {"size": self.size}
        return {**target, **self.attributes}

    @property
    def geometry(self) -> tuple[int, int, float, float]:
        """(out_height, out_width, scale_h, scale_w)."""
        return _arguments.resolve(self.shape[2], self.shape[3], self.scale, self.size)

    @property
    def out_shape(self) -> tuple[int, int, int, int]:
        return (*self.shape[:2], *self.geometry[:2])

    def array(self, shape: tuple[int, ...] | None = None) -> Array:
        """The input, (N, C, H, W) and contiguous; or other values of the same kind."""
        rng = np.random.default_rng(self.seed)
        return random_array(rng, shape or self.shape, self.dtype, self.values)

    def expected(self) -> NDArray[np.float64]:
        """The float64 result, neither rounded nor clamped."""
        return reference.dynamic_upscale(self.array().astype(np.float64), **self.keywords)


def random_array(
    rng: np.random.Generator, shape: Sequence[int], dtype: str, values: str = "natural"
) -> Array:
    """Values of one kind.

    natural: of either sign, magnitudes that differ by image; integers over their whole range.
    signs: plus and minus one, the worst case for cancellation; integers at their two ends.
    special: natural, sprinkled with both zeros, subnormals, huge values, infinities and NaN.
    """
    target = numpy_dtype(dtype)
    if target.kind in "iu":
        limits = np.iinfo(target)
        if values == "signs":
            return rng.choice(np.array([limits.min, limits.max], target), shape)
        return rng.integers(limits.min, limits.max, shape, target, endpoint=True)
    if values == "signs":
        return rng.choice(np.array([-1.0, 1.0]), shape).astype(target)
    natural = rng.uniform(-1.0, 1.0, shape) * 10.0 ** rng.integers(-3, 4)
    if values == "special":
        limits = ml_dtypes.finfo(target)
        tiny, most = float(limits.smallest_subnormal), float(limits.max)
        special = [0.0, -0.0, tiny, -7 * tiny, float(limits.tiny), most, -most, np.inf, -np.inf]
        chosen = rng.choice(np.array([*special, np.nan]), shape)
        natural = np.where(rng.random(shape) < 0.05, chosen, natural)
    return natural.astype(target)


def _random_scale(rng: np.random.Generator) -> float:
    if rng.random() < 0.5:
        return float(rng.choice(COMMON_SCALES))
    return float(np.exp(rng.uniform(np.log(0.3), np.log(8.0))))


def _pair_of_scales(rng: np.random.Generator) -> tuple[float, float]:
    vertical = _random_scale(rng)
    return vertical, vertical if rng.random() < 0.5 else _random_scale(rng)


def _everyday(rng: np.random.Generator) -> dict[str, Any]:
    height, width = (int(v) for v in rng.integers(1, 71, 2))
    return {"shape": (int(rng.integers(1, 4)), int(rng.integers(1, 5)), height, width)}


def _narrow(rng: np.random.Generator) -> dict[str, Any]:
    """Rows shorter than a few vectors, where kernels have their special paths."""
    width, height = int(rng.integers(1, 41)), int(rng.integers(1, 12))
    scale = (_random_scale(rng), float(rng.choice((*range(1, 7), 1.5, 2.7, 1.1))))
    return {"shape": (1, int(rng.integers(1, 4)), height, width), "scale": scale}


def _prime(rng: np.random.Generator) -> dict[str, Any]:
    height, width = (int(v) for v in rng.choice(PRIMES, 2))
    size = tuple(int(v) for v in rng.choice(PRIMES, 2))
    target = {"size": size} if rng.random() < 0.5 else {}
    return {"shape": (1, int(rng.choice((1, 2, 3))), height, width), **target}


def _enlarged(rng: np.random.Generator) -> dict[str, Any]:
    height, width = (int(v) for v in rng.integers(1, 9, 2))
    scale = (float(rng.uniform(1, 20)), float(np.exp(rng.uniform(np.log(8), np.log(300)))))
    return {"shape": (1, 1, height, width), "scale": scale}


def _wide(rng: np.random.Generator) -> dict[str, Any]:
    height, width = int(rng.integers(1, 6)), int(rng.integers(500, 3000))
    return {"shape": (1, 1, height, width), "scale": (1.0, float(rng.uniform(0.2, 2.5)))}


def _panoramic(rng: np.random.Generator) -> dict[str, Any]:
    """Rows that no near cache holds, worked off in pieces; or one output from very many pixels."""
    height, width = int(rng.integers(1, 3)), int(np.exp(rng.uniform(np.log(3e3), np.log(6e4))))
    longest = int(rng.choice((8, 200, 20000)))
    size = (int(rng.integers(1, 4)), int(rng.integers(1, longest)))
    return {"shape": (1, int(rng.integers(1, 3)), height, width), "size": size}


def _shrunk(rng: np.random.Generator) -> dict[str, Any]:
    """Far below 0.3: with antialias, hundreds of taps."""
    height, width = (int(v) for v in rng.integers(1, 160, 2))
    size = (int(rng.integers(1, 1 + height)), int(rng.integers(1, 1 + width // 4 + 1)))
    return {"shape": (1, int(rng.choice((1, 3))), height, width), "size": size}


def _thumbnail(rng: np.random.Generator) -> dict[str, Any]:
    """Both axes shrink: rows of several vectors; factors whose windows meet at whole pixels."""
    height, width = (int(v) for v in rng.integers(8, 180, 2))
    if rng.random() < 0.5:
        by = [int(v) for v in rng.choice((2, 3, 4, 5, 7), 2)]
        size = (max(1, height // by[0]), max(1, width // by[1]))
        height, width = size[0] * by[0], size[1] * by[1]
    else:
        size = (int(rng.integers(1, 1 + height)), int(rng.integers(1, 1 + width)))
    channels = int(rng.choice((1, 2, 3, 3, 4, 5, 9)))
    return {"shape": (int(rng.integers(1, 3)), channels, height, width), "size": size}


def _deep(rng: np.random.Generator) -> dict[str, Any]:
    """Many channels: in NHWC, pixels longer than a vector."""
    height, width = (int(v) for v in rng.integers(1, 20, 2))
    return {"shape": (int(rng.integers(1, 3)), int(rng.integers(1, 80)), height, width)}


_KINDS = {
    "everyday": _everyday,
    "narrow": _narrow,
    "prime": _prime,
    "enlarged": _enlarged,
    "wide": _wide,
    "panoramic": _panoramic,
    "shrunk": _shrunk,
    "thumbnail": _thumbnail,
    "deep": _deep,
}
KINDS = tuple(_KINDS)
#: All but the one that takes a moment.
QUICK_KINDS = tuple(kind for kind in KINDS if kind != "panoramic")


def random_case(
    rng: np.random.Generator,
    *,
    kinds: Sequence[str] = QUICK_KINDS,
    dtypes: Sequence[str] = DTYPES,
    values: Sequence[str] = ("natural", "signs"),
) -> Case:
    """One problem with at least one pixel on each output axis."""
    while True:
        drawn = _KINDS[str(rng.choice(kinds))](rng)
        # Each attribute is at its default half of the time, so that pairs of them are met, too.
        plain = rng.random(4) < 0.5
        case = Case(
            shape=drawn["shape"],
            scale=None if "size" in drawn else drawn.get("scale", _pair_of_scales(rng)),
            size=drawn.get("size"),
            dtype=str(rng.choice(dtypes)),
            coordinate_transformation_mode="half_pixel" if plain[0] else str(rng.choice(MODES)),
            cubic_coeff_a=-0.75 if plain[1] else float(rng.choice((-0.5, -1.0, 0.0, 0.3))),
            antialias=not plain[2],
            exclude_outside=not plain[3],
            values=str(rng.choice(values)),
            seed=int(rng.integers(2**32)),
        )
        _, _, height, width = case.shape
        if case.scale is None or (
            _arguments.output_size(height, case.scale[0]) >= 1
            and _arguments.output_size(width, case.scale[1]) >= 1
        ):
            return case


def random_cases(count: int, seed: int, **choices: Any) -> Iterator[Case]:
    """``multiplied(count)`` problems; ``choices`` as for ``random_case``."""
    rng = np.random.default_rng(seed)
    for _ in range(multiplied(count)):
        yield random_case(rng, **choices)


def same_bits(a: Array, b: Array) -> bool:
    """Equal bit for bit, so that 0.0 differs from -0.0; any NaN equals any other."""
    return a.dtype == b.dtype and a.shape == b.shape and not _different(a, b).any()


def _different(a: Array, b: Array) -> NDArray[np.bool_]:
    bits = np.dtype(f"u{a.dtype.itemsize}")
    differ = np.ascontiguousarray(a).view(bits) != np.ascontiguousarray(b).view(bits)
    if a.dtype.kind not in "iu":
        differ &= ~(np.isnan(a) & np.isnan(b))
    return np.asarray(differ)


def assert_same_bits(actual: Array, expected: Array, context: object) -> None:
    """Like same_bits, with a message that says where and how far apart."""
    assert actual.dtype == expected.dtype and actual.shape == expected.shape, context
    differ = _different(actual, expected)
    if not differ.any():
        return
    places = np.argwhere(differ)
    where = tuple(places[0])
    along_axes = [sorted({int(i) for i in indices})[:12] for indices in places.T]
    raise AssertionError(
        f"{len(places)} of {differ.size} elements differ, at first {where}: "
        f"{actual[where]!r} is not {expected[where]!r}; indices along each axis: {along_axes}\n"
        f"{context}"
    )
