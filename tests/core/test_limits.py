"""A few numbers cannot ask for years or terabytes: refused by name, in every front end."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sr_ops
from sr_ops.errors import InvalidArgumentError, InvalidTypeError

upscale = sr_ops.numpy.dynamic_upscale

#: What a process may take: address space, in bytes. Far less than the tables that are refused.
ADDRESS_SPACE = 12 * 2**30
SECONDS = 100

#: Each sets `run(height, width, out_height, out_width)`, on ones of type uint8 that take no memory.
FRONT_ENDS = {
    "numpy": """
import numpy as np, sr_ops
def run(h, w, oh, ow):
    x = np.broadcast_to(np.uint8(1), (h, w))
    return sr_ops.numpy.dynamic_upscale(x, size=(oh, ow), layout="HW", antialias=True)
""",
    "torch": """
import torch, sr_ops
def run(h, w, oh, ow):
    x = torch.ones((1, 1, 1, 1), dtype=torch.uint8).expand(1, 1, h, w)
    return sr_ops.dynamic_upscale(x, size=(oh, ow), antialias=True).numpy()
""",
    "torch, backward": """
import torch, sr_ops
sr_ops.dynamic_upscale(torch.ones(1, 1, 2, 2), 2)  # loads the ops
def run(h, w, oh, ow):
    g = torch.ones((1, 1, 1, 1)).expand(1, 1, oh, ow)
    backward = torch.ops.sr_ops.dynamic_upscale_to_size_backward
    return backward(g, [h, w], None, None, 0, -0.75, True, False)
""",
    "onnxruntime": """
import numpy as np, onnx, sr_ops
from onnx import helper
def run(h, w, oh, ow):
    op = "DynamicUpscaleToSizes"
    node = helper.make_node(op, ["X", "sizes"], ["Y"], domain="sr_ops", antialias=1)
    value = helper.make_tensor_value_info
    ends = [value("X", 2, ["h", "w"]), value("sizes", 7, [2])]
    graph = helper.make_graph([node], "g", ends, [value("Y", 2, ["a", "b"])])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("sr_ops", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    session = sr_ops.onnx.make_session(model)
    feeds = {"X": np.zeros((h, w), np.uint8), "sizes": np.array([oh, ow], np.int64)}
    return session.run(None, feeds)[0] + 1
""",
    "C": """
import numpy as np, sr_ops
from through_front_ends import core_upscale
def run(h, w, oh, ow):
    x = np.broadcast_to(np.uint8(1), (1, 1, h, w))
    attributes = {"coordinate_transformation_mode": "half_pixel", "cubic_coeff_a": -0.75}
    attributes |= {"exclude_outside": False, "antialias": True}
    request = {"dtype": "uint8", "shape": x.shape, "size": [oh, ow], "attributes": attributes}
    return core_upscale(request, x)
""",
}

CHILD = """
import resource
{front_end}
resource.setrlimit(resource.RLIMIT_AS, ({space}, {space}))
for shape in {shapes}:
    try:
        result = run(*shape)
    except Exception as error:
        message = f"{{type(error).__name__}} {{error}}"
        assert "would need" in message or "2**40" in message or "2^40" in message, message
        assert "Error" in message and "SR_OPS_MAX" in message or "40 elements" in message, message
    else:
        assert (result == 1).all(), (shape, result)
    print(shape, "survived", flush=True)
"""


def _shapes(least: int, most: int) -> list[tuple[int, int, int, int]]:
    lengths = [2**exponent + more for exponent in range(least, most) for more in (0, 3)]
    wide = [(1, n, 1, out) for n in lengths for out in (1, 2)]
    return wide + [(w, h, ow, oh) for h, w, oh, ow in wide]


@pytest.mark.parametrize("front_end", FRONT_ENDS)
def test_extreme_shapes_are_computed_or_refused(front_end: str) -> None:
    # ONNX Runtime takes no strides of 0: its inputs reserve what they seem to hold.
    shapes = _shapes(28, 33) if front_end == "onnxruntime" else _shapes(28, 41)
    code = CHILD.format(front_end=FRONT_ENDS[front_end], space=ADDRESS_SPACE, shapes=shapes)
    paths = os.pathsep.join(path for path in sys.path if path)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-2000:]
    assert result.stdout.count("survived") == len(shapes)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < SECONDS


def test_extreme_shapes_through_webassembly() -> None:
    """Without a limit of address space: engines reserve terabytes; WebAssembly has 4 GiB."""
    package = Path(__file__).resolve().parents[2] / "js"
    node = shutil.which("node")
    if node is None or not (package / "sr_ops.wasm").exists():
        pytest.skip("no WebAssembly: `make wasm` builds js/sr_ops.wasm; Node runs it")
    result = subprocess.run(
        [node, str(package / "test" / "extreme_shapes.mjs")],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-2000:]
    assert result.stdout.endswith("alive\n")
    assert result.stdout.count("computed") > 0 and result.stdout.count("refused") > 50


def test_large_tables_are_not_kept() -> None:
    """Those of the last calls are; 32 of the size that one may have would end the process."""
    code = """
import numpy as np, sr_ops
from pathlib import Path
def held():
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) >> 10
before = held()
for more in range(8):  # 140 MiB each
    x = np.broadcast_to(np.uint8(1), (2**20 + more, 1))
    sr_ops.numpy.dynamic_upscale(x, size=(1, 1), layout="HW", antialias=True)
print(held() - before)
"""
    paths = os.pathsep.join(path for path in sys.path if path)
    result = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": paths},
        capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    assert int(result.stdout) < 600  # MiB


def test_without_antialias_the_longest_axis_has_four_taps() -> None:
    row = np.broadcast_to(np.uint8(7), (1, 2**40))
    assert upscale(row, size=(1, 5), layout="HW").tolist() == [[7] * 5]


def test_what_is_refused_says_what_it_would_need_and_can_be_allowed() -> None:
    row = np.broadcast_to(np.uint8(3), (1, 2**18))
    before = sr_ops.numpy.get_limits()
    try:
        assert upscale(row, size=(1, 1), layout="HW", antialias=True).tolist() == [[3]]
        sr_ops.numpy.set_limits(table_bytes=2**20)
        message = r"would need \S+ bytes for its tables, more than .* SR_OPS_MAX_TABLE_BYTES"
        with pytest.raises(InvalidArgumentError, match=message):
            upscale(row, size=(1, 1), layout="HW", antialias=True)
        sr_ops.numpy.set_limits(table_bytes=before["table_bytes"], work=2**10)
        with pytest.raises(
            InvalidArgumentError, match=r"multiply-adds, more than .* SR_OPS_MAX_WORK"
        ):
            upscale(row, size=(1, 1), layout="HW", antialias=True)
        assert sr_ops.numpy.get_limits() == {**before, "work": 2**10}
    finally:
        sr_ops.numpy.set_limits(**before)
    assert upscale(row, size=(1, 1), layout="HW", antialias=True).tolist() == [[3]]


@pytest.mark.parametrize("name", ["work", "table_bytes"])
def test_limits_that_are_refused(name: str) -> None:
    for value in (0, -1, 2**63):
        with pytest.raises(InvalidArgumentError, match=name):
            sr_ops.numpy.set_limits(**{name: value})
    for value in (1.5, "8", True):
        with pytest.raises(InvalidTypeError, match=name):
            sr_ops.numpy.set_limits(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("variable", ["SR_OPS_MAX_WORK", "SR_OPS_MAX_TABLE_BYTES"])
def test_the_environment_sets_limits(variable: str) -> None:
    code = "import numpy, sr_ops; sr_ops.numpy.dynamic_upscale(numpy.ones((1, 1, 99, 99)), 2.5)"
    paths = os.pathsep.join(path for path in sys.path if path)
    for value, expected in [("100", "would need"), ("1e9", "expected an integer > 0"), ("", "")]:
        result = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": paths, variable: value},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert expected in result.stderr
        assert (variable in result.stderr) == bool(expected)
        assert (result.returncode == 0) == (expected == "")
