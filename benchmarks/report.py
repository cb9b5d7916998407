"""From the JSON to pictures and to the README's table: numbers there are generated, never typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PERFORMANCE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- benchmark:begin -->", "<!-- benchmark:end -->"
MODELS_BEGIN, MODELS_END = "<!-- models:begin -->", "<!-- models:end -->"
COLORS = {
    "sr_ops": "#0b6e4f",
    "sr_ops fresh output": "#73b59d",
    "memcpy": "#888888",
    "memset": "#bbbbbb",
    "opencv": "#3a6ea5",
    "torch": "#d1495b",
    "onnxruntime": "#8d5a97",
    "pillow": "#edae49",
}


def ratio(result: dict[str, Any], peer: str) -> float | None:
    """How many times as long the peer takes, by the fastest calls of both."""
    seconds = result["seconds"]
    return seconds[peer]["min"] / seconds["sr_ops"]["min"] if peer in seconds else None


def _label(case: dict[str, Any]) -> str:
    shape = "×".join(str(v) for v in case["shape"]) if "shape" in case else case.get("model", "")
    antialias = " antialiased" if case.get("antialias") else ""
    return f"{shape} ×{case['scale']}{antialias}"


def _is_typical(result: dict[str, Any]) -> bool:
    """What the README's short table shows: a small, a large and a many-channel image."""
    case = result["case"]
    if result["group"] != "upscale":
        return True
    return case["scale"] in (1.5, 3) and case["shape"][0] == 1 and case["shape"][2] != 1080


def short_table(results: list[dict[str, Any]]) -> str:
    """The README's selection."""
    return table([result for result in results if _is_typical(result)])


def table(results: list[dict[str, Any]]) -> str:
    """Markdown: one thread, milliseconds of ours, and the peers' times as multiples of it."""
    groups = {
        "upscale": "float32",
        "channels_last": "float32 channels last",
        "pictures": "uint8 picture",
        "downscale": "float32",
        "backward": "gradient",
        "onnxruntime": "in ONNX Runtime",
        "srcnn": "SRCNN in ONNX Runtime",
    }
    peers = ("memcpy", "opencv", "torch", "onnxruntime", "pillow")
    lines = [
        "| case, 1 thread | sr_ops | copying the result | OpenCV | torch | ONNX Runtime | Pillow |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for group, name in groups.items():
        for result in results:
            if result["group"] != group or result["case"]["threads"] != 1:
                continue
            ratios = [ratio(result, peer) for peer in peers]
            cells = ["" if r is None else f"{r:.2g} ×" if r < 10 else f"{r:.0f} ×" for r in ratios]
            ours = result["seconds"]["sr_ops"]["min"] * 1e3
            lines.append(
                f"| {name} {_label(result['case'])} | {ours:.3g} ms | {' | '.join(cells)} |"
            )
    return "\n".join(lines)


def _figures(value: float) -> str:
    """Three of them, or all before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def models_table(data: dict[str, Any]) -> str:
    """Markdown: throughput of every model and backend, and what of the time is upscaling."""
    machine = data["machine"]
    names = {"torch": "torch", "ort": "ONNX Runtime"}
    lines = [
        f"Measured on {machine['cpu']}, {machine['target']}, with onnxruntime "
        f"{machine['onnxruntime']} and torch {machine['torch']}.",
        "",
        "| model, scale | threads | backend | MP/s of the result | of which upscaling |",
        "| --- | --- | --- | --- | --- |",
    ]
    for result in data["results"]:
        case, seconds = result["case"], result["seconds"]
        alone = seconds["sr_ops upscaling alone"]["min"]
        for backend, name in names.items():
            time = seconds[backend]["min"]
            lines.append(
                f"| {case['model']} ×{case['scale']} | {case['threads']} | {name} "
                f"| {_figures(case['megapixels'] / time)} | {min(alone / time, 1):.0%} |"
            )
    return "\n".join(lines)


def plot_upscale(data: dict[str, Any], path: Path) -> None:
    """Peers' times over ours, logarithmic, for the main case."""
    rows = [r for r in data["results"] if r["group"] == "upscale" and r["case"]["threads"] == 1]
    labels = [_label(r["case"]) for r in rows]
    peers = ("memcpy", "opencv", "torch")
    figure, axes = plt.subplots(figsize=(9, 0.34 * len(rows) + 1.6))
    for index, peer in enumerate(peers):
        offsets = [i + 0.27 * (index - 1) for i in range(len(rows))]
        axes.barh(offsets, [ratio(r, peer) for r in rows], 0.25, label=peer, color=COLORS[peer])
    axes.axvline(1, color=COLORS["sr_ops"], linewidth=2, label="sr_ops")
    axes.set(yticks=range(len(rows)), yticklabels=labels, xscale="log")
    axes.invert_yaxis()
    axes.set_xlabel("time of the peer / time of sr_ops (right of the line: sr_ops is faster)")
    axes.set_title(f"float32 NCHW, 1 thread, {data['machine']['cpu']}, {data['machine']['target']}")
    axes.legend(loc="lower right")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def plot_growth(data: dict[str, Any], path: Path) -> None:
    """Nanoseconds an output element as the output outgrows one cache after another."""
    rows = [r for r in data["results"] if r["group"] == "growth" and r["case"]["threads"] == 1]
    rows.sort(key=lambda r: r["case"]["bytes"])
    figure, axes = plt.subplots(figsize=(8, 4))
    sizes = [r["case"]["bytes"] / 2**20 for r in rows]
    for name in ("sr_ops", "sr_ops fresh output", "memcpy", "memset"):
        per_element = [r["seconds"][name]["min"] * 4e9 / r["case"]["bytes"] for r in rows]
        axes.plot(sizes, per_element, "o-", label=name, color=COLORS[name])
    axes.set(xscale="log", yscale="log", xlabel="output, MiB", ylabel="ns per output element")
    axes.set_title(f"×2 float32, 1 thread, {data['machine']['cpu']}")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _replace_block(path: Path, block: str, begin: str = BEGIN, end: str = END) -> None:
    """Put new text between two marks of a document."""
    text = path.read_text()
    head, rest = text.split(begin)
    _, tail = rest.split(end)
    path.write_text(f"{head}{begin}\n{block}\n{end}{tail}")


def write_documents(data: dict[str, Any]) -> None:
    """The README's short table, and all of it with the plots in docs/performance.md."""
    machine = data["machine"]
    target = machine["target"].lower()
    peers = f"onnxruntime {machine['onnxruntime']}, torch {machine['torch']}"
    preface = (
        "Times of the peers as multiples of ours: above 1 we are faster. Measured on "
        f"{machine['cpu']}, {machine['target']}, with {peers}, OpenCV {machine['opencv-python']}; "
        "`make bench` measures yours."
    )
    more = "[All cases, and how time grows with size](docs/performance.md)."
    _replace_block(README, f"{preface}\n\n{short_table(data['results'])}\n\n{more}")
    plots = f"../benchmarks/results/{target}"
    pictures = (
        f"![Times of memcpy, OpenCV and torch over ours]({plots}_upscale.png)"
        f"\n\n![Time for an element by output size]({plots}_growth.png)"
    )
    _replace_block(PERFORMANCE, f"{preface}\n\n{table(data['results'])}\n\n{pictures}")


def write(data: dict[str, Any], folder: Path) -> None:
    """All pictures beside the JSON; the documents from the best target's."""
    target = data["machine"]["target"].lower()
    groups = {r["group"] for r in data["results"]}
    if "upscale" in groups:
        plot_upscale(data, folder / f"{target}_upscale.png")
    if "growth" in groups:
        plot_growth(data, folder / f"{target}_growth.png")
    if "upscale" in groups and target != "avx2":
        write_documents(data)
    if "models" in groups:
        _replace_block(PERFORMANCE, models_table(data), MODELS_BEGIN, MODELS_END)
