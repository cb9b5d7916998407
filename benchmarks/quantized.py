"""What 8-bit integers would give the bundled networks: quality and speed, in ONNX Runtime."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import skimage.data
import torch
from frontier import HELD_OUT
from measure import Contender
from onnxruntime import quantization
from onnxruntime.quantization.shape_inference import quant_pre_process

import sr_ops
from sr_ops.imaging import colour
from sr_ops.imaging.evaluation import degrade, evaluate
from sr_ops.imaging.network import Network
from sr_ops.models.traits import Traits

SCALES = (2, 3, 4)
NAMES = ("multiscale", "fast")
#: What the ranges of the activations are taken from; no network learned from them.
CALIBRATION = ("coins", "immunohistochemistry", "page", "stereo_motorcycle")


class _Enlarge(torch.nn.Module):
    """A network at one factor, without the operator: only this becomes integers."""

    def __init__(self, network: Any, factor: int) -> None:
        super().__init__()
        self.network, self.factor = network, factor

    def forward(self, x: torch.Tensor) -> Any:
        return self.network.enlarge(x, self.factor)


class _Pictures(quantization.CalibrationDataReader):
    def __init__(self, factor: int) -> None:
        pictures = (getattr(skimage.data, name)() for name in CALIBRATION)
        arrays = (p[0] if isinstance(p, tuple) else p for p in pictures)
        self._inputs = ({"x": _luma(degrade(a, factor))[:, :, :160, :160]} for a in arrays)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._inputs, None)


def _luma(picture: np.ndarray) -> np.ndarray:
    planes = colour.to_planes(picture)
    return (planes if len(planes) == 1 else colour.luma(planes))[None]


def quantized(threads: int) -> Iterator[tuple[dict[str, Any], dict[str, Contender]]]:
    """``float32`` beside ``int8``, the hidden layers' convolutions, and ``int8, all layers``."""
    x = colour.luma(colour.to_planes(skimage.data.astronaut()[:320, :480]))[None]
    for name in NAMES:
        for scale in SCALES:
            network = sr_ops.models.load(name)
            with tempfile.TemporaryDirectory() as folder:
                sessions = _sessions(network.only(scale), scale, Path(folder), threads)
            small = np.ascontiguousarray(x[:, :, : 320 // scale, : 480 // scale])
            height, width = (side * scale for side in small.shape[2:])
            case = {
                "model": name,
                "scale": scale,
                "megapixels": height * width / 1e6,
                "threads": threads,
                "psnr": _psnr(sessions, Traits.of(network).at(scale), scale),
            }
            yield (
                case,
                {
                    form: functools.partial(session.run, None, {"x": small})
                    for form, session in sessions.items()
                },
            )


def _sessions(
    network: Any, factor: int, folder: Path, threads: int
) -> dict[str, ort.InferenceSession]:
    plain = folder / "float32.onnx"
    axes = {"x": {2: "height", 3: "width"}}
    enlarge = _Enlarge(network, factor).eval()
    torch.onnx.export(
        enlarge, (torch.rand(1, 1, 32, 32),), plain, input_names=["x"], dynamic_axes=axes,
        dynamo=False, opset_version=17,
    )  # fmt: skip
    quant_pre_process(str(plain), str(plain), skip_symbolic_shape=True)
    layers = [node.name for node in onnx.load(plain).graph.node if node.op_type == "Conv"]
    forms = {"float32": plain}
    for form, kept in (("int8", [layers[0], layers[-1]]), ("int8, all layers", [])):
        forms[form] = folder / f"{form}.onnx"
        quantization.quantize_static(
            str(plain), str(forms[form]), _Pictures(factor), per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            op_types_to_quantize=["Conv"], nodes_to_exclude=kept,
        )  # fmt: skip
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    return {
        form: ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        for form, path in forms.items()
    }


def _psnr(
    sessions: dict[str, ort.InferenceSession], traits: Traits, scale: int
) -> dict[str, float]:
    """dB of luma, a mean over the pictures that no network has seen."""
    networks = {
        form: Network(lambda x, _, s=session: s.run(None, {"x": x})[0], traits, form)
        for form, session in sessions.items()
    }
    values: dict[str, list[float]] = {}
    for picture in HELD_OUT:
        for score in evaluate(getattr(skimage.data, picture)(), scale, networks, name=picture):
            values.setdefault(score.model, []).append(score.psnr)
    return {form: round(float(np.mean(values[form])), 3) for form in sessions}
