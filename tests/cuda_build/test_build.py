"""The CUDA libraries: what can be seen of them without a GPU.

Built for one architecture, which takes half a minute; for every one that the toolkit knows among
the tests that take long.
"""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sr_ops

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "cuda"), str(Path(__file__).parent)]

import build_cuda  # noqa: E402
import cuda_report  # noqa: E402
import fatbin  # noqa: E402

pytestmark = [
    pytest.mark.xdist_group("cuda"),  # one process builds them
    pytest.mark.skipif(
        build_cuda.find_nvcc() is None,
        reason="nvcc was not found: the CUDA libraries are not built",
    ),
]
TYPES = ("float32", "float64", "float16", "bfloat16", "uint8", "int8")


#: Every GPU, and the most used one by itself, which is quick.
ARCHITECTURES = (
    pytest.param("all", marks=pytest.mark.long),
    "80-real",
)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def architectures(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def package(architectures: str) -> Path:
    """The folder that the libraries were built into; quick where nothing has changed."""
    script = ROOT / "scripts" / "cuda" / "build_cuda.py"
    command = [sys.executable, str(script), "--architectures", architectures]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return Path(done.stdout.splitlines()[-1])


def symbols(library: Path, *options: str) -> set[str]:
    command = ["nm", "--dynamic", *options, str(library)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {line.split()[-1].partition("@")[0] for line in listing.splitlines()}


def needed(library: Path) -> set[str]:
    command = ["readelf", "--dynamic", str(library)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"\(NEEDED\).*\[(.+)\]", listing))


def known_architectures(architectures: str) -> list[str]:
    """From sm_75 on, in order of age; of those that were asked for."""
    if architectures != "all":
        return re.findall("[0-9]+", architectures)
    nvcc = build_cuda.find_nvcc()
    assert nvcc
    command = [nvcc, "--list-gpu-arch"]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return sorted(
        (name for name in re.findall(r"compute_(\d+)", listing) if int(name) >= 75), key=int
    )


def test_libraries_show_their_entry_points_only(package: Path) -> None:
    assert symbols(package / "libsr_ops_torch_cuda.so", "--defined-only") == set()
    assert symbols(package / "libsr_ops_ort.so", "--defined-only") == {
        "CreateEpFactories",
        "RegisterCustomOps",
        "ReleaseEpFactory",
        "SrOpsRegisterCustomOps",
    }


def test_the_cuda_runtime_is_inside(package: Path) -> None:
    """Nothing to install beside the driver, which is looked for when the first kernel runs."""
    for name in ("libsr_ops_torch_cuda.so", "libsr_ops_ort.so"):
        assert not [library for library in needed(package / name) if "cuda" in library], name


@pytest.mark.skipif(
    not os.environ.get("SR_OPS_TENSORRT"),
    reason="SR_OPS_TENSORRT names no folder of TensorRT's headers: its plugins are not built",
)
def test_the_plugins_link_without_tensorrt(package: Path) -> None:
    """TensorRT loads them and brings its own library; they bring their CUDA runtime."""
    library = package / "libsr_ops_tensorrt.so"
    assert symbols(library, "--defined-only") == {"getCreators", "setLoggerFinder"}
    assert not [name for name in needed(library) if "nvinfer" in name or "cuda" in name]
    assert not [name for name in symbols(library, "--undefined-only") if "nvinfer" in name]
    # It can be loaded: nothing that it refers to is missing.
    assert ctypes.CDLL(str(library)).getCreators


def test_the_torch_library_keeps_to_the_stable_abi(package: Path) -> None:
    undefined = symbols(package / "libsr_ops_torch_cuda.so", "--undefined-only")
    listed = (ROOT / "tests" / "torch" / "torch_2_10_entry_points.txt").read_text()
    known = {line for line in listed.splitlines() if not line.startswith("#")}
    used = {name for name in undefined if re.match("(aoti_)?torch_", name)}
    assert {"torch_library_impl", "aoti_torch_create_device_guard"} <= used
    assert used <= known
    unstable = re.compile(r"_ZNK?(2at|3c10|6caffe2|5torch)|_?Py[A-Z_]|cuda")
    assert [name for name in undefined if unstable.match(name)] == []


def test_every_gpu_asked_for_has_code(package: Path, architectures: str) -> None:
    known = known_architectures(architectures)
    expected = {f"sm_{name}" for name in known}
    if architectures == "all":
        expected.add(f"compute_{known[-1]}")
    for name in ("libsr_ops_torch_cuda.so", "libsr_ops_ort.so"):
        # The static CUDA runtime may hold code for further ones.
        assert fatbin.targets(package / name) >= expected, name


def test_no_kernel_spills_registers(package: Path, architectures: str) -> None:
    kernels = list(cuda_report.kernels(package.parent))
    expected = {
        (dtype, kind, home)
        for dtype in TYPES
        for kind in ("Strip", "Tile")
        for home in ("block", "workspace")
    }
    expected |= {(dtype, "Table", "") for dtype in TYPES}
    for target in known_architectures(architectures):
        here = [kernel for kernel in kernels if kernel.target == f"sm_{target}"]
        assert {(k.dtype, k.kind, k.home) for k in here} == expected, target
    assert [kernel for kernel in kernels if kernel.spilled or kernel.stack] == []


def test_launches(package: Path, tmp_path: Path) -> None:
    """Which kernels on which grids, by a CUDA runtime that only takes notes (launch_test.cpp)."""
    nvcc = build_cuda.find_nvcc()
    assert nvcc
    core = package.parent / "csrc" / "core"
    program = tmp_path / "launch_test"
    libraries = [core / "cuda" / "libsr_ops_cuda.a", core / "cuda" / "libsr_ops_cuda_plan.a",
                 core / "libsr_ops_core.a"]  # fmt: skip
    command = [nvcc, "-std=c++17", "-cudart=none", "-I", str(ROOT / "csrc"), "-o", str(program),
               str(Path(__file__).with_name("launch_test.cpp")), *map(str, libraries)]  # fmt: skip
    linked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert linked.returncode == 0, linked.stderr
    limits = {**os.environ, "SR_OPS_MAX_WORK": str(2**44)}  # it asks for the largest results
    done = subprocess.run([program], capture_output=True, text=True, env=limits, check=False)
    assert done.returncode == 0, done.stderr


def test_a_torch_without_cuda_takes_the_library(package: Path) -> None:
    """It registers the ops' implementations for GPUs, and leaves the CPU's as they are."""
    pytest.importorskip("torch")
    code = f"""
import torch, sr_ops
x = torch.arange(64.0).reshape(1, 1, 8, 8)
before = sr_ops.dynamic_upscale(x, 1.7)
torch.ops.load_library({str(package / "libsr_ops_torch_cuda.so")!r})
for op in ("to_size", "to_size.out", "to_size_backward"):
    assert torch._C._dispatch_has_kernel_for_dispatch_key(f"sr_ops::dynamic_upscale_{{op}}", "CUDA")
assert torch.equal(sr_ops.dynamic_upscale(x, 1.7), before)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "uint8", "int8"])
def test_a_runtime_without_cuda_takes_the_library(package: Path, dtype: str) -> None:
    """It ignores the GPU's operators; the CPU's give the same bits."""
    helper = pytest.importorskip("onnx.helper")
    onnxruntime = pytest.importorskip("onnxruntime")
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    graph = helper.make_graph(
        [helper.make_node("DynamicUpscale", ["X", "scales"], ["Y"], domain="sr_ops")],
        "cuda_build",
        [
            helper.make_tensor_value_info("X", element, ["N", "C", "H", "W"]),
            helper.make_tensor_value_info("scales", 1, [4]),
        ],
        [helper.make_tensor_value_info("Y", element, None)],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("sr_ops", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    options = onnxruntime.SessionOptions()
    options.register_custom_ops_library(str(package / "libsr_ops_ort.so"))
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    x = (np.arange(2 * 3 * 9 * 20) % 127).reshape(2, 3, 9, 20).astype(dtype)
    feeds = {"X": x, "scales": np.float32([1, 1, 1.7, 2.5])}
    (y,) = session.run(None, feeds)
    options = onnxruntime.SessionOptions()
    options.register_custom_ops_library(sr_ops.get_library_path())
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, feeds)
    assert y.dtype == x.dtype and y.tobytes() == expected.tobytes()
