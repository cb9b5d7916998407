"""The fastest resamplers that can be had by package, each optional.

One that is missing is skipped by name, with what brings it. Each result is compared with float64
ones, to say whose kernel it is and how exact.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version

import peers_native
import peers_python
from peer import MissingPeerError, Peer, Problem, RefusedError

PEERS: dict[str, Callable[[Problem], Peer]] = {
    "zimg": peers_native.native("zimg", planes_only=True),
    "ipp": peers_native.native("ipp"),
    "stb": peers_native.native("stb"),
    "fast_image_resize": peers_python.fast_image_resize,
    "opencv": peers_python.opencv,
    "pillow": peers_python.pillow,
    "pillow_simd": peers_python.pillow_simd,
    "torch": peers_python.torch,
    "libvips": peers_python.libvips,
    "swscale": peers_python.swscale,
    "openvino": peers_python.openvino,
    "jax": peers_python.jax,
}

#: The packages of those that no requirement brings.
PACKAGES = {
    "fast_image_resize": "cykooz.resizer",
    "libvips": "pyvips-binary",
    "swscale": "av",
    "openvino": "openvino",
    "jax": "jax",
}


def versions() -> dict[str, str]:
    """Of the peers that are there and are no requirement of the benchmarks."""
    found = {}
    for name, package in PACKAGES.items():
        with contextlib.suppress(PackageNotFoundError):
            found[name] = f"av {version(package)}" if package == "av" else version(package)
    with contextlib.suppress(MissingPeerError):
        found["pillow_simd"] = peers_python.simd_module().__version__
    for name in peers_native.BRINGS:
        with contextlib.suppress(MissingPeerError):
            found[name] = peers_native.version(name)
    return found


_missing: set[str] = set()


def available(problem: Problem) -> Iterator[tuple[str, Peer]]:
    """The peers that take this problem; says once which are not installed."""
    for name, make in PEERS.items():
        try:
            peer = make(problem)
            peer.run()
        except RefusedError:
            continue
        except MissingPeerError as reason:
            if name not in _missing:
                print(f"skipped: {reason}")
            _missing.add(name)
            continue
        yield name, peer
