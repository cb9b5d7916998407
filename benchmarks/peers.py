"""The fastest resamplers that can be had by package, for antialiased shrinking.

Each is optional. One that is missing is skipped by name, with what brings it. All of them shrink
with the kernel of Pillow: a = -0.5, stretched, without what lies outside.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from measure import Contender, aligned_empty
from PIL import Image

from sr_ops import reference

HERE = Path(__file__).parent
BUILD = HERE.parent / "build" / "benchmark-peers"
ATTRIBUTES = {"cubic_coeff_a": -0.5, "antialias": True, "exclude_outside": True}


class MissingPeerError(Exception):
    """A peer that is not installed; the message says what brings it."""


@dataclass
class Peer:
    """One resampler at one problem: what is timed, and the last result, (H, W, C)."""

    run: Contender
    result: Callable[[], np.ndarray]


@dataclass
class Shrink:
    """An image, (H, W, C), uint8 or float32, and the size that it shrinks to."""

    image: np.ndarray
    height: int
    width: int
    avx2: bool  # hold the peers to it

    def planes(self) -> np.ndarray:
        """(C, H, W), rows of whole cache lines."""
        planes = _padded((self.image.shape[2], *self.image.shape[:2]), self.image.dtype)
        planes[...] = self.image.transpose(2, 0, 1)
        return planes


def _padded(shape: tuple[int, int, int], dtype: Any) -> np.ndarray:
    line = 64 // np.dtype(dtype).itemsize
    whole = aligned_empty((*shape[:2], -(-shape[2] // line) * line), dtype)
    return whole[:, :, : shape[2]]


def _zimg_library() -> ctypes.CDLL:
    library = BUILD / "libsr_ops_zimg_peer.so"
    if not library.exists():
        for command in (["cmake", "-S", HERE / "peers", "-B", BUILD], ["cmake", "--build", BUILD]):
            if subprocess.run(command, check=False, capture_output=True).returncode != 0:
                raise MissingPeerError("zimg: apt-get install libzimg-dev cmake")
    loaded = ctypes.CDLL(str(library))
    loaded.sr_ops_zimg_make.restype = ctypes.c_void_p
    loaded.sr_ops_zimg_make.argtypes = [
        *(ctypes.c_uint,) * 4, ctypes.c_int, ctypes.c_double, ctypes.c_int,
    ]  # fmt: skip
    buffer = [ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_ssize_t]
    loaded.sr_ops_zimg_run.argtypes = [ctypes.c_void_p, *buffer, *buffer]
    return loaded


def zimg(problem: Shrink) -> Peer:
    """zimg on planes, which is its only layout."""
    library = _zimg_library()
    source = problem.planes()
    target = _padded((3, problem.height, problem.width), source.dtype)
    height, width = source.shape[1:]
    bytes_ = int(source.dtype == np.uint8)
    graph = library.sr_ops_zimg_make(
        width, height, problem.width, problem.height, bytes_, -0.5, int(problem.avx2)
    )
    if not graph:
        raise MissingPeerError("zimg refuses this problem")

    def run() -> None:
        library.sr_ops_zimg_run(
            graph, source.ctypes.data, *source.strides[:2], target.ctypes.data, *target.strides[:2]
        )

    return Peer(run, lambda: target.transpose(1, 2, 0))


def fast_image_resize(problem: Shrink) -> Peer:
    """The Rust library, through its Python package."""
    try:
        import cykooz_resizer as fir
    except ImportError:
        raise MissingPeerError("fast_image_resize: pip install cykooz.resizer") from None
    resizer = fir.Resizer()
    resizer.cpu_extensions = fir.CpuExtensions.avx2  # its best on x86-64
    options = fir.ResizeOptions(
        resize_alg=fir.ResizeAlg.convolution(fir.FilterType.catmull_rom), use_alpha=False
    )
    kind = fir.PixelType.U8x3 if problem.image.dtype == np.uint8 else fir.PixelType.F32x3
    height, width, channels = problem.image.shape
    source = fir.ImageData(width, height, kind, problem.image.tobytes())
    target = fir.ImageData(problem.width, problem.height, kind)
    shape = (problem.height, problem.width, channels)
    return Peer(
        lambda: resizer.resize(source, target, options),
        lambda: np.frombuffer(target.get_buffer(), problem.image.dtype).reshape(shape),
    )


def pillow(problem: Shrink) -> Peer:
    """Pillow, which has bytes alone in colour."""
    if problem.image.dtype != np.uint8:
        raise MissingPeerError("Pillow shrinks no colour pictures of float32")
    image, results = Image.fromarray(problem.image), [None]
    size = (problem.width, problem.height)

    def run() -> None:
        results[0] = image.resize(size, Image.Resampling.BICUBIC)

    return Peer(run, lambda: np.asarray(results[0]))


def _pillow_simd() -> Any:
    """Its module Image, beside Pillow's: both packages are called PIL."""
    if "PIL_SIMD.Image" not in sys.modules:
        start = Path(os.environ.get("SR_OPS_PILLOW_SIMD", "")) / "PIL" / "__init__.py"
        if not os.environ.get("SR_OPS_PILLOW_SIMD") or not start.exists():
            raise MissingPeerError(
                "Pillow-SIMD: CC='cc -mavx2' pip install --no-deps --target DIR pillow-simd, and "
                "DIR as the environment variable SR_OPS_PILLOW_SIMD"
            )
        spec = importlib.util.spec_from_file_location(
            "PIL_SIMD", start, submodule_search_locations=[str(start.parent)]
        )
        assert spec and spec.loader
        sys.modules["PIL_SIMD"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["PIL_SIMD"])
    return importlib.import_module("PIL_SIMD.Image")


def pillow_simd(problem: Shrink) -> Peer:
    """The fork of Pillow for AVX2, whose bytes are not Pillow's."""
    if problem.image.dtype != np.uint8:
        raise MissingPeerError("Pillow-SIMD shrinks no colour pictures of float32")
    module = _pillow_simd()
    height, width = problem.image.shape[:2]
    image = module.frombytes("RGB", (width, height), problem.image.tobytes())
    size, results = (problem.width, problem.height), [None]

    def run() -> None:
        results[0] = image.resize(size, module.BICUBIC)

    return Peer(run, lambda: np.asarray(results[0]))


def torch_antialias(problem: Shrink) -> Peer:
    """torch's interpolate in the layout that suits it: uint8 channels last, float32 planes."""
    tensor = torch.from_numpy(problem.image).permute(2, 0, 1)[None]
    if problem.image.dtype != np.uint8:
        tensor = tensor.contiguous()
    size, results = (problem.height, problem.width), [tensor]

    def run() -> None:
        results[0] = F.interpolate(tensor, size=size, mode="bicubic", antialias=True)

    return Peer(run, lambda: results[0][0].permute(1, 2, 0).numpy())


PEERS: dict[str, Callable[[Shrink], Peer]] = {
    "zimg": zimg,
    "fast_image_resize": fast_image_resize,
    "pillow": pillow,
    "pillow_simd": pillow_simd,
    "torch": torch_antialias,
}
PACKAGES = {"fast_image_resize": "cykooz.resizer"}


def versions() -> dict[str, str]:
    """Of the peers that are there and are no requirement of the benchmarks."""
    found = {}
    for name, package in PACKAGES.items():
        try:
            found[name] = version(package)
        except PackageNotFoundError:
            continue
    with contextlib.suppress(MissingPeerError):
        found["pillow_simd"] = _pillow_simd().__version__
    command = ["pkg-config", "--modversion", "zimg"]
    with contextlib.suppress(FileNotFoundError):
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        found["zimg"] = done.stdout.strip()
    return {name: number for name, number in found.items() if number}


def available(problem: Shrink) -> Iterator[tuple[str, Peer]]:
    """The peers that take this problem; says which do not."""
    for name, make in PEERS.items():
        try:
            yield name, make(problem)
        except MissingPeerError as reason:
            print(f"skipped: {reason}")


def difference(problem: Shrink, result: np.ndarray) -> float:
    """From the float64 result, on some rows: of uint8, the part of the levels that are not the
    rounded ones, of float32 the greatest difference."""
    height, width = problem.image.shape[:2]
    rows = reference.axis_matrix(height, problem.height, problem.height / height, **ATTRIBUTES)
    columns = reference.axis_matrix(width, problem.width, problem.width / width, **ATTRIBUTES)
    some = slice(None, None, max(1, problem.height // 24))
    exact = np.einsum("oy,yxc->oxc", rows[some], problem.image.astype(np.float64), optimize=True)
    exact = np.einsum("px,oxc->opc", columns, exact, optimize=True)
    if problem.image.dtype != np.uint8:
        return float(np.abs(result[some] - exact).max())
    return float((result[some] != np.rint(np.clip(exact, 0, 255))).mean())
