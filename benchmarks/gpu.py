"""Times on a GPU: ours, torch's and CuPy's, and the bandwidth against a measured copy.

    python benchmarks/gpu.py [--out benchmarks/results]

Writes cuda-<name of the GPU>.json and prints a table. Bytes are counted once: every input element
read, every output element written. A copy of as many bytes is measured beside each case.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

import sr_ops

#: (N, C, H, W), scale, dtype, channels_last
CASES = [
    ((1, 3, 64, 64), 2, torch.float32, False),
    ((1, 3, 256, 256), 2, torch.float32, False),
    ((8, 3, 1080, 1920), 2, torch.float32, False),
    ((8, 3, 1080, 1920), 3, torch.float32, False),
    ((4, 3, 1080, 1920), 4, torch.float32, False),
    ((8, 3, 1080, 1920), 1.5, torch.float32, False),
    ((1, 1, 8192, 8192), 2, torch.float32, False),
    ((65536, 16, 8, 8), 2, torch.float32, False),
    ((16, 64, 256, 256), 2, torch.float32, False),
    ((16, 64, 256, 256), 2, torch.float32, True),
    ((8, 3, 1080, 1920), 2, torch.float32, True),
    ((8, 3, 1080, 1920), 2, torch.float16, False),
    ((8, 3, 1080, 1920), 2, torch.bfloat16, False),
    ((16, 3, 1080, 1920), 2, torch.uint8, True),
    ((8, 3, 2160, 3840), 0.5, torch.float32, False),
]


def seconds(run: Callable[[], Any]) -> float:
    """Median of five batches, each long enough to drown the clock's grain."""
    for _ in range(3):
        run()
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    begin.record()
    run()
    end.record()
    end.synchronize()
    repeats = max(5, min(2000, int(20 / max(begin.elapsed_time(end), 1e-3))))
    batches = []
    for _ in range(5):
        begin.record()
        for _ in range(repeats):
            run()
        end.record()
        end.synchronize()
        batches.append(begin.elapsed_time(end) / repeats / 1e3)
    return statistics.median(batches)


def copy_bandwidth(total: int) -> float:
    """Bytes per second of a device copy that reads and writes `total` bytes together."""
    source = torch.empty(max(total // 2, 1), dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    return 2 * source.numel() / seconds(lambda: target.copy_(source))


def cupys(x: torch.Tensor, scale: float) -> Callable[[], Any] | None:
    """CuPy's cubic zoom of a single plane, where CuPy is installed.

    Its weights are a B-spline's. The work is the same: sixteen taps a pixel, or four and four.
    """
    if x.dtype != torch.float32 or x.shape[:2] != (1, 1):
        return None
    try:
        import cupy
        from cupyx.scipy import ndimage
    except ImportError:
        return None
    plane = cupy.from_dlpack(x[0, 0])
    options = {"order": 3, "prefilter": False, "mode": "nearest", "grid_mode": True}
    return lambda: ndimage.zoom(plane, scale, **options)


def measure(shape: Any, scale: float, dtype: torch.dtype, channels_last: bool) -> dict[str, Any]:
    layout = torch.channels_last if channels_last else torch.contiguous_format
    x = torch.rand(shape, device="cuda").mul(255).to(dtype).contiguous(memory_format=layout)
    y = sr_ops.dynamic_upscale(x, scale)
    total = x.numel() * x.element_size() + y.numel() * y.element_size()
    ours = seconds(lambda: sr_ops.dynamic_upscale(x, scale))
    result: dict[str, Any] = {
        "shape": list(shape), "scale": scale, "dtype": str(dtype).removeprefix("torch."),
        "channels_last": channels_last, "megabytes_out": y.numel() * y.element_size() / 1e6,
        "forward_ms": ours * 1e3, "gigabytes_per_second": total / ours / 1e9,
        "of_copy": total / ours / copy_bandwidth(total),
    }  # fmt: skip

    def theirs(x: torch.Tensor) -> torch.Tensor:
        return functional.interpolate(x, size=y.shape[2:], mode="bicubic", align_corners=False)

    if dtype != torch.uint8:  # which torch's bicubic does not take on a GPU
        result["torch_forward"] = seconds(lambda: theirs(x)) / ours
    if zoom := cupys(x, scale):
        result["cupy_forward"] = seconds(zoom) / ours
    if dtype.is_floating_point:
        leaf = x.detach().requires_grad_()
        grad = torch.rand_like(y)

        def backward_of(out: torch.Tensor) -> Callable[[], Any]:
            return lambda: torch.autograd.grad(out, leaf, grad, retain_graph=True)

        back = seconds(backward_of(sr_ops.dynamic_upscale(leaf, scale)))
        result["backward_ms"] = back * 1e3
        result["backward_of_copy"] = total / back / copy_bandwidth(total)
        result["torch_backward"] = seconds(backward_of(theirs(leaf))) / back
    return result


def cells(result: dict[str, Any]) -> list[str]:
    """One row of the table."""

    def percent(key: str) -> str:
        return f"{result[key]:.0%}" if key in result else ""

    def times(key: str) -> str:
        return f"{result[key]:.1f} ×" if key in result else ""

    shape = "×".join(map(str, result["shape"]))
    last = " channels last" if result["channels_last"] else ""
    return [
        f"{result['dtype']}{last} {shape} ×{result['scale']}",
        f"{result['forward_ms']:.3f} ms",
        percent("of_copy"),
        times("torch_forward"),
        times("cupy_forward"),
        percent("backward_of_copy"),
        times("torch_backward"),
    ]


def goals(results: Iterable[dict[str, Any]]) -> list[tuple[str, str]]:
    """What docs/cuda.md asks for, and the worst that was seen."""
    plain = [r for r in results if r["dtype"] == "float32" and r["scale"] >= 2]
    large = [r for r in plain if r["megabytes_out"] >= 64]
    wanted = (
        ("forward, of a copy's bandwidth; goal 85 %", large, "of_copy", "{:.0%}"),
        ("torch's forward takes; goal 3 ×", plain, "torch_forward", "{:.1f} ×"),
        ("torch's backward takes; goal 5 ×", plain, "torch_backward", "{:.1f} ×"),
    )
    return [
        (f"float32 from ×2 on, {what}; worst of {len(rows)}",
         form.format(min(row[key] for row in rows)))
        for what, rows, key, form in wanted
        if rows
    ]  # fmt: skip


def summarize(lines: Iterable[tuple[str, str]]) -> None:
    """Add lines to the summary that `make test-gpu` prints."""
    path = os.environ.get("SR_OPS_GPU_SUMMARY")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)


HEADER = (
    "| case | forward | of a copy's speed | torch takes | CuPy takes "
    "| backward, of a copy's | torch takes |\n"
    "| --- | --- | --- | --- | --- | --- | --- |"
)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results"))
    folder = parser.parse_args().out
    if not torch.cuda.is_available():
        print("benchmarks/gpu.py: torch sees no NVIDIA GPU; nothing was measured")
        return 0
    name = torch.cuda.get_device_name()
    results, failures = [], 0
    print(f"{name}, torch {torch.__version__}\n\n{HEADER}", flush=True)
    for case in CASES:
        torch.cuda.empty_cache()
        try:
            results.append(measure(*case))
        # What runs out of memory in our op is a RuntimeError: the stable ABI knows no other.
        except RuntimeError as error:
            failures += 1
            print(f"| {case} | not measured: {str(error).splitlines()[0]} | | | | | |", flush=True)
            continue
        row = cells(results[-1])
        print(f"| {' | '.join(row)} |", flush=True)
        summarize([("benchmark: " + row[0], ", ".join(filter(None, row[1:])))])
        write(folder, name, results)
    summarize(goals(results))
    return 1 if failures else 0


def write(folder: Path, name: str, results: list[dict[str, Any]]) -> None:
    """What has been measured so far: the time may be up before the next case."""
    data = {"gpu": name, "torch": torch.__version__, "cuda": torch.version.cuda, "cases": results}
    folder.mkdir(parents=True, exist_ok=True)
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    (folder / f"cuda-{slug}.json").write_text(json.dumps(data, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
