"""From the JSON to pictures and to the README's table: numbers there are generated, never typed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
README = ROOT / "README.md"
PERFORMANCE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- benchmark:begin -->", "<!-- benchmark:end -->"
FASTEST_BEGIN, FASTEST_END = "<!-- fastest:begin -->", "<!-- fastest:end -->"
WHOLE_BEGIN, WHOLE_END = "<!-- whole-pictures:begin -->", "<!-- whole-pictures:end -->"
PROVIDER = ROOT / "docs" / "execution_provider.md"
PROVIDER_BEGIN, PROVIDER_END = "<!-- untouched:begin -->", "<!-- untouched:end -->"
FRONTIER_BEGIN, FRONTIER_END = "<!-- frontier:begin -->", "<!-- frontier:end -->"
QUANTIZED_BEGIN, QUANTIZED_END = "<!-- quantized:begin -->", "<!-- quantized:end -->"
ONNX = ROOT / "docs" / "onnx.md"
FORM_BEGIN, FORM_END = "<!-- standard-form:begin -->", "<!-- standard-form:end -->"
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


#: The README's rows: the group, what its case must hold, the row's name, what most people call.
README_ROWS: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    (
        "fastest",
        {"name": "float32 planes 256×256×3 → 768×768"},
        "float32 256 × 256 × 3, ×3",
        "torch",
    ),
    ("onnxruntime", {"scale": 3}, "the same in ONNX Runtime", "onnxruntime"),
    (
        "fastest",
        {"name": "uint8 pixels 720×1280×3 → 1440×2560"},
        "uint8 720p picture, ×2",
        "pillow",
    ),
    (
        "fastest",
        {"name": "uint8 pixels 1080×1920×3 → 224×224 antialiased"},
        "uint8 1080p, antialiased → 224²",
        "pillow",
    ),
    ("backward", {"scale": 2}, "gradient of float32 256 × 256 × 3, ×2", "torch"),
)
NAMES = {
    "opencv": "OpenCV",
    "onnxruntime": "ONNX Runtime",
    "pillow": "Pillow",
    "pillow_simd": "Pillow-SIMD",
    "ipp": "IPP",
    "stb": "stb_image_resize2",
    "openvino": "OpenVINO",
    "swscale": "swscale",
    "jax": "jax",
}


def short_table(results: list[dict[str, Any]]) -> str:
    """The README's five rows: the fastest other library, and the one that most people call."""
    lines = [
        "| job, 1 thread | sr_ops | the fastest other library | the usual call |",
        "| --- | --- | --- | --- |",
    ]
    for group, wanted, name, usual in README_ROWS:
        result = next(r for r in results if _holds(r, group, {**wanted, "threads": 1}))
        seconds = result["seconds"]
        fastest = _by_speed(result)[0]
        cells = [
            f"{NAMES.get(n, n)}: {_figures(ratio(result, n) or 0)} ×" for n in (fastest, usual)
        ]
        ours = _figures(seconds["sr_ops"]["min"] * 1e3)
        lines.append(f"| {name} | {ours} ms | {' | '.join(cells)} |")
    return "\n".join(lines)


def _holds(result: dict[str, Any], group: str, wanted: dict[str, Any]) -> bool:
    case = result["case"]
    return result["group"] == group and all(case.get(k) == v for k, v in wanted.items())


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
    names = {"numpy": "–", "torch": "torch", "ort": "ONNX Runtime"}
    lines = [
        f"Measured on {machine['cpu']}, {machine['target']}, with onnxruntime "
        f"{machine['onnxruntime']} and torch {machine['torch']}.{_busy(machine)}",
        "",
        "| model, scale | threads | backend | MP/s of the result | of which upscaling |",
        "| --- | --- | --- | --- | --- |",
    ]
    for result in data["results"]:
        case, seconds = result["case"], result["seconds"]
        alone = seconds["sr_ops upscaling alone"]["min"]
        for backend in (name for name in names if name in seconds):
            time, name = seconds[backend]["min"], names[backend]
            lines.append(
                f"| {case['model']} ×{case['scale']} | {case['threads']} | {name} "
                f"| {_figures(case['megapixels'] / time)} | {min(alone / time, 1):.0%} |"
            )
    return "\n".join(lines)


def _by_speed(result: dict[str, Any]) -> list[str]:
    """The peers of a case, the fastest first."""
    seconds = result["seconds"]
    peers = [name for name in seconds if not name.startswith(("sr_ops", "mem"))]
    return sorted(peers, key=lambda name: seconds[name]["min"])


def _against(result: dict[str, Any], peer: str) -> str:
    """A peer's time over ours, and of uint8 the part of its levels that are wrong."""
    judged = result["case"]["judged"][peer]
    wrong = f" ({judged['wrong']:.1%})" if judged.get("wrong") else ""
    return f"{NAMES.get(peer, peer)} {ratio(result, peer):.2f}{wrong}"


def fastest_table(data: dict[str, Any]) -> str:
    """Markdown: one thread, the fastest peer of every case by name; where we lose comes first."""
    machine = data["machine"]
    rows = [r for r in data["results"] if r["case"]["threads"] == 1]
    rows.sort(key=lambda r: ratio(r, _by_speed(r)[0]) or 0)
    peers = {name for r in rows for name in _by_speed(r)}
    known = {"opencv": "opencv-python"}
    versions = ", ".join(
        f"{NAMES.get(name, name)} {machine[known.get(name, name)]}"
        for name in sorted(peers)
        if known.get(name, name) in machine
    )
    lines = [
        f"Measured on {machine['cpu']}, {machine['target']}.{_busy(machine)} "
        f"The peers: {versions}.",
        "",
        "| case, 1 thread | sr_ops | the fastest peer | the others |",
        "| --- | --- | --- | --- |",
    ]
    for result in rows:
        first, *others = _by_speed(result)
        ours = f"{_figures(result['seconds']['sr_ops']['min'] * 1e3)} ms"
        rest = ", ".join(_against(result, name) for name in others)
        lines.append(f"| {result['case']['name']} | {ours} | {_against(result, first)} | {rest} |")
    return "\n".join(lines)


def own_table(data: dict[str, Any]) -> str:
    """Markdown: pixels against planes, Pillow's rounding against exact levels and Pillow-SIMD."""
    lines = [
        '| case, 1 thread | pixels, of the time of planes | `rounding="pillow"`, of that of exact '
        "levels | Pillow-SIMD over it |",
        "| --- | --- | --- | --- |",
    ]
    for result in data["results"]:
        time = {name: values["min"] for name, values in result["seconds"].items()}
        if "sr_ops_planes" not in time:
            continue
        cells = [f"{time['sr_ops'] / time['sr_ops_planes']:.2f}", "", ""]
        if "sr_ops_pillow" in time:
            cells[1] = f"{time['sr_ops_pillow'] / time['sr_ops']:.2f}"
            if "pillow_simd" in time:
                cells[2] = f"{time['pillow_simd'] / time['sr_ops_pillow']:.2f}"
        lines.append(f"| {result['case']['name']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def slug(target: str) -> str:
    """An instruction set in a file's name: "avx512"."""
    return target.lower().replace("-", "")


def _busy(machine: dict[str, Any]) -> str:
    """A warning where other work took part of the processors while this was measured."""
    if machine["others"] < 0.05:
        return ""
    return (
        f" **Other work took {machine['others']:.0%} of the processors meanwhile: these figures "
        "are indications.**"
    )


def quantized_table(data: dict[str, Any]) -> str:
    """Markdown: quality and speed of the networks alone, in floating point and in integers."""
    machine = data["machine"]
    forms = list(data["results"][0]["seconds"])
    lines = [
        f"Measured on {machine['cpu']}, with onnxruntime {machine['onnxruntime']}.{_busy(machine)}",
        "",
        f"| network, 1 thread | {' | '.join(forms)} |",
        f"| --- |{' --- |' * len(forms)}",
    ]
    for result in (r for r in data["results"] if r["case"]["threads"] == 1):
        case = result["case"]
        cells = [
            f"{case['psnr'][form]:.2f} dB, "
            f"{_figures(case['megapixels'] / result['seconds'][form]['min'])} MP/s"
            for form in forms
        ]
        lines.append(f"| {case['model']} ×{case['scale']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def untouched_table(data: dict[str, Any]) -> str:
    """Markdown: the same file in ONNX Runtime alone, and with the provider."""
    machine = data["machine"]
    lines = [
        f"Measured on {machine['cpu']}, {machine['target']}, with onnxruntime "
        f"{machine['onnxruntime']}; the models are written by torch {machine['torch']}."
        f"{_busy(machine)}",
        "",
        "| model, image | nodes moved | threads | onnxruntime alone | with sr_ops "
        "| times as fast | largest difference |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for result in data["results"]:
        case = result["case"]
        stock, ours = (result["seconds"][name]["min"] for name in ("onnxruntime", "sr_ops"))
        lines.append(
            f"| {case['model']}, {case['shape'][2]} × {case['shape'][3]} | {case['nodes']} "
            f"| {case['threads']} | {_figures(stock * 1e3)} ms | {_figures(ours * 1e3)} ms "
            f"| {_figures(stock / ours)} | {case['difference']:.1g} of {case['largest']:.2g} |"
        )
    return "\n".join(lines)


def standard_form_table(data: dict[str, Any]) -> str:
    """Markdown: a file without the library, and how many times as long stock Resize takes."""
    machine = data["machine"]
    lines = [
        f"float32, one thread, measured side by side on {machine['cpu']} with onnxruntime "
        f"{machine['onnxruntime']}.{_busy(machine)}",
        "",
        '| image, scale | Resize | function | as fast | `op="MatMul"` | as fast '
        "| largest difference to our kernel | Resize's |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for result in data["results"]:
        case = result["case"]
        if case["threads"] != 1:
            continue
        times = {name: seconds["min"] for name, seconds in result["seconds"].items()}
        stock, off = times["onnxruntime"], case["difference"]
        cells = [f"{_figures(stock * 1e3)} ms"]
        for name in ("function", "matmul"):
            cells += [f"{_figures(times[name] * 1e3)} ms", f"{_figures(stock / times[name])} ×"]
        cells.append(f"{max(off['function'], off['matmul']):.1g}")
        lines.append(f"| {_label(case)} | {' | '.join(cells)} | {off['onnxruntime']:.1g} |")
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


def frontier_table(data: dict[str, Any]) -> str:
    """Markdown: megapixels a second of every network at every scale, and decibels over bicubic."""
    machine = data["machine"]
    rows = data["results"]
    heads = [f"×{r['case']['scale']}, {r['case']['threads']} thr." for r in rows]
    lines = [
        f"Measured on {machine['cpu']}, with onnxruntime {machine['onnxruntime']} and OpenCV "
        f"{machine['opencv-python']}. Megapixels of the result a second, and decibels over "
        f"bicubic; of FSRCNN the speed alone, on OpenCV's own engine.{_busy(machine)}",
        "",
        f"| network | {' | '.join(heads)} |",
        f"| --- |{' --- |' * len(rows)}",
    ]
    for name in rows[0]["seconds"]:
        cells = []
        for row in rows:
            case, psnr = row["case"], row["case"]["psnr"]
            cell = f"{_figures(case['megapixels'] / row['seconds'][name]['min'])} MP/s"
            if name in psnr and case["threads"] == 1:
                cell += f", {psnr[name] - psnr['bicubic']:+.2f} dB"
            cells.append(cell)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def plot_frontier(data: dict[str, Any], path: Path) -> None:
    """Decibels over bicubic against speed, a picture a scale."""
    rows = [r for r in data["results"] if r["case"]["threads"] == 1]
    figure, every_axes = plt.subplots(1, len(rows), figsize=(4.2 * len(rows), 4.4), sharey=True)
    for axes, row in zip(every_axes, rows, strict=True):
        case = row["case"]
        points = {
            name: (case["megapixels"] / row["seconds"][name]["min"], psnr - case["psnr"]["bicubic"])
            for name, psnr in sorted(case["psnr"].items())
            if not re.fullmatch(rf"srcnn_x[^{case['scale']}]", name)  # for another factor alone
        }
        for name, (speed, gain) in points.items():
            (point,) = axes.plot(speed, gain, "o", markersize=8)
            near = any(1.2 < x / speed < 8 and abs(y - gain) < 0.12 for x, y in points.values())
            style: dict[str, Any] = {"va": "center", "fontsize": 8, "color": point.get_color()}
            axes.annotate(f"  {name}  ", (speed, gain), ha="right" if near else "left", **style)
        axes.set(xscale="log", title=f"×{case['scale']}", xlabel="MP/s of the result")
        axes.margins(x=0.25, y=0.12)
        axes.grid(alpha=0.3)
    every_axes[0].set_ylabel("PSNR-Y over bicubic, dB")
    figure.suptitle(f"1 thread, ONNX Runtime, {data['machine']['cpu']}; right and up is better")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _replace_block(path: Path, block: str, begin: str = BEGIN, end: str = END) -> None:
    """Put new text between two marks of a document."""
    text = path.read_text()
    head, rest = text.split(begin)
    _, tail = rest.split(end)
    path.write_text(f"{head}{begin}\n{block}\n{end}{tail}")


def _source(machine: dict[str, Any], fastest: dict[str, Any]) -> str:
    """Where the README's numbers come from."""
    busy = ", which was busy" if fastest.get("others", 1) >= 0.05 else ""
    other = machine["cpu"] != fastest["cpu"]
    rest = f"; ONNX Runtime and the gradient on {machine['cpu']}" if other else ""
    return (
        "The other library's time over ours: above 1 we are faster. Measured on "
        f"{fastest['cpu']} with AVX-512{busy}{rest}. "
        "`make bench` measures yours. [All cases, and where we lose](docs/performance.md)."
    )


def whole_pictures_table(data: dict[str, Any]) -> str:
    """``upscale_image`` by the picture's form: milliseconds, and the time of uint8 RGB as one."""
    machine = data["machine"]
    busy = ", which was busy" if machine["others"] >= 0.05 else ""
    lines = [
        "`upscale_image`, bicubic ×2 of 800 × 1200 pixels. Measured on "
        f"{machine['cpu']}, {machine['target']}{busy}.",
        "",
        "| picture | 1 thread | of uint8 RGB | 2 threads | of 1 thread |",
        "| --- | --- | --- | --- | --- |",
    ]
    one, two = (
        next(r for r in data["results"] if _holds(r, "whole_pictures", {"threads": threads}))
        for threads in (1, 2)
    )
    for form, seconds in one["seconds"].items():
        alone, together = seconds["min"], two["seconds"][form]["min"]
        lines.append(
            f"| {form} | {_figures(alone * 1e3)} ms "
            f"| {_figures(alone / one['seconds']['uint8 RGB']['min'])} × "
            f"| {_figures(together * 1e3)} ms | {_figures(together / alone)} × |"
        )
    return "\n".join(lines)


def write_documents(data: dict[str, Any]) -> None:
    """The README's short table, and all of it with the plots in docs/performance.md."""
    machine = data["machine"]
    target = slug(machine["target"])
    peers = f"onnxruntime {machine['onnxruntime']}, torch {machine['torch']}"
    preface = (
        "Times of the peers as multiples of ours: above 1 we are faster. Measured on "
        f"{machine['cpu']}, {machine['target']}, with {peers}, OpenCV {machine['opencv-python']}; "
        "`make bench` measures yours."
    )
    write_readme(data, json.loads((RESULTS / f"{target}_fastest.json").read_text()))
    plots = f"../benchmarks/results/{target}"
    pictures = (
        f"![Times of memcpy, OpenCV and torch over ours]({plots}_upscale.png)"
        f"\n\n![Time for an element by output size]({plots}_growth.png)"
    )
    _replace_block(PERFORMANCE, f"{preface}\n\n{table(data['results'])}\n\n{pictures}")


def write_readme(data: dict[str, Any], fastest: dict[str, Any]) -> None:
    """The README's short table."""
    short = short_table([*data["results"], *fastest["results"]])
    _replace_block(README, f"{short}\n\n{_source(data['machine'], fastest['machine'])}")


def write(data: dict[str, Any], folder: Path) -> None:
    """All pictures beside the JSON; the documents from the best target's."""
    target = slug(data["machine"]["target"])
    groups = {r["group"] for r in data["results"]}
    if "upscale" in groups:
        plot_upscale(data, folder / f"{target}_upscale.png")
    if "growth" in groups:
        plot_growth(data, folder / f"{target}_growth.png")
    if "upscale" in groups and target != "avx2":
        write_documents(data)
    if "fastest" in groups and target != "avx2":
        tables = f"{fastest_table(data)}\n\n{own_table(data)}"
        _replace_block(PERFORMANCE, tables, FASTEST_BEGIN, FASTEST_END)
        write_readme(json.loads((folder / f"{target}.json").read_text()), data)
    if "frontier" in groups:
        plot_frontier(data, folder / "frontier.png")
        _replace_block(PERFORMANCE, frontier_table(data), FRONTIER_BEGIN, FRONTIER_END)
    if "models" in groups:
        _replace_block(PERFORMANCE, models_table(data), MODELS_BEGIN, MODELS_END)
    if "quantized" in groups:
        _replace_block(PERFORMANCE, quantized_table(data), QUANTIZED_BEGIN, QUANTIZED_END)
    if "whole_pictures" in groups:
        _replace_block(PERFORMANCE, whole_pictures_table(data), WHOLE_BEGIN, WHOLE_END)
    if "standard_form" in groups:
        _replace_block(ONNX, standard_form_table(data), FORM_BEGIN, FORM_END)
    if "untouched" in groups:
        _replace_block(PROVIDER, untouched_table(data), PROVIDER_BEGIN, PROVIDER_END)
