"""Denormal numbers are kept, unless somebody asks for zeros: each front end in its own way."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
import torch

import sr_ops
from sr_ops.errors import InvalidTypeError

MODEL = """<ir_version: 8, opset_import: ["": 18, "sr_ops": 1]>
graph (float[n, c, h, w] x, float[4] scales) => (float[n, c, a, b] y)
{ y = sr_ops.DynamicUpscale(x, scales) }"""
TINY = np.full((1, 1, 3, 5), 1e-40, np.float32)
LARGE = np.full((1, 2, 400, 300), 1e-40, np.float32)  # several threads


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    yield
    sr_ops.numpy.set_flush_denormal(False)
    torch.set_flush_denormal(False)


@pytest.mark.parametrize("x", [TINY, LARGE], ids=["small", "large"])
def test_numpy(x: np.ndarray) -> None:
    assert (sr_ops.numpy.dynamic_upscale(x, 2) > 0).all()
    sr_ops.numpy.set_flush_denormal(True)
    assert (sr_ops.numpy.dynamic_upscale(x, 2) == 0).all()
    assert (x[:, :, :, ::2] * np.float32(1) > 0).all()  # only inside the call
    sr_ops.numpy.set_flush_denormal(False)
    assert (sr_ops.numpy.dynamic_upscale(x, 2) > 0).all()


def test_numpy_refuses_other_values() -> None:
    with pytest.raises(InvalidTypeError, match=r"^mode: got 1, expected True or False"):
        sr_ops.numpy.set_flush_denormal(1)


def test_torch_obeys_its_own_switch() -> None:
    x = torch.from_numpy(TINY)
    assert (sr_ops.dynamic_upscale(x, 2).numpy() > 0).all()
    assert torch.set_flush_denormal(True)
    assert (sr_ops.dynamic_upscale(x, 2).numpy() == 0).all()


@pytest.mark.parametrize("flag", ["0", "1"])
def test_onnx_runtime_obeys_its_own_switch(flag: str) -> None:
    # A process of its own: the first session of a process decides for the threads that run it.
    code = f"""
import numpy as np, onnx, onnxruntime as ort, sr_ops
options = ort.SessionOptions()
options.add_session_config_entry("session.set_denormal_as_zero", "{flag}")
options.register_custom_ops_library(sr_ops.get_library_path())
model = onnx.parser.parse_model('''{MODEL}''')
session = ort.InferenceSession(model.SerializeToString(), options)
x = np.full((1, 1, 3, 5), 1e-40, np.float32)
(y,) = session.run(None, {{"x": x, "scales": np.array([1, 1, 2, 2], np.float32)}})
print(np.count_nonzero(y))
"""
    paths = os.pathsep.join(path for path in sys.path if path)
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(result.stdout) == (0 if flag == "1" else 60)
