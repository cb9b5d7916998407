"""Draw docs/images/semantics.svg: where output pixels look, and with which weights.

python scripts/docs/draw_semantics.py [FILE]
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
import numpy as np

from sr_ops.reference import axis_matrix

SAMPLES = np.array([0.15, 0.3, 0.9, 0.75, 0.5, 0.62])
SCALE = 2.5
BLUE, RED, GRAY = "#3465a4", "#cc3311", "#999999"


def keys(distance: np.ndarray, a: float) -> np.ndarray:
    """Keys' cubic kernel (1981)."""
    d = np.abs(distance)
    inner = (a + 2) * d**3 - (a + 3) * d**2 + 1
    outer = a * (d**3 - 5 * d**2 + 8 * d - 4)
    return np.where(d <= 1, inner, np.where(d < 2, outer, 0.0))


def draw_kernel(axes: plt.Axes) -> None:
    """The kernel at its two usual coefficients."""
    distance = np.linspace(-2.5, 2.5, 501)
    for a, colour in ((-0.75, RED), (-0.5, BLUE)):
        axes.plot(distance, keys(distance, a), color=colour, label=f"a = {a}")
    axes.axhline(0, color=GRAY, linewidth=0.6)
    axes.set(title="Keys' kernel", xlabel="distance in source pixels", ylabel="weight")
    axes.legend(frameon=False)


def draw_axis(axes: plt.Axes) -> None:
    """Six source pixels, their fifteen output pixels, and the four taps of two of these."""
    n = len(SAMPLES)
    out = int(np.float32(n) * np.float32(SCALE))
    source_of = (np.arange(out) + 0.5) / SCALE - 0.5
    values = axis_matrix(n, out, SCALE) @ SAMPLES
    axes.vlines(np.arange(n), 0, SAMPLES, color=GRAY, linewidth=0.8)
    axes.plot(np.arange(n), SAMPLES, "o", color=GRAY, markersize=9, label="source")
    axes.plot([-2, -1], SAMPLES[[0, 0]], "o", color=GRAY, mfc="none", markersize=9, label="edge")
    axes.plot(source_of, values, ".-", color=BLUE, linewidth=0.8, label=f"output at {SCALE}")
    for index, level in ((0, 1.12), (7, 1.28)):
        source = source_of[index]
        axes.plot(source, values[index], "o", color=RED, markersize=5)
        taps = np.floor(source) + np.arange(-1, 3)
        for tap in taps:
            weight = keys(np.array(source - tap), -0.75)
            axes.annotate(f"{weight:+.2f}", (tap, level), ha="center", color=RED, fontsize=8)
        axes.annotate(f"output {index}:", (-3.9, level), color=RED, fontsize=8)
    axes.set(
        title="half_pixel: output i looks at (i + 0.5) / s - 0.5; outside, the edge repeats",
        xlabel="source coordinate", xlim=(-4, n), ylim=(0, 1.45),
    )  # fmt: skip
    axes.legend(frameon=False, loc="lower left", fontsize=8)


def main(path: Path) -> None:
    """Draw both parts into `path`."""
    plt.rcParams["svg.hashsalt"] = "sr_ops"  # the same file every time
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(10, 3.6), width_ratios=(1, 2), layout="constrained"
    )
    draw_kernel(left)
    draw_axis(right)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    default = Path(__file__).resolve().parents[2] / "docs" / "images" / "semantics.svg"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
