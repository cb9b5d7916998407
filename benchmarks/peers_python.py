"""Peers that are Python packages. Each is optional; one that is missing says what brings it."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from peer import MissingPeerError, Peer, Problem, RefusedError


@functools.cache
def module(name: str, brings: str) -> Any:
    """A package's module, or why it is not there."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingPeerError(f"{name}: {brings}") from None


def _refuse_unless(condition: bool, what: str) -> None:
    if not condition:
        raise RefusedError(what)


def opencv(problem: Problem) -> Peer:
    """OpenCV, which never stretches its kernel."""
    import cv2

    _refuse_unless(not problem.antialias and problem.dtype != np.float16, "OpenCV")
    pictures, results = problem.pictures(), problem.results()
    size = problem.size[::-1]

    def run() -> None:
        for picture, result in zip(pictures, results, strict=True):
            cv2.resize(picture, size, dst=result, interpolation=cv2.INTER_CUBIC)

    return Peer(run, lambda: problem.as_pixels(results))


def torch(problem: Problem) -> Peer:
    """torch's interpolate; pixels are channels last. Bytes are quicker with its antialias, which
    means nothing where a picture grows."""
    import torch
    import torch.nn.functional as F  # noqa: N812 (its usual name)

    _refuse_unless(problem.dtype != np.float16, "torch")
    if problem.planar:
        tensor = torch.from_numpy(np.ascontiguousarray(problem.planes()))[None]
    else:
        tensor = torch.from_numpy(problem.pixels()).permute(2, 0, 1)[None]
    results = [tensor]
    antialias = problem.antialias or (problem.dtype == np.uint8 and not problem.shrinks)

    def run() -> None:
        results[0] = F.interpolate(tensor, size=problem.size, mode="bicubic", antialias=antialias)

    return Peer(run, lambda: results[0][0].permute(1, 2, 0).numpy())


def fast_image_resize(problem: Problem) -> Peer:
    """The Rust library, through its Python package."""
    fir = module("cykooz_resizer", "pip install cykooz.resizer")
    _refuse_unless(problem.dtype != np.float16, "fast_image_resize")
    _refuse_unless(problem.antialias or not problem.shrinks, "fast_image_resize")
    resizer = fir.Resizer()
    resizer.cpu_extensions = fir.CpuExtensions.avx2  # its best on x86-64
    options = fir.ResizeOptions(
        resize_alg=fir.ResizeAlg.convolution(fir.FilterType.catmull_rom), use_alpha=False
    )
    kinds = {(True, "float32"): "F32", (False, "float32"): "F32x3", (False, "uint8"): "U8x3"}
    kind = getattr(fir.PixelType, kinds[problem.planar, problem.dtype.name])
    sources = [
        fir.ImageData(problem.width, problem.height, kind, np.ascontiguousarray(p).tobytes())
        for p in problem.pictures()
    ]
    targets = [fir.ImageData(problem.size[1], problem.size[0], kind) for _ in sources]

    def run() -> None:
        for source, target in zip(sources, targets, strict=True):
            resizer.resize(source, target, options)

    shape = problem.size if problem.planar else (*problem.size, 3)
    return Peer(
        run,
        lambda: problem.as_pixels(
            [np.frombuffer(t.get_buffer(), problem.dtype).reshape(shape) for t in targets]
        ),
    )


def _pillow(image_module: Any, problem: Problem) -> Peer:
    _refuse_unless(problem.dtype == np.uint8 or problem.planar, "no colour of float32")
    _refuse_unless(problem.dtype != np.float16, "no float16")
    _refuse_unless(problem.antialias or not problem.shrinks, "always antialiased")
    height, width = problem.height, problem.width
    mode = "F" if problem.planar else "RGB"
    images = [
        image_module.frombytes(mode, (width, height), np.ascontiguousarray(p).tobytes())
        for p in problem.pictures()
    ]
    results = [images]
    bicubic = image_module.Resampling.BICUBIC

    def run() -> None:
        results[0] = [image.resize(problem.size[::-1], bicubic) for image in images]

    return Peer(run, lambda: problem.as_pixels([np.asarray(image) for image in results[0]]))


def pillow(problem: Problem) -> Peer:
    from PIL import Image

    return _pillow(Image, problem)


@functools.cache
def simd_module() -> Any:
    """Pillow-SIMD's module Image, beside Pillow's: both packages are called PIL."""
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


def pillow_simd(problem: Problem) -> Peer:
    """The fork of Pillow for AVX2, whose bytes are not Pillow's."""
    return _pillow(simd_module(), problem)


def libvips(problem: Problem) -> Peer:
    """libvips, whose pictures are pixels; without its cache of results."""
    os.environ.setdefault("VIPS_CONCURRENCY", "1")
    vips = module("pyvips", "pip install pyvips pyvips-binary")
    _refuse_unless(problem.dtype != np.float16, "libvips")
    _refuse_unless(problem.antialias or not problem.shrinks, "libvips always stretches")
    vips.cache_set_max(0)
    pixels = problem.pixels()
    kind = "uchar" if problem.dtype == np.uint8 else "float"
    image = vips.Image.new_from_memory(pixels.data, problem.width, problem.height, 3, kind)
    across, down = problem.size[1] / problem.width, problem.size[0] / problem.height
    results = [b""]

    def run() -> None:
        if problem.shrinks:
            resized = image.reduce(1 / across, 1 / down, kernel="cubic")
        else:
            resized = image.resize(across, vscale=down, kernel="cubic")
        results[0] = resized.write_to_memory()

    def result() -> np.ndarray:
        assert pixels.size  # whose memory libvips reads
        return np.frombuffer(results[0], problem.dtype).reshape(*problem.size, 3)

    return Peer(run, result)


def swscale(problem: Problem) -> Peer:
    """FFmpeg's scaler, through PyAV: packed bytes, or planes of floats."""
    av = module("av", "pip install av")
    _refuse_unless(problem.dtype != np.float16, "swscale")
    _refuse_unless(problem.planar or problem.dtype == np.uint8, "swscale")
    _refuse_unless(problem.antialias or not problem.shrinks, "swscale always stretches")
    kind = "gbrpf32le" if problem.planar else "rgb24"
    frame = av.VideoFrame.from_ndarray(problem.pixels(), format=kind)
    reformatter = av.video.reformatter.VideoReformatter()
    height, width = problem.size
    results = [frame]

    def run() -> None:
        results[0] = reformatter.reformat(
            frame, width, height, kind, interpolation="BICUBIC", threads=1
        )

    def result() -> np.ndarray:
        return results[0].to_ndarray()

    return Peer(run, result)


def openvino(problem: Problem) -> Peer:
    """OpenVINO's Interpolate, a model of one node."""
    ov = module("openvino", "pip install openvino")
    _refuse_unless(problem.dtype != np.float16, "openvino")
    _refuse_unless(problem.antialias or not problem.shrinks, "openvino")
    _refuse_unless(problem.height * problem.width < 8_000_000, "openvino: takes seconds")
    op = importlib.import_module("openvino.opset13")
    pictures = np.stack(problem.planes())[None] if problem.planar else problem.pixels()[None]
    parameter = op.parameter(pictures.shape, ov.Type(pictures.dtype))
    node = op.interpolate(
        parameter,
        op.constant(np.array(problem.size, np.int64)),
        mode="bicubic_pillow" if problem.antialias else "cubic",
        shape_calculation_mode="sizes",
        axes=op.constant(np.array([2, 3] if problem.planar else [1, 2], np.int64)),
        coordinate_transformation_mode="half_pixel",
        cube_coeff=problem.a,
    )
    settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    request = ov.compile_model(ov.Model([node], [parameter]), "CPU", settings)
    request = request.create_infer_request()
    request.set_input_tensor(ov.Tensor(pictures, shared_memory=True))

    def run() -> None:
        request.start_async()
        request.wait()

    def result() -> np.ndarray:
        assert pictures.size  # whose memory OpenVINO reads
        found = request.get_output_tensor().data[0]
        return found.transpose(1, 2, 0) if problem.planar else found

    return Peer(run, result)


def jax(problem: Problem) -> Peer:
    """jax.image.resize, compiled, on one thread."""
    flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ.setdefault("XLA_FLAGS", flags)
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    jax_ = module("jax", "pip install jax")
    _refuse_unless(problem.dtype == np.float32, "jax: float32 alone")
    pictures = np.stack(problem.planes()) if problem.planar else problem.pixels()
    shape = (3, *problem.size) if problem.planar else (*problem.size, 3)
    resize = jax_.jit(lambda x: jax_.image.resize(x, shape, "cubic", antialias=problem.antialias))
    source = jax_.device_put(pictures)
    results = [source]

    def run() -> None:
        results[0] = resize(source).block_until_ready()

    def result() -> np.ndarray:
        found = np.asarray(results[0])
        return found.transpose(1, 2, 0) if problem.planar else found

    return Peer(run, result)
