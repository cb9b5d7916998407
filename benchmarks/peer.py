"""What the benchmark knows of a peer: a problem, and one resampler at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from measure import Contender, aligned_empty

from sr_ops import reference


class MissingPeerError(Exception):
    """A peer that is not installed; the message says what brings it."""


class RefusedError(Exception):
    """A peer that does not do this problem."""


@dataclass
class Peer:
    """One resampler at one problem: what is timed, and the last result, (H, W, C)."""

    run: Contender
    result: Callable[[], np.ndarray]


@dataclass(frozen=True)
class Definition:
    """Whose kernel a result is: the coefficient, and whether shrinking stretches it."""

    a: float
    antialias: bool
    exclude_outside: bool

    def __str__(self) -> str:
        inside = ", inside" if self.exclude_outside else ""
        return f"a = {self.a}{', antialiased' if self.antialias else ''}{inside}"


class Problem:
    """Three channels and the size that they get; ``planar``: as planes, otherwise as pixels.

    Peers that have a choice get the coefficient of Pillow where antialias is asked for, and that of
    torch elsewhere.
    """

    def __init__(
        self, planes: np.ndarray, size: tuple[int, int], planar: bool, antialias: bool, avx2: bool
    ) -> None:
        self.size, self.planar, self.antialias, self.avx2 = size, planar, antialias, avx2
        self.dtype = planes.dtype
        self.height, self.width = planes.shape[1:]
        self._planes = planes
        self.a = -0.5 if antialias else -0.75

    @property
    def shrinks(self) -> bool:
        return self.size[0] < self.height or self.size[1] < self.width

    def planes(self) -> np.ndarray:
        """(3, H, W), rows of whole cache lines."""
        planes = padded_planes(self.height, self.width, self.dtype)
        planes[...] = self._planes
        return planes

    def pixels(self) -> np.ndarray:
        """(H, W, 3)."""
        pixels = aligned_empty((self.height, self.width, 3), self.dtype)
        pixels[...] = self._planes.transpose(1, 2, 0)
        return pixels

    def pictures(self) -> list[np.ndarray]:
        """In the problem's layout: three planes, or one of pixels."""
        return list(self.planes()) if self.planar else [self.pixels()]

    def results(self) -> list[np.ndarray]:
        """Room for the results of ``pictures``."""
        if self.planar:
            return list(padded_planes(*self.size, self.dtype))
        return [aligned_empty((*self.size, 3), self.dtype)]

    def as_pixels(self, results: list[np.ndarray]) -> np.ndarray:
        return np.stack(results, axis=2) if self.planar else results[0]

    # ---- what is right ------------------------------------------------------------------------

    @cached_property
    def _definitions(self) -> dict[Definition, np.ndarray]:
        """Float64 results of every kernel that a peer may have, on some rows."""
        return {
            Definition(a, antialias, inside): self._exact(Definition(a, antialias, inside))
            for a in (-0.5, -0.6, -0.75)
            for antialias in ((False, True) if self.shrinks else (False,))
            for inside in (False, True)
        }

    @property
    def _rows(self) -> slice:
        return slice(None, None, max(1, self.size[0] // 24))

    def _exact(self, definition: Definition) -> np.ndarray:
        keywords = {
            "cubic_coeff_a": definition.a,
            "antialias": definition.antialias,
            "exclude_outside": definition.exclude_outside,
        }
        (height, width), (out_height, out_width) = (self.height, self.width), self.size
        rows = reference.axis_matrix(height, out_height, out_height / height, **keywords)
        rows = rows[self._rows]
        used = rows.any(axis=0)
        columns = reference.axis_matrix(width, out_width, out_width / width, **keywords)
        source = self._planes[:, used].astype(np.float64)
        return np.einsum("cow->owc", (rows[:, used] @ source) @ columns.T)

    def judged(self, result: np.ndarray) -> dict[str, Any]:
        """Whose kernel a result is, and how far from it: of uint8 the part of the levels that are
        not the rounded ones, elsewhere the greatest difference. (The kernel is the one with the
        smallest mean difference.)"""
        some = result[self._rows].astype(np.float64)
        levels = self.dtype == np.uint8

        def distance(exact: np.ndarray) -> np.ndarray:
            return np.abs(some - (np.clip(exact, 0, 255) if levels else exact))

        found = min(self._definitions, key=lambda d: distance(self._definitions[d]).mean())
        exact = self._definitions[found]
        if levels:
            wrong = float((some != np.rint(np.clip(exact, 0, 255))).mean())
            return {"kernel": str(found), "wrong": wrong}
        return {"kernel": str(found), "difference": float(distance(exact).max())}


def padded_planes(height: int, width: int, dtype: Any) -> np.ndarray:
    """(3, height, width), rows of whole cache lines."""
    line = 64 // np.dtype(dtype).itemsize
    return aligned_empty((3, height, -(-width // line) * line), dtype)[:, :, :width]
