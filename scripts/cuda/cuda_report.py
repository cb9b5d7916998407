#!/usr/bin/env python3
"""What ptxas says of the kernels in build/cuda: registers, spills, and the occupancy they allow.

    python scripts/cuda/cuda_report.py                                # prints Markdown
    python scripts/cuda/cuda_report.py --write docs/cuda-registers.md

Occupancy is arithmetic on these figures and on each architecture's limits (CUDA C++ Programming
Guide, "Compute Capabilities"), not a measurement.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_ENTRY = re.compile(
    r"Compiling entry function '(?P<name>[^']+)' for '(?P<target>sm_\w+)'\n"
    r".*\n"
    r"\s*(?P<stack>\d+) bytes stack frame, (?P<stores>\d+) bytes spill stores, "
    r"(?P<loads>\d+) bytes spill loads\n"
    r".*Used (?P<registers>\d+) registers"
)
_KERNEL = re.compile(r"(Strip|Tile|Table)Kernel")
#: kernels_<this>.cu
_TYPES = ("float32", "float64", "float16", "bfloat16", "uint8", "int8")
#: Threads of a block.
_THREADS = {"Strip": 128, "Tile": 256, "Table": 128}
#: Threads that a multiprocessor holds at most; 65536 registers everywhere.
_MOST_THREADS = {
    "sm_75": 1024, "sm_86": 1536, "sm_87": 1536, "sm_88": 1536, "sm_89": 1536, "sm_110": 1536,
    "sm_120": 1536, "sm_121": 1536,
}  # fmt: skip


@dataclass(frozen=True)
class Kernel:
    """One kernel, compiled for one architecture."""

    dtype: str
    kind: str  # Strip, Tile, Table
    home: str  # where it takes its tables from: "block", "workspace"; "" for Table
    target: str
    registers: int
    spilled: int  # bytes
    stack: int  # bytes

    @property
    def occupancy(self) -> int:
        """Percent of a multiprocessor's threads, as registers limit them."""
        per_warp = -(-self.registers * 32 // 256) * 256
        threads = _THREADS[self.kind]
        blocks = 65536 // per_warp * 32 // threads
        most = _MOST_THREADS.get(self.target, 2048)
        return 100 * min(blocks * threads, most) // most


def kernels(folder: Path = ROOT / "build" / "cuda") -> Iterator[Kernel]:
    """All kernels that were compiled into a build folder."""
    for dtype in _TYPES:
        (log,) = folder.rglob(f"kernels_{dtype}.cu.o.log")
        for entry in _ENTRY.finditer(log.read_text()):
            name = entry["name"]
            match = _KERNEL.search(name)
            assert match, name
            home = re.search(r"TableHomeE([01])E", name)
            yield Kernel(
                dtype,
                match[1],
                ("block", "workspace")[int(home[1])] if home else "",
                entry["target"],
                int(entry["registers"]),
                int(entry["stores"]) + int(entry["loads"]),
                int(entry["stack"]),
            )


def as_markdown(found: list[Kernel]) -> str:
    """A table of kernels by architecture: registers, and percent of occupancy."""
    targets = sorted({k.target for k in found}, key=lambda name: int(name.removeprefix("sm_")))
    lines = [
        "# Registers of the CUDA kernels",
        "",
        "Written by `scripts/cuda/cuda_report.py` from what ptxas says. Each cell: registers of a",
        "thread, and the share of a multiprocessor's threads that they allow (arithmetic,",
        f"not a measurement). Spilled registers: {sum(k.spilled for k in found)} bytes in all",
        f"{len(found)} kernels.",
        "",
        "| kernel | " + " | ".join(targets) + " |",
        "| --- |" + " --- |" * len(targets),
    ]
    rows: dict[str, dict[str, Kernel]] = {}
    for kernel in found:
        title = f"{kernel.dtype} {kernel.kind.lower()}" + (f", {kernel.home}" * bool(kernel.home))
        rows.setdefault(title, {})[kernel.target] = kernel
    for title, row in rows.items():
        cells = [f"{row[t].registers}, {row[t].occupancy} %" if t in row else "" for t in targets]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", type=Path, metavar="FILE", help="instead of printing")
    to = parser.parse_args().write
    text = as_markdown(list(kernels()))
    if to:
        to.write_text(text)
    else:
        print(text)
