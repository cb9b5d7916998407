"""Pictures of nothing in particular, to train on where photographs are few: dead leaves.

Shapes fall on one another, each hiding what lies below. With radii by a power law such a picture
has what photographs have at every size: edges, corners, lines, occlusions and flat surfaces.

Lee, Mumford, Huang, "Occlusion models for natural images", Int. J. Computer Vision 41, 2001;
Achddou, Gousseau, Ladjal, "Synthetic images as a regularity prior for image restoration neural
networks", SSVM 2021. Gray levels and textures are those of photographs.

    python training/generated_pictures.py FOLDER    writes six, to look at
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import photographs
from numpy.typing import NDArray
from skimage import draw, filters

from sr_ops import imaging
from sr_ops.imaging.evaluation import degrade

Image = NDArray[Any]
Random = np.random.Generator
#: Painted so many times larger, then shrunk: that makes edges as soft as a camera's.
OVERSAMPLING = 2
#: Leaves below this radius, in painted pixels, have neither texture nor shadow.
LARGE = 8


def pictures(count: int, side: int, sources: Sequence[Image], seed: int = 0) -> list[Image]:
    """``count`` times (side, side) uint8; the same for the same seed.

    Args:
        sources: gray uint8 photographs that lend their levels and textures.
    """
    seeds = np.random.SeedSequence(seed).spawn(count)
    return [picture(np.random.default_rng(s), side, sources) for s in seeds]


def picture(random: Random, side: int, sources: Sequence[Image]) -> Image:
    n = side * OVERSAMPLING
    canvas = np.full((n, n), 128.0, np.float32)
    levels = np.concatenate([source[::7, ::7].ravel() for source in sources])
    light = filters.gaussian(random.normal(size=(n // 16, n // 16)), n / 100)
    light *= 60 * (random.random() < 0.7) / light.std()
    liking = random.dirichlet(np.ones(len(OUTLINES)))  # of this picture, for every kind of leaf
    for radius in radii(random, n):
        outline = OUTLINES[random.choice(len(OUTLINES), p=liking)]
        y, x = random.uniform(0, n, 2)
        level = random.choice(levels) / 2 + 55 + light[int(y) // 16 - 1, int(x) // 16 - 1] / 2
        corners = np.array([[y], [x]]) + turned(random, outline(random, radius))
        paint(random, canvas, corners, level, sources)
    if random.random() < 0.3:  # out of focus
        canvas = filters.gaussian(canvas, random.uniform(0.5, 2), preserve_range=True)
    small = degrade(to_levels(canvas), OVERSAMPLING)
    noise = random.uniform(0.5, 3) * (random.random() < 0.4)
    return to_levels(small + noise * random.normal(size=small.shape))


def to_levels(values: Image) -> Image:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def radii(random: Random, n: int) -> Image:
    """By a power law, enough to cover the picture a few times; small leaves tend to fall last."""
    smallest, largest = OVERSAMPLING * np.exp(random.uniform(0.5, 2.5)), n / 4
    power = 1 - random.uniform(2.5, 3)
    drawn = random.uniform(largest**power, smallest**power, size=20_000) ** (1 / power)
    covered = np.cumsum(drawn**2 * np.pi / 2)
    drawn = drawn[: np.searchsorted(covered, random.uniform(2, 4) * n * n) + 1]
    return drawn[np.argsort(-drawn * np.exp(random.normal(size=len(drawn))))]


def paint(
    random: Random, canvas: Image, corners: Image, level: float, sources: Sequence[Image]
) -> None:
    ys, xs = draw.polygon(*corners, shape=canvas.shape)
    if len(ys) == 0:
        return
    top, left = ys.min(), xs.min()
    shape = int(ys.max() - top + 1), int(xs.max() - left + 1)
    if max(shape) < 2 * LARGE:
        canvas[ys, xs] = level
        return
    if random.random() < 0.3:
        cast_shadow(random, canvas, ys, xs)
    texture = TEXTURES[random.choice(len(TEXTURES), p=[0.3, 0.25, 0.25, 0.1, 0.1])]
    canvas[ys, xs] = level + texture(random, shape, sources)[ys - top, xs - left]


def cast_shadow(random: Random, canvas: Image, ys: Image, xs: Image) -> None:
    """Soft, and a few pixels beside the leaf that throws it."""
    blur, shift = random.uniform(2, 8), random.integers(-8, 9, 2)
    margin = int(3 * blur) + 8
    top, left = max(ys.min() - margin, 0), max(xs.min() - margin, 0)
    part = canvas[top : ys.max() + margin, left : xs.max() + margin]
    mask = np.zeros(part.shape, np.float32)
    y, x = ys - top + shift[0], xs - left + shift[1]
    inside = (y >= 0) & (y < mask.shape[0]) & (x >= 0) & (x < mask.shape[1])
    mask[y[inside], x[inside]] = random.uniform(0.2, 0.7)
    part *= 1 - filters.gaussian(mask, blur)


# Outlines: (2, points), around the origin.


def ellipse(random: Random, radius: float) -> Image:
    angle = np.linspace(0, 2 * np.pi, 12 + int(2 * np.sqrt(radius)), endpoint=False)
    return radius * np.stack([np.cos(angle), random.uniform(0.3, 1) * np.sin(angle)])


def polygon(random: Random, radius: float) -> Image:
    angle = np.sort(random.uniform(0, 2 * np.pi, random.integers(3, 8)))
    return radius * np.stack([np.cos(angle), np.sin(angle)])


def rectangle(random: Random, radius: float) -> Image:
    return radius * np.array([[-1, 1, 1, -1], [-1, -1, 1, 1]]) * [[1], [random.uniform(0.15, 1)]]


def blob(random: Random, radius: float) -> Image:
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    waves = [np.cos(k * angle + random.uniform(0, 2 * np.pi)) / k for k in range(2, 6)]
    return radius * (1 + 0.35 * random.normal(size=4) @ waves) * [np.cos(angle), np.sin(angle)]


def stroke(random: Random, radius: float) -> Image:
    """A bent line, as in hair, writing and wires; three times as long as other leaves."""
    t = np.linspace(-1, 1, 24)
    middle = np.stack([t, 0.5 * random.normal() * t**2 + 0.4 * random.normal() * t**3])
    along = np.gradient(middle, axis=1)
    across = np.stack([-along[1], along[0]]) / np.hypot(*along)
    width = max(random.uniform(0.01, 0.08), 0.3 / radius)
    if random.random() < 0.5:
        width = width * (1.05 - t**2)  # pointed
    return 3 * radius * np.hstack([middle + width * across, (middle - width * across)[:, ::-1]])


def turned(random: Random, outline: Image) -> Image:
    angle = random.uniform(0, 2 * np.pi)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]]) @ outline


OUTLINES: tuple[Callable[[Random, float], Image], ...] = (
    ellipse,
    polygon,
    rectangle,
    blob,
    stroke,
)

# Textures: (height, width), what is added to the leaf's level.
Shape = tuple[int, int]


def flat(random: Random, shape: Shape, sources: Sequence[Image]) -> Image:
    return np.zeros(shape)


def gradient(random: Random, shape: Shape, sources: Sequence[Image]) -> Image:
    slope = distance(random, shape)
    return (slope - slope.mean()) / max(np.ptp(slope), 1) * random.normal() * 60


def photograph(random: Random, shape: Shape, sources: Sequence[Image]) -> Image:
    """A part of one, mirrored on where it ends."""
    source = sources[random.integers(len(sources))]
    top, left = random.integers(source.shape)
    part = np.pad(source, [(0, n) for n in shape], mode="symmetric")
    part = part[top : top + shape[0], left : left + shape[1]].astype(np.float32)
    return (part - part.mean()) * random.uniform(0.2, 1) * random.choice([-1, 1])


def stripes(random: Random, shape: Shape, sources: Sequence[Image]) -> Image:
    """From waves to bars."""
    period = np.exp(random.uniform(np.log(5), np.log(40)))
    wave = np.sin(distance(random, shape) * 2 * np.pi / period)
    return np.clip(wave * np.exp(random.uniform(0, 2)), -1, 1) * random.uniform(5, 60)


def grain(random: Random, shape: Shape, sources: Sequence[Image]) -> Image:
    soft = filters.gaussian(random.normal(size=shape), random.uniform(0.7, 3))
    return soft / soft.std() * random.uniform(2, 20)


def distance(random: Random, shape: Shape) -> Image:
    """Of every pixel along some direction."""
    angle = random.uniform(0, 2 * np.pi)
    y, x = np.ogrid[: shape[0], : shape[1]]
    return np.cos(angle) * y + np.sin(angle) * x


TEXTURES: tuple[Callable[[Random, Shape, Sequence[Image]], Image], ...] = (
    flat,
    gradient,
    photograph,
    stripes,
    grain,
)

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    imaging.make_folder(folder)
    for i, made in enumerate(pictures(6, 384, photographs.gray())):
        imaging.write_image(folder / f"generated_{i}.png", made)
