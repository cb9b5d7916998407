"""What is measured: each group yields (case, contenders).

``sr_ops`` is one of them in all groups but ``models``, whose contenders are all ours.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import cv2
import ml_dtypes
import numpy as np
import onnx
import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from end_to_end import models
from fastest import PILLOW, fastest
from frontier import frontier
from measure import Contender, aligned_empty, memcpy_of, memset_of
from PIL import Image
from quantized import quantized
from sessions import bound_run, session
from standard_form import standard_form
from untouched import untouched
from whole_pictures import whole_pictures

import sr_ops
import sr_ops.numpy
from sr_ops import _native

Case = tuple[dict[str, Any], dict[str, Contender]]

IMAGES = [
    (1, 3, 256, 256),
    (1, 3, 720, 1280),
    (1, 64, 128, 128),
    (8, 3, 256, 256),
    (1, 3, 1080, 1920),
]


def set_threads(threads: int) -> None:
    """The same number for every contender."""
    sr_ops.numpy.set_num_threads(threads)
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)


def _random(shape: tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
    rng = np.random.default_rng(0)
    if np.issubdtype(np.dtype(dtype), np.integer):
        return rng.integers(0, 256, shape).astype(dtype)
    return rng.random(shape).astype(dtype)


def _ours(
    x: np.ndarray, scale: float, layout: str, **keywords: Any
) -> tuple[np.ndarray, Contender]:
    out = aligned_empty(
        sr_ops.numpy.dynamic_upscale(x, scale, layout=layout, **keywords).shape, x.dtype
    )
    return out, lambda: sr_ops.numpy.dynamic_upscale(x, scale, layout=layout, out=out, **keywords)


def _opencv(pictures: list[np.ndarray], height: int, width: int) -> Contender:
    outs = [cv2.resize(p, (width, height), interpolation=cv2.INTER_CUBIC) for p in pictures]

    def run() -> None:
        for picture, out in zip(pictures, outs, strict=True):
            cv2.resize(picture, (width, height), dst=out, interpolation=cv2.INTER_CUBIC)

    return run


def _torch(x: np.ndarray, height: int, width: int, **keywords: Any) -> Contender:
    tensor = torch.from_numpy(x)
    return lambda: F.interpolate(tensor, size=(height, width), mode="bicubic", **keywords)


def upscale(threads: int) -> Iterator[Case]:
    """float32 NCHW, the main case."""
    for shape, scale in itertools.product(IMAGES, (1.5, 2, 2.7, 3, 4)):
        if np.prod(shape) * scale**2 > 6e7:
            continue
        x = _random(shape)
        out, ours = _ours(x, scale, "NCHW")
        height, width = out.shape[2:]
        planes = list(x.reshape(-1, *shape[2:]))
        contenders = {"sr_ops": ours, "memcpy": memcpy_of(out), "memset": memset_of(out)}
        contenders["opencv"] = _opencv(planes, height, width)
        contenders["torch"] = _torch(x, height, width)
        yield {"shape": shape, "scale": scale, "threads": threads}, contenders


def channels_last(threads: int) -> Iterator[Case]:
    """float32 interleaved: three channels and sixty-four."""
    for shape, scale in [((1, 256, 256, 3), 3), ((1, 720, 1280, 3), 2), ((1, 128, 128, 64), 2)]:
        x = _random(shape)
        out, ours = _ours(x, scale, "NHWC")
        tensor = torch.from_numpy(x).permute(0, 3, 1, 2)
        size = out.shape[1:3]
        contenders = {"sr_ops": ours, "memcpy": memcpy_of(out), "opencv": _opencv([x[0]], *size)}
        contenders["torch"] = lambda t=tensor, s=size: F.interpolate(t, size=s, mode="bicubic")
        yield {"shape": shape, "scale": scale, "threads": threads}, contenders


def pictures(threads: int) -> Iterator[Case]:
    """uint8 HWC pictures against OpenCV and Pillow; antialiased where Pillow always is."""
    for scale, keywords in [(3, {}), (2, {}), (1.5, {}), (0.5, {}), (0.5, PILLOW), (0.3, PILLOW)]:
        shape = (256, 256, 3) if scale == 3 else (720, 1280, 3)
        x = _random(shape, np.uint8)
        out, ours = _ours(x, scale, "HWC", **keywords)
        height, width = out.shape[:2]
        image = Image.fromarray(x)
        contenders = {"sr_ops": ours, "memcpy": memcpy_of(out)}
        contenders["pillow"] = lambda i=image, s=(width, height): i.resize(
            s, Image.Resampling.BICUBIC
        )
        if not keywords:
            contenders["opencv"] = _opencv([x], height, width)
        yield {"shape": shape, "scale": scale, "threads": threads, **keywords}, contenders


def downscale(threads: int) -> Iterator[Case]:
    """float32 NCHW below 1, plain and antialiased."""
    for scale, keywords in [(0.5, {}), (0.5, PILLOW), (0.3, PILLOW)]:
        x = _random((1, 3, 720, 1280))
        out, ours = _ours(x, scale, "NCHW", **keywords)
        contenders = {"sr_ops": ours}
        contenders["torch"] = _torch(x, *out.shape[2:], antialias=bool(keywords))
        if not keywords:
            contenders["opencv"] = _opencv(list(x[0]), *out.shape[2:])
        yield {"shape": x.shape, "scale": scale, "threads": threads, **keywords}, contenders


def dtypes(threads: int) -> Iterator[Case]:
    """Each element type, 1x3x256x256 x3, against its own memcpy."""
    for dtype in (np.float32, np.float64, np.float16, ml_dtypes.bfloat16, np.uint8):
        x = _random((1, 3, 256, 256), dtype)
        out, ours = _ours(x, 3, "NCHW")
        case = {"dtype": np.dtype(dtype).name, "scale": 3, "threads": threads}
        yield case, {"sr_ops": ours, "memcpy": memcpy_of(out)}


def backward(threads: int) -> Iterator[Case]:
    """The gradient of the input, float32 NCHW."""
    for shape, scale in [((1, 3, 256, 256), 2), ((1, 3, 256, 256), 3), ((1, 64, 64, 64), 2)]:
        size = [shape[2] * scale, shape[3] * scale]
        gradient = aligned_empty((*shape[:2], *size))
        gradient[...] = 1
        result = aligned_empty(shape)
        tensor = torch.from_numpy(gradient)
        contenders = {
            "sr_ops": lambda g=gradient, r=result, s=scale: _native.resample(
                g, r, 0, s, s, 0, -0.75, False, False, True, threads
            ),
            "torch": lambda t=tensor, o=size, i=shape: torch.ops.aten.upsample_bicubic2d_backward(
                t, o, list(i), False, None, None
            ),
        }
        yield {"shape": shape, "scale": scale, "threads": threads}, contenders


def small(threads: int) -> Iterator[Case]:
    """Tiny and odd images through the Python front ends: mostly the cost of a call."""
    for side in (1, 4, 16, 31, 64, 97):
        x = _random((1, 1, side, side))
        out, ours = _ours(x, 3, "NCHW")
        tensor = torch.from_numpy(x)
        contenders = {"sr_ops": ours, "opencv": _opencv([x[0, 0]], *out.shape[2:])}
        contenders["sr_ops torch"] = lambda t=tensor: sr_ops.dynamic_upscale(t, 3)
        contenders["torch"] = lambda t=tensor: F.interpolate(t, scale_factor=3, mode="bicubic")
        yield {"shape": x.shape, "scale": 3, "threads": threads}, contenders


def growth(threads: int) -> Iterator[Case]:
    """x2 from 64 KB to 512 MB of output, into a reused and into a fresh array."""
    for side in (64, 128, 256, 512, 1024, 2048, 4096, 5792):
        x = _random((1, 1, side, side))
        out, ours = _ours(x, 2, "NCHW")
        contenders = {"sr_ops": ours, "memcpy": memcpy_of(out), "memset": memset_of(out)}
        contenders["sr_ops fresh output"] = lambda a=x: sr_ops.numpy.dynamic_upscale(a, 2)
        yield {"bytes": out.nbytes, "scale": 2, "threads": threads}, contenders


def onnxruntime(threads: int) -> Iterator[Case]:
    """One node in a session: stock Resize against the custom op."""
    helper = onnx.helper
    for shape, scale in [((1, 3, 256, 256), 2), ((1, 3, 256, 256), 3), ((1, 64, 128, 128), 2)]:
        x, scales = _random(shape), np.float32([1, 1, scale, scale])
        info = helper.make_tensor_value_info
        inputs = [info("x", 1, ["n", "c", "h", "w"]), info("scales", 1, [4])]
        node = helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="cubic")
        graph = helper.make_graph([node], "g", inputs, [info("y", 1, ["n", "c", "oh", "ow"])])
        stock = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 18)])
        fast = sr_ops.onnx.accelerate(stock)
        feeds = {"x": x, "scales": scales}
        contenders = {
            "sr_ops": bound_run(session(fast, threads, True), feeds)[0],
            "onnxruntime": bound_run(session(stock, threads, False), feeds)[0],
        }
        yield {"shape": shape, "scale": scale, "threads": threads}, contenders


def srcnn(threads: int) -> Iterator[Case]:
    """End to end: SRCNN x3 on 256x256 in ONNX Runtime."""
    model = sr_ops.models.SRCNN().eval()
    x, scale = _random((1, 3, 256, 256)), np.float32([3])
    feeds = {"x": x, "scale": scale}
    contenders = {}
    for name, op in (("sr_ops", "DynamicUpscale"), ("onnxruntime", "Resize")):
        path = f"/tmp/sr_ops_benchmark_{op}.onnx"
        sr_ops.onnx.export(model, (torch.from_numpy(x), 3.0), path, op=op)
        opened = session(onnx.load(path), threads, library=name == "sr_ops")
        contenders[name] = bound_run(opened, feeds)[0]
    yield {"model": "SRCNN", "scale": 3, "threads": threads}, contenders


GROUPS = {
    f.__name__: f
    for f in (
        upscale, channels_last, pictures, downscale, fastest, dtypes, backward, small, growth,
        onnxruntime, srcnn, models, frontier, quantized, untouched, whole_pictures, standard_form,
    )
}  # fmt: skip
