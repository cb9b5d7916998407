"""Draw the training's logs: PSNR on validation pictures and on patches, by steps.

    python training/curves.py                                # benchmarks/results/training.png
    python training/curves.py LOG.jsonl ... --output FILE

Copies the logs beside the drawing, thinned to a line every thousand steps, and shows the drawing at
the end of docs/model-card.md, which `sr-ops eval --markdown` writes anew.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import prepare

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.lines import Line2D

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "benchmarks" / "results" / "training.png"
CARD = ROOT / "docs" / "model-card.md"
SECTION = """
## Training

PSNR of validation pictures and of training patches, by steps. While lines are dashed, the learning
rate falls to zero. "Before" and "then" are earlier runs, whose weights the next began with.

![PSNR of every network by steps of its training](../benchmarks/results/training.png)
"""
COLOURS = {
    "1.25": "tab:purple",
    "1.5": "tab:red",
    "2": "tab:blue",
    "2.5": "tab:brown",
    "3": "tab:orange",
    "4": "tab:green",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("logs", type=Path, nargs="*")
    parser.add_argument("--output", type=Path, default=PICTURE)
    options = parser.parse_args()
    logs = options.logs or sorted(prepare.BUILD.glob("*.jsonl"))
    draw(logs, options.output)
    rows = {log.stem: [row for row in read(log) if "validation_psnr" in row] for log in logs}
    options.output.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n")
    if options.output == PICTURE:
        show_in(CARD)
    print(options.output)


def show_in(card: Path) -> None:
    """Once, at the end."""
    text = card.read_text(encoding="utf-8")
    if SECTION not in text:
        card.write_text(text + SECTION, encoding="utf-8")


def read(log: Path) -> list[dict[str, Any]]:
    return [json.loads(row) for row in log.read_text().splitlines()]


def draw(logs: Sequence[Path], output: Path) -> None:
    names = sorted({log.stem.removesuffix(".settling") for log in logs})
    columns = min(len(names), 4)
    rows = math.ceil(len(names) / columns)
    size = (5 * columns, 4 * rows + 0.5)
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    for axis in axes.flat[len(names) :]:
        axis.set_axis_off()
    for axis, name in zip(axes.flat, names, strict=False):
        for log in logs:
            if log.stem.removesuffix(".settling") == name:
                _draw_log(axis, read(log), "--" if log.stem.endswith(".settling") else "-")
        axis.set(title=name, xlabel="steps", ylabel="PSNR of luma, dB")
        axis.grid(alpha=0.3)
    figure.legend(*_legend(), loc="outside lower center", ncols=len(COLOURS) + 3)
    figure.savefig(output, dpi=100)
    plt.close(figure)


def _draw_log(axis: Any, rows: Sequence[dict[str, Any]], style: str) -> None:
    checked = [row for row in rows if "validation_psnr" in row]
    for factor in rows[0]["train_psnr"]:
        colour = COLOURS[factor]
        axis.plot(
            [row["step"] for row in checked],
            [row["validation_psnr"][factor] for row in checked],
            style,
            marker=".",
            color=colour,
        )
        axis.plot(
            [row["step"] for row in rows],
            [row["train_psnr"][factor] for row in rows],
            style,
            color=colour,
            alpha=0.3,
        )


def _legend() -> tuple[list[Line2D], list[str]]:
    """Strong lines for validation, pale ones for patches; dashes while the rate falls to zero."""
    lines = {f"x{factor}": Line2D([], [], color=colour) for factor, colour in COLOURS.items()}
    lines["validation"] = Line2D([], [], color="black", marker=".")
    lines["patches"] = Line2D([], [], color="black", alpha=0.3)
    lines["settling"] = Line2D([], [], color="black", linestyle="--")
    return list(lines.values()), list(lines)


if __name__ == "__main__":
    main()
