"""An operator written in Python inside an ONNX Runtime session: the judge of a compiled one.

onnxruntime-extensions' ``@onnx_op`` lets a session call Python. Here a small super-resolution model
runs twice: once with sr_ops' library, once with the operator replaced by its float64 reference. The
two must agree, in the whole model and at every scale.

    python examples/python/python_oracle.py
"""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import onnxruntime_extensions
import torch
from onnxruntime_extensions import PyCustomOpDef, onnx_op

import sr_ops
from sr_ops import reference

#: onnxruntime-extensions offers Python operators in this domain.
PYTHON_DOMAIN = "ai.onnx.contrib"


@onnx_op(
    op_type="DynamicUpscale",
    inputs=[PyCustomOpDef.dt_float, PyCustomOpDef.dt_float],
    outputs=[PyCustomOpDef.dt_float],
    attrs={
        "coordinate_transformation_mode": PyCustomOpDef.dt_string,
        "cubic_coeff_a": PyCustomOpDef.dt_float,
        "exclude_outside": PyCustomOpDef.dt_int64,
        "antialias": PyCustomOpDef.dt_int64,
    },
)
def dynamic_upscale(x: np.ndarray, scales: np.ndarray, **attributes: object) -> np.ndarray:
    """The operator in float64, rounded once."""
    return reference.dynamic_upscale(x, scales.tolist(), **attributes).astype(np.float32)


def in_python(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """A session that computes every DynamicUpscale node in Python."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    del changed.functions[:]
    changed.opset_import.append(onnx.helper.make_opsetid(PYTHON_DOMAIN, 1))
    for node in changed.graph.node:
        if node.domain == "sr_ops":
            node.domain = PYTHON_DOMAIN
    options = onnxruntime.SessionOptions()
    options.register_custom_ops_library(onnxruntime_extensions.get_library_path())
    return onnxruntime.InferenceSession(
        changed.SerializeToString(), options, ["CPUExecutionProvider"]
    )


def main() -> None:
    torch.manual_seed(0)
    network = sr_ops.models.SRCNN(features=(16, 8))
    model = sr_ops.onnx.export(network, (torch.rand(1, 3, 16, 16), 2.0))
    fast, judge = sr_ops.onnx.make_session(model), in_python(model)
    x = np.random.default_rng(0).random((1, 3, 30, 40), dtype=np.float32)
    for scale in (0.5, 1.4, 2.0, 2.7, 4.0):
        feeds = {"x": x, "scale": np.array(scale, np.float32)}
        (y,), (want,) = fast.run(None, feeds), judge.run(None, feeds)
        difference = np.abs(y - want).max()
        print(f"x{scale}: {y.shape[3]} x {y.shape[2]}, largest difference {difference:.1e}")
        assert y.shape == want.shape
        assert difference < 1e-6


if __name__ == "__main__":
    main()
