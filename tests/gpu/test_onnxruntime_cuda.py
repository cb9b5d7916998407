"""The CUDA execution provider: the CPU's bits, tensors that stay on the device, explain's word."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import sr_ops

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
PROVIDERS = ["CUDAExecutionProvider", "CPUExecutionProvider"]


@pytest.fixture(autouse=True)
def _needs_the_provider() -> None:
    if PROVIDERS[0] not in onnxruntime.get_available_providers():
        pytest.skip("no GPU tests of ONNX Runtime: this one has no CUDAExecutionProvider")


def model(dtype: str) -> bytes:
    element = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("DynamicUpscale", ["X", "scales"], ["Y"], domain="sr_ops")],
        "gpu",
        [
            onnx.helper.make_tensor_value_info("X", element, ["N", "C", "H", "W"]),
            onnx.helper.make_tensor_value_info("scales", onnx.TensorProto.FLOAT, [4]),
        ],
        [onnx.helper.make_tensor_value_info("Y", element, None)],
    )
    opsets = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("sr_ops", 1)]
    made = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return bytes(made.SerializeToString())


def session_for(dtype: str, providers: list[str], profile: Path | None = None):
    options = onnxruntime.SessionOptions()
    if profile:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile)
    return sr_ops.onnx.make_session(model(dtype), providers=providers, sess_options=options)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "uint8", "int8"])
@pytest.mark.parametrize("shape", [(2, 3, 37, 41), (1, 3, 900, 1100)])
def test_bits_of_the_cpu(dtype: str, shape: tuple[int, ...], record) -> None:
    x = (np.random.default_rng(1).random(shape) * 100).astype(dtype)
    feeds = {"X": x, "scales": np.float32([1, 1, 2.7, 1.7])}
    (expected,) = session_for(dtype, PROVIDERS[1:]).run(None, feeds)
    (y,) = session_for(dtype, PROVIDERS).run(None, feeds)
    assert y.tobytes() == expected.tobytes()
    record(f"ONNX Runtime's CUDA provider, {dtype} {shape}", "the CPU's bits")


def test_runs_on_several_threads_do_not_meet(record) -> None:
    """Each has a stream of its own, and all share the session's memory for tables."""
    session = session_for("float32", PROVIDERS)
    work = []
    for seed, scale in enumerate((2.5, 2.25, 0.7, 2.0)):
        x = np.random.default_rng(seed).random((1, 3, 800, 900), np.float32)
        feeds = {"X": x, "scales": np.float32([1, 1, scale, scale])}
        work.append((feeds, session.run(None, feeds)[0]))

    def run(feeds: dict[str, np.ndarray], expected: np.ndarray) -> bool:
        results = [session.run(None, feeds)[0] for _ in range(20)]
        return all(y.tobytes() == expected.tobytes() for y in results)

    with ThreadPoolExecutor(len(work)) as threads:
        assert all(threads.map(run, *zip(*work, strict=True)))
    record("ONNX Runtime, 80 runs of one session on 4 threads", "the right bits")


def test_the_gpus_kernel_runs(tmp_path: Path) -> None:
    session = session_for("float32", PROVIDERS, tmp_path / "profile")
    session.run(None, {"X": np.ones((1, 1, 8, 8), np.float32), "scales": np.float32([1, 1, 2, 2])})
    events = json.loads(Path(session.end_profiling()).read_text())
    ran = [
        e["args"]["provider"]
        for e in events
        if e.get("args", {}).get("op_name") == "DynamicUpscale"
    ]
    assert ran and set(ran) == {PROVIDERS[0]}


def test_tensors_stay_on_the_device(record) -> None:
    x = np.random.default_rng(2).random((1, 3, 64, 80), np.float32)
    session = session_for("float32", PROVIDERS)
    binding = session.io_binding()
    binding.bind_ortvalue_input("X", onnxruntime.OrtValue.ortvalue_from_numpy(x, "cuda", 0))
    binding.bind_cpu_input("scales", np.float32([1, 1, 2, 2]))
    binding.bind_output("Y", "cuda", 0)
    session.run_with_iobinding(binding)
    (y,) = binding.get_outputs()
    assert y.device_name() == "cuda"
    assert y.numpy().tobytes() == sr_ops.numpy.dynamic_upscale(x, 2.0).tobytes()
    record("ONNX Runtime, I/O binding with device tensors", "the CPU's bits")
