"""Peers that have a C interface only: zimg, IPP and stb_image_resize2, through ``peers/``."""

from __future__ import annotations

import ctypes
import functools
import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from peer import MissingPeerError, Peer, Problem, RefusedError, padded_planes

HERE = Path(__file__).parent
BUILD = HERE.parent / "build" / "benchmark-peers"
TYPES = {np.dtype(np.float32): 0, np.dtype(np.uint8): 1, np.dtype(np.float16): 2}
BRINGS = {
    "zimg": "apt-get install libzimg-dev cmake",
    "ipp": "pip install ipp-devel ipp-static",
    "stb": "apt-get install libstb-dev (Debian 13 or newer), or a network, and cmake",
}


class _Job(ctypes.Structure):
    """As in peers/peer.h."""

    _fields_ = (
        ("from_", ctypes.c_void_p),
        ("to", ctypes.c_void_p),
        *((name, ctypes.c_ssize_t) for name in ("from_plane", "from_row", "to_plane", "to_row")),
        *((name, ctypes.c_int) for name in ("planes", "channels", "width", "height")),
        *((name, ctypes.c_int) for name in ("out_width", "out_height")),
        *((name, ctypes.c_int) for name in ("type", "antialias", "avx2")),
        ("a", ctypes.c_double),
    )


@functools.cache
def _build() -> None:
    """All libraries that can be had; none where there is no CMake."""
    prefixes = [sys.prefix, *os.environ.get("CMAKE_PREFIX_PATH", "").split(os.pathsep)]
    configure = ["cmake", "-S", HERE / "peers", "-B", BUILD]
    configure.append(f"-DCMAKE_PREFIX_PATH={';'.join(filter(None, prefixes))}")
    if "STB_INCLUDE_DIR" in os.environ:
        configure.append(f"-DSTB_INCLUDE_DIR={os.environ['STB_INCLUDE_DIR']}")
    try:
        for command in (configure, ["cmake", "--build", BUILD]):
            subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"benchmarks/peers: {getattr(error, 'stderr', error)}", file=sys.stderr)


@functools.cache
def library(name: str) -> ctypes.CDLL:
    """Built first, if needed."""
    _build()
    path = BUILD / f"libsr_ops_peer_{name}.so"
    if not path.exists():
        raise MissingPeerError(f"{name}: {BRINGS[name]}")
    loaded = ctypes.CDLL(str(path))
    loaded.sr_ops_peer_make.restype = ctypes.c_void_p
    loaded.sr_ops_peer_make.argtypes = [ctypes.POINTER(_Job)]
    loaded.sr_ops_peer_run.argtypes = [ctypes.c_void_p]
    loaded.sr_ops_peer_version.restype = ctypes.c_char_p
    return loaded


def version(name: str) -> str:
    """As the library itself says; of IPP, as its package says."""
    if name == "ipp":
        library(name)
        try:
            return importlib.metadata.version("ipp-devel")
        except importlib.metadata.PackageNotFoundError:  # it was linked in another environment
            return "(version unknown)"
    text: bytes = library(name).sr_ops_peer_version()
    return text.decode()


def native(name: str, planes_only: bool = False) -> Callable[[Problem], Peer]:
    """The peer of this name; ``planes_only``: whatever the problem's layout is."""

    def make(problem: Problem) -> Peer:
        loaded = library(name)
        planar = problem.planar or planes_only
        if planar:
            source = problem.planes()
            target = padded_planes(*problem.size, problem.dtype)
        else:
            source = problem.pixels()[None]
            target = problem.results()[0][None]
        job = _Job(
            source.ctypes.data, target.ctypes.data, *source.strides[:2], *target.strides[:2],
            len(source), 1 if planar else 3, problem.width, problem.height,
            problem.size[1], problem.size[0], TYPES[problem.dtype],
            int(problem.antialias), int(problem.avx2), problem.a,
        )  # fmt: skip
        handle = loaded.sr_ops_peer_make(ctypes.byref(job))
        if not handle or loaded.sr_ops_peer_run(handle) != 0:
            raise RefusedError(name)
        keep = (source, target)
        return Peer(
            lambda: (loaded.sr_ops_peer_run(handle), keep)[0],
            lambda: target.transpose(1, 2, 0) if planar else target[0],
        )

    return make
