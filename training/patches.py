"""Random pairs of small and large patches, from pictures at several sizes, for several factors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import photographs
import torch
from numpy.typing import NDArray
from torch import Tensor

from sr_ops.imaging.evaluation import degrade

#: Each photograph is used at these sizes.
SIZES = (1.0, 0.8, 0.65, 0.5)
MIXTURES = 2  # of the colour channels, for each size
LUMA_SHARE = 0.5  # of a colour photograph's patches; the rest are channels and mixtures
GENERATED_SHARE = 0.2  # of all patches
CANDIDATES = 2
TRIES = 4  # to find a patch that is not blurred
DULL = 1.5  # levels between neighbours, on average: less is out of focus, or sky
SMALLEST = 200  # pixels, of a picture's shorter side


class Picture(NamedTuple):
    """Gray, (H, W) uint8, and how much of the patches shall come from it."""

    levels: NDArray[np.uint8]
    weight: float


def from_pack(pack: Mapping[str, NDArray[Any]], seed: int) -> list[Picture]:
    """Every photograph at every size, in several mixtures of its colour channels; and the rest."""
    random = np.random.default_rng(seed)
    taken, painted = [], []
    for name in pack:
        picture = pack[name]
        if picture.ndim == 2:
            painted.append(Picture(picture, 1.0))
        else:
            taken += list(_at_sizes(picture, random))
    return [*_sharing(taken, 1 - GENERATED_SHARE), *_sharing(painted, GENERATED_SHARE)]


def _at_sizes(photograph: NDArray[Any], random: np.random.Generator) -> Iterator[Picture]:
    is_gray = bool((photograph == photograph[..., :1]).all())
    for size in SIZES:
        picture = degrade(photograph, 1 / size)
        if min(picture.shape[:2]) < SMALLEST:
            return
        weight = math.sqrt(picture[..., 0].size)
        luma = photographs.to_gray(picture)
        if is_gray:
            yield Picture(luma, weight)
            continue
        yield Picture(luma, weight * LUMA_SHARE)
        mixtures = [*np.eye(3), *random.dirichlet(np.ones(3), MIXTURES)]
        for mixture in mixtures:
            gray = photographs.to_gray(picture, mixture)
            yield Picture(gray, weight * (1 - LUMA_SHARE) / len(mixtures))


def _sharing(pictures: Sequence[Picture], share: float) -> list[Picture]:
    total = sum(picture.weight for picture in pictures)
    return [Picture(levels, weight / total * share) for levels, weight in pictures]


class Patches:
    """Patches that depend on the seed and the step alone: turned, mirrored, paler and inverted."""

    def __init__(self, pictures: Sequence[Picture], factors: Sequence[float], seed: int) -> None:
        self.pairs = {r: [_pair(picture.levels, r) for picture in pictures] for r in factors}
        weights = np.array([picture.weight for picture in pictures])
        self.upto = np.cumsum(weights / weights.sum())
        self.seed = seed

    def draw(self, step: int, counts: Mapping[float, int], side: int) -> dict[float, list[Tensor]]:
        """Of every factor r, (n, 1, side, side) and (n, 1, r side, r side), float32 in 0..1.

        Args:
            step: of the training.
            counts: of patches, for each factor.
            side: of the small patches, a multiple of every factor's denominator.
        """
        random = np.random.default_rng((self.seed, step))
        return {r: self._batch(random, r, count, side) for r, count in counts.items()}

    def _batch(self, random: Any, factor: float, count: int, side: int) -> list[Tensor]:
        drawn = [self._one(random, factor, side) for _ in range(count)]
        return [torch.from_numpy(np.stack(part)[:, None]) for part in zip(*drawn, strict=True)]

    def _one(self, random: Any, factor: float, side: int) -> list[NDArray[np.float32]]:
        """The liveliest of a few: much of a photograph is smooth, and teaches nothing."""
        best, pair = -1.0, None
        for attempt in range(CANDIDATES * TRIES):
            candidate = self._any(random, factor, side)
            if (lively := liveliness(candidate[1])) > best:
                best, pair = lively, candidate
            if attempt + 1 >= CANDIDATES and best > DULL:
                break
        turns, mirror = random.integers(4), random.random() < 0.5
        contrast, brightness = _tone(random)
        return [_varied(patch, turns, mirror, contrast, brightness) for patch in pair or ()]

    def _any(self, random: Any, factor: float, side: int) -> tuple[NDArray[Any], NDArray[Any]]:
        while True:
            index = min(int(np.searchsorted(self.upto, random.random())), len(self.upto) - 1)
            small, large = self.pairs[factor][index]
            if min(small.shape) >= side:
                break
        p, q = Fraction(factor).as_integer_ratio()  # q small pixels lie where p large ones do
        top, left = (int(random.integers((n - side) // q + 1)) for n in small.shape)
        of_small = _square(small, q * top, q * left, side)
        return of_small, _square(large, p * top, p * left, side // q * p)


def _square(picture: NDArray[Any], top: int, left: int, side: int) -> NDArray[Any]:
    return picture[top : top + side, left : left + side]


def _pair(levels: NDArray[np.uint8], factor: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """The small picture and the large one, which has an exact multiple of its sides."""
    p = Fraction(factor).numerator
    height, width = (side // p * p for side in levels.shape)
    large = np.ascontiguousarray(levels[:height, :width])
    return degrade(large, factor), large


def liveliness(patch: NDArray[np.uint8]) -> float:
    """How much neighbours differ, in levels: the mean over both directions."""
    levels = patch.astype(np.int16)
    return float(sum(np.abs(np.diff(levels, axis=axis)).mean() for axis in (0, 1)) / 2)


def _tone(random: Any) -> tuple[float, float]:
    """A factor and what is added after it, such that 0..1 stays within 0..1."""
    if random.random() < 0.5:
        return 1, 0
    contrast = random.uniform(0.5, 1)
    brightness = random.uniform(0, 1 - contrast)
    invert = random.random() < 0.5
    return (-contrast, 1 - brightness) if invert else (contrast, brightness)


def _varied(
    patch: NDArray[np.uint8], turns: int, mirror: bool, contrast: float, brightness: float
) -> NDArray[np.float32]:
    patch = np.rot90(patch, turns)
    patch = patch[:, ::-1] if mirror else patch
    return patch * np.float32(contrast / 255) + np.float32(brightness)
