"""Measure sr_ops against its peers; write JSON, plots and the README's table.

    python benchmarks/run.py                        everything, 1 and 2 threads
    python benchmarks/run.py --groups upscale small --threads 1 --rounds 3
    python benchmarks/run.py --groups fastest --only uint8 --threads 1      some of its cases anew
    python benchmarks/run.py --report               only redraw from the JSON

Every contender runs with the same number of threads, in turn with the others, in one process. One
thread is timed by the processor's time, more by the clock. The JSON names the processor: numbers of
two machines do not mix, so the models, which change more often than the kernels, have one of their
own, and so has the group ``fastest``, which has peers that no requirement brings (``peers.py``).
``SR_OPS_TARGET=AVX2`` measures AVX2, and holds the peers to it, too.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cases
import measure
import peers
import report
from rich.progress import Progress

import sr_ops

RESULTS = Path(__file__).parent / "results"
Result = dict[str, Any]
PEERS = ("numpy", "torch", "onnxruntime", "opencv-python", "pillow")

#: The peers' own switches, for a comparison as on a machine that has no more; they are read when a
#: library is loaded. ONNX Runtime has none.
AVX2_PEERS = {
    "OPENCV_IPP": "avx2",
    "OPENCV_CPU_DISABLE": "AVX512-SKX",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512BW,-AVX512VL",
}


def hold_peers_to_target() -> None:
    """Starts over with the switches set, if they are needed and are not yet."""
    if os.environ.get("SR_OPS_TARGET") == "AVX2" and not AVX2_PEERS.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **AVX2_PEERS})


def machine(targets: dict[str, object], others: float) -> dict[str, object]:
    """What the numbers were measured on; ``others``: the share of its processors that was away."""
    return {
        "cpu": measure.cpu_name(),
        "system": platform.platform(),
        "date": time.strftime("%Y-%m-%d"),
        "sr_ops": sr_ops.__version__,
        "target": targets["target"],
        "others": round(others, 3),
        "processors": os.cpu_count(),
        **{name: version(name) for name in PEERS},
        **peers.versions(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--groups", nargs="+", choices=cases.GROUPS, default=list(cases.GROUPS))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument(
        "--rounds", type=int, default=7, help="bursts of each contender (default 7)"
    )
    parser.add_argument("--only", default="", help="of the group fastest: what a case's name holds")
    parser.add_argument("--report", action="store_true", help="only redraw from the JSON")
    arguments = parser.parse_args()
    hold_peers_to_target()
    info = sr_ops.native_info()
    target = report.slug(info["target"])
    apart = {
        "models": "models.json",
        "frontier": "frontier.json",
        "quantized": "quantized.json",
        "untouched": "untouched.json",
        "whole_pictures": "whole_pictures.json",
        "standard_form": "standard_form.json",
        "fastest": f"{target}_fastest.json",
    }
    kernels = [group for group in arguments.groups if group not in apart]
    files = [(f"{target}.json", kernels)]
    files += [(name, [group]) for group, name in apart.items() if group in arguments.groups]
    for name, groups in files:
        if not groups:
            continue
        path = RESULTS / name
        if not arguments.report:
            others = measure.Others()
            results = json.loads(path.read_text())["results"] if path.exists() else []
            new = measured(groups, arguments.threads, arguments.rounds, arguments.only)
            results = merged(results, new, groups)
            RESULTS.mkdir(exist_ok=True)
            text = json.dumps(
                {"machine": machine(info, others.share()), "results": results}, indent=1
            )
            path.write_text(text + "\n")
        report.write(json.loads(path.read_text()), RESULTS)


def merged(old: list[Result], new: list[Result], groups: list[str]) -> list[Result]:
    """The new results in the place of the old ones of these groups; of the group ``fastest``, of
    the same cases."""
    if groups != ["fastest"]:
        return [r for r in old if r["group"] not in groups] + new
    there = {(r["case"]["name"], r["case"]["threads"]): r for r in old}
    there.update({(r["case"]["name"], r["case"]["threads"]): r for r in new})
    return list(there.values())


def measured(groups: list[str], thread_counts: list[int], rounds: int, only: str) -> list[Result]:
    """Seconds of all contenders in all cases."""
    results: list[Result] = []
    with Progress() as progress:
        for group in progress.track(groups, description="benchmarks"):
            for threads in thread_counts:
                cases.set_threads(threads)
                some = {"only": only} if group == "fastest" else {}
                for case, contenders in cases.GROUPS[group](threads, **some):
                    # One thread's own time is less at the mercy of what else runs.
                    clock = time.process_time if threads == 1 else time.perf_counter
                    seconds = measure.compare(contenders, rounds, clock)
                    results.append({"group": group, "case": case, "seconds": seconds})
    return results


if __name__ == "__main__":
    main()
