"""Against the fastest resamplers there are: enlarging and shrinking, planes and pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import peers
from measure import Contender, aligned_empty
from peer import Peer, Problem

import sr_ops
import sr_ops.numpy

PILLOW = {"antialias": True, "cubic_coeff_a": -0.5, "exclude_outside": True}


@dataclass(frozen=True)
class _Case:
    dtype: type
    height: int
    width: int
    size: tuple[int, int]
    planar: bool
    antialias: bool = False

    def __str__(self) -> str:
        layout = "planes" if self.planar else "pixels"
        antialias = " antialiased" if self.antialias else ""
        sizes = f"{self.height}×{self.width}×3 → {self.size[0]}×{self.size[1]}"
        return f"{np.dtype(self.dtype).name} {layout} {sizes}{antialias}"


def _scaled(dtype: type, height: int, width: int, scale: float, planar: bool, **more: Any) -> _Case:
    return _Case(dtype, height, width, (int(height * scale), int(width * scale)), planar, **more)


def _cases() -> Iterator[_Case]:
    for scale in (1.5, 2, 2.7, 3, 4):
        yield _scaled(np.float32, 256, 256, scale, planar=True)
    for scale in (1.5, 2):
        yield _scaled(np.float32, 720, 1280, scale, planar=True)
    yield _scaled(np.float32, 720, 1280, 2, planar=False)
    yield _scaled(np.float16, 720, 1280, 2, planar=True)
    yield _scaled(np.uint8, 256, 256, 3, planar=False)
    for scale in (2, 1.5):
        yield _scaled(np.uint8, 720, 1280, scale, planar=False)
    for dtype, planar in ((np.float32, True), (np.uint8, False)):
        yield _scaled(dtype, 720, 1280, 0.5, planar)
        for scale in (0.5, 0.3):
            yield _scaled(dtype, 720, 1280, scale, planar, antialias=True)
        yield _Case(dtype, 1080, 1920, (224, 224), planar, antialias=True)
    yield _Case(np.uint8, 3000, 4000, (750, 1000), planar=False, antialias=True)


def _planes(case: _Case) -> np.ndarray:
    rng = np.random.default_rng(0)
    shape = (3, case.height, case.width)
    if case.dtype == np.uint8:
        return rng.integers(0, 256, shape).astype(np.uint8)
    return rng.random(shape).astype(case.dtype)


def _ours(problem: Problem, **keywords: Any) -> Peer:
    layout = "NCHW" if problem.planar else "HWC"
    x, shape = problem.pixels(), (*problem.size, 3)
    if problem.planar:
        x = aligned_empty((1, 3, problem.height, problem.width), problem.dtype)
        x[0] = problem.planes()
        shape = (1, 3, *problem.size)
    out = aligned_empty(shape, problem.dtype)

    def run() -> None:
        sr_ops.numpy.dynamic_upscale(x, size=problem.size, layout=layout, out=out, **keywords)

    return Peer(run, lambda: out[0].transpose(1, 2, 0) if problem.planar else out)


def fastest(threads: int, only: str = "") -> Iterator[tuple[dict[str, Any], dict[str, Contender]]]:
    """On one thread, whatever is asked for. ``only``: cases whose name holds it."""
    if threads != 1:
        return
    for case in _cases():
        if only not in str(case):
            continue
        avx2 = sr_ops.native_info()["target"] == "AVX2"
        planes = _planes(case)
        problem = Problem(planes, case.size, case.planar, case.antialias, avx2)
        found = {"sr_ops": _ours(problem, **(PILLOW if case.antialias else {}))}
        if case.antialias and case.dtype == np.uint8:
            found["sr_ops_pillow"] = _ours(problem, rounding="pillow")
        if not case.planar:  # the same job in the layout that is ours by nature
            planar = Problem(planes, case.size, True, case.antialias, avx2)
            found["sr_ops_planes"] = _ours(planar, **(PILLOW if case.antialias else {}))
        found.update(peers.available(problem))
        for peer in found.values():
            peer.run()
        described = {
            "name": str(case),
            "dtype": np.dtype(case.dtype).name,
            "threads": threads,
            "judged": {name: problem.judged(peer.result()) for name, peer in found.items()},
        }
        yield described, {name: peer.run for name, peer in found.items()}
