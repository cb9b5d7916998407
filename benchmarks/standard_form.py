"""Upscaling from standard operators alone, against the runtime's own cubic Resize.

Nothing of ours is in the session but in the contender ``sr_ops``: what others run who have the file
and not the library.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from measure import Contender
from onnx import TensorProto, helper
from sessions import bound_run, session

import sr_ops

ANTIALIAS = {"antialias": 1, "cubic_coeff_a": -0.5, "exclude_outside": 1}
#: Few channels and many, small images and large ones: the runtime's Resize takes up to ten seconds.
ENLARGED = [
    ((1, 3, 100, 130), 2.7),
    ((1, 64, 64, 64), 2),
    *itertools.product(
        [(1, 3, 256, 256), (1, 3, 720, 1280), (1, 64, 128, 128), (8, 3, 256, 256)],
        (1.5, 2, 2.7, 3, 4),
    ),
]
SHRUNK = [((1, 3, 720, 1280), 0.5), ((1, 3, 720, 1280), 0.3), ((1, 64, 128, 128), 0.5)]


def _resize(attributes: dict[str, Any]) -> onnx.ModelProto:
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", "c", "h", "w"]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [4]),
    ]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", "c", "oh", "ow"])
    node = helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="cubic", **attributes)
    graph = helper.make_graph([node], "resize", inputs, [output])
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 18)])


def standard_form(threads: int) -> Iterator[tuple[dict[str, Any], dict[str, Contender]]]:
    """One node in a session, in every spelling of an exported file."""
    cases = [(*case, {}) for case in ENLARGED] + [(*case, ANTIALIAS) for case in SHRUNK]
    for shape, scale, attributes in cases:
        stock = _resize(attributes)
        file = sr_ops.onnx.accelerate(stock)
        sessions = {
            "sr_ops": session(file, threads, library=True),
            "function": session(file, threads, library=False),
            "matmul": session(sr_ops.onnx.standardize(file, op="MatMul"), threads, library=False),
            "onnxruntime": session(stock, threads, library=False),
        }
        x = np.random.default_rng(0).random(shape, dtype=np.float32)
        feeds = {"x": x, "scales": np.array([1, 1, scale, scale], np.float32)}
        runs = {name: bound_run(opened, feeds) for name, opened in sessions.items()}
        ours = runs["sr_ops"][1]
        case = {
            "shape": shape,
            "scale": scale,
            "threads": threads,
            "antialias": bool(attributes),
            "difference": {name: float(np.abs(y - ours).max()) for name, (_, y) in runs.items()},
        }
        yield case, {name: run for name, (run, _) in runs.items()}
