"""The example that lets a Python operator judge the library: it runs, and it can tell."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import onnx
import pytest

import sr_ops

EXAMPLE = Path(__file__).parents[2] / "examples" / "python" / "python_oracle.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("python_oracle", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_runs(example, capsys):
    example.main()
    assert "x2.7: 108 x 81, largest difference" in capsys.readouterr().out


@pytest.mark.parametrize(
    "attributes",
    [
        'coordinate_transformation_mode="align_corners"',
        "cubic_coeff_a=-0.5, exclude_outside=1",
        "antialias=1",
    ],
)
def test_judges_every_attribute(example, attributes, rng):
    model = sr_ops.onnx.add_functions(
        onnx.parser.parse_model(
            f"""<ir_version: 8, opset_import: ["": 18, "sr_ops": 1]>
            graph (float[n,c,h,w] X, float[4] scales) => (float[n,c,a,b] Y) {{
                Y = sr_ops.DynamicUpscale<{attributes}>(X, scales)
            }}"""
        )
    )
    fast, judge = sr_ops.onnx.make_session(model), example.in_python(model)
    feeds = {
        "X": rng.random((2, 3, 11, 9), dtype=np.float32),
        "scales": np.array([1, 1, 2.7, 0.4], np.float32),
    }
    (y,), (want,) = fast.run(None, feeds), judge.run(None, feeds)
    np.testing.assert_allclose(y, want, rtol=0, atol=5e-7)
    default = sr_ops.reference.dynamic_upscale(feeds["X"], (2.7, 0.4))
    assert np.abs(y - default).max() > 1e-3
